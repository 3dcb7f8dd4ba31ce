"""Secrets Manager rotates as on AWS: four steps in its own name, labels, refusals, and the event when a label has moved."""

import json
import time
import unittest
from pathlib import Path
from typing import Any

from support import Stack, TestCase, client, state, until

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
REFUSED = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    "principal secretsmanager.amazonaws.com."
)
UNFINISHED = "A previous rotation isn't complete. That rotation will be reattempted."


class Rotation(TestCase):
    """See the sentences."""

    def setUp(self):
        self.secrets = client("secretsmanager")

    def steps(self, stack: Stack) -> list[str]:
        return [one["Step"] for one in stack.requests()]

    def heard(self, stack: Stack) -> list[dict[str, Any]]:
        path = Path(f"{stack.record}.events")
        self.addCleanup(path.unlink, missing_ok=True)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def described(self, stack: Stack) -> dict[str, Any]:
        return self.secrets.describe_secret(SecretId=stack.outputs()["Secret"])

    def rotated(self, stack: Stack, **options: Any) -> str:
        """Start a rotation, and wait until it has ended well; the new version."""
        before = self.described(stack).get("LastRotatedDate")
        version = self.secrets.rotate_secret(SecretId=stack.outputs()["Secret"], **options)["VersionId"]
        until("the rotation", lambda: self.described(stack).get("LastRotatedDate") != before)
        return version

    def refusal(self, kind: Any, **request: Any) -> str:
        with self.assertRaises(kind) as caught:
            self.secrets.rotate_secret(**request)
        return caught.exception.response["Error"]["Message"]

    def test_four_steps_move_the_labels_and_the_old_version_stays_readable(self):
        stack = self.deployed("rotation.yaml")
        stack.wait_for_requests(1)
        secret = stack.outputs()["Secret"]
        [first] = until("the tested version's end", lambda: self.only_current(stack))
        old = self.secrets.get_secret_value(SecretId=secret)["SecretString"]
        second = self.rotated(stack)
        self.assertEqual(self.steps(stack), ["testSecret", *STEPS])
        self.assertEqual({one["ClientRequestToken"] for one in stack.requests()[1:]}, {second})
        labels = self.described(stack)["VersionIdsToStages"]
        self.assertEqual(
            {one: sorted(of) for one, of in labels.items()},
            {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "AWSPENDING"]},
        )
        previous = self.secrets.get_secret_value(SecretId=secret, VersionStage="AWSPREVIOUS")
        self.assertEqual((previous["VersionId"], previous["SecretString"]), (first, old))
        self.assertNotEqual(self.secrets.get_secret_value(SecretId=secret)["SecretString"], old)

    def only_current(self, stack: Stack) -> list[str] | None:
        labels = self.described(stack)["VersionIdsToStages"]
        return [*labels] if [*labels.values()] == [["AWSCURRENT"]] else None

    def test_secret_that_a_template_gives_nothing_has_no_version(self):
        stack = self.deployed("rotation.yaml")
        empty = stack.outputs()["Empty"]
        with self.assertRaises(self.secrets.exceptions.ResourceNotFoundException):
            self.secrets.get_secret_value(SecretId=empty)
        first = self.secrets.put_secret_value(SecretId=empty, SecretString="first")["VersionId"]
        self.assertEqual(self.secrets.describe_secret(SecretId=empty)["VersionIdsToStages"], {first: ["AWSCURRENT"]})

    def test_schedule_only_tests_a_pending_version_that_is_then_taken_away(self):
        stack = self.deployed("rotation.yaml")
        self.assertEqual(stack.outputs()["Schedule"], stack.outputs()["Secret"])
        [event] = stack.wait_for_requests(1)
        self.assertEqual(event["Step"], "testSecret")
        until("the version's end", lambda: self.only_current(stack))
        described = self.described(stack)
        self.assertTrue(described["RotationEnabled"])
        self.assertEqual(described["RotationRules"], {"ScheduleExpression": "cron(0 3 ? * SUN *)", "Duration": "3h"})
        self.assertNotIn("LastRotatedDate", described)

    def test_schedule_that_is_to_rotate_at_once_does_so(self):
        stack = self.deployed("rotation.yaml", Immediately="true")
        until("the rotation", lambda: self.described(stack).get("LastRotatedDate"))
        self.assertEqual(self.steps(stack), STEPS)

    def test_failed_step_leaves_its_version_pending_and_the_next_request_tries_that_one_again(self):
        stack = self.deployed("rotation.yaml", Fails="setSecret")
        stack.wait_for_requests(1)
        until("the tested version's end", lambda: self.only_current(stack))
        secret = stack.outputs()["Secret"]
        version = self.secrets.rotate_secret(SecretId=secret)["VersionId"]
        # While a step runs, another request is refused and nothing else.
        until("the failure", lambda: f"setSecret of {secret} failed" in state().log.read_text())
        self.assertEqual(self.steps(stack)[1:], STEPS[:2])
        self.assertEqual(self.described(stack)["VersionIdsToStages"][version], ["AWSPENDING"])
        value = self.secrets.get_secret_value(SecretId=secret, VersionStage="AWSPENDING")["SecretString"]
        client("lambda").update_function_configuration(
            FunctionName=stack.outputs()["Function"], Environment={"Variables": {"RECORD": str(stack.record)}}
        )
        invalid = self.secrets.exceptions.InvalidRequestException
        self.assertEqual(self.refusal(invalid, SecretId=secret), UNFINISHED)
        until("the rotation", lambda: self.described(stack).get("LastRotatedDate"))
        self.assertEqual(self.steps(stack)[3:], STEPS)
        current = self.secrets.get_secret_value(SecretId=secret)
        self.assertEqual((current["VersionId"], current["SecretString"]), (version, value))

    def test_function_whose_policy_does_not_name_the_service_or_this_account_is_refused(self):
        for name, value in (("Principal", "events.amazonaws.com"), ("SourceAccount", "210987654321")):
            stack = Stack("rotation.yaml", f"refused-{name.lower()}")
            self.addCleanup(stack.record.unlink, missing_ok=True)
            self.assertEqual(stack.create(**{name: value}), "ROLLBACK_COMPLETE", stack.story())
            self.assertIn(REFUSED, stack.reason("Schedule", "CREATE_FAILED"))
            self.assertEqual(stack.requests(), [])

    def test_schedule_that_secrets_manager_does_not_know_is_refused(self):
        stack = self.new("rotation.yaml")
        self.assertEqual(stack.create(Expression="cron(30 3 ? * SUN *)"), "ROLLBACK_COMPLETE", stack.story())
        words = "ScheduleExpression must be rate(N hours), rate(N days) or cron(0 H D M W *), not cron(30 3 ? * SUN *)."
        self.assertIn(words, stack.reason("Schedule", "CREATE_FAILED"))

    def test_moved_label_is_told_to_the_rule_in_the_form_of_aws(self):
        stack = self.deployed("rotation.yaml")
        until("the tested version's end", lambda: self.only_current(stack))
        version = self.rotated(stack)
        [event] = until("the event", lambda: self.heard(stack))
        self.assertEqual(event["detail"], {**event["detail"], "labelUpdated": "AWSCURRENT", "versionId": version})
        self.assertEqual(sorted(event["detail"]), ["labelUpdated", "name", "versionId"])
        self.assertEqual(
            (event["source"], event["detail-type"], event["resources"]),
            ("aws.secretsmanager", "Secret Label Updated", [stack.outputs()["Secret"]]),
        )

    def test_rule_does_not_reach_a_function_whose_policy_does_not_let_it(self):
        stack = self.deployed("rotation.yaml", Listens="sns.amazonaws.com")
        until("the tested version's end", lambda: self.only_current(stack))
        self.rotated(stack)
        time.sleep(0.5)
        self.assertEqual(self.heard(stack), [])

    def test_rotation_that_was_cancelled_asks_for_no_more(self):
        stack = self.deployed("rotation.yaml")
        self.secrets.cancel_rotate_secret(SecretId=stack.outputs()["Secret"])
        self.assertFalse(self.described(stack)["RotationEnabled"])

    def test_secret_without_a_function_cannot_be_rotated(self):
        secret = self.secrets.create_secret(Name="plain", SecretString="x")["ARN"]
        invalid = self.secrets.exceptions.InvalidRequestException
        words = "No Lambda rotation function ARN is associated with this secret."
        self.assertEqual(self.refusal(invalid, SecretId=secret), words)


class Versions(TestCase):
    """See the sentences."""

    def setUp(self):
        self.secrets = client("secretsmanager")
        self.token = "11111111-2222-3333-4444-555555555555"
        self.secret = self.secrets.create_secret(Name=self.id().rsplit(".", 1)[1], SecretString="first")["ARN"]

    def put(self, value: str, token: str = "", stages: tuple[str, ...] = ("AWSPENDING",)) -> str:
        answer = self.secrets.put_secret_value(
            SecretId=self.secret,
            ClientRequestToken=token or self.token,
            SecretString=value,
            VersionStages=[*stages],
        )
        return answer["VersionId"]

    def test_version_is_written_once(self):
        self.assertEqual(self.put("second"), self.put("second"))
        with self.assertRaises(self.secrets.exceptions.ResourceExistsException) as caught:
            self.put("third")
        self.assertEqual(
            caught.exception.response["Error"]["Message"],
            f"You can't use ClientRequestToken {self.token} because that value is already in use for a version of secret {self.secret}.",
        )
        self.assertEqual(
            self.secrets.get_secret_value(SecretId=self.secret, VersionId=self.token)["SecretString"], "second"
        )

    def test_label_leaves_its_version_for_another(self):
        self.put("second")
        other = self.put("third", "11111111-2222-3333-4444-666666666666")
        stages = self.secrets.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        self.assertEqual([one for one, labels in stages.items() if "AWSPENDING" in labels], [other])

    def test_version_must_have_the_label_that_it_is_asked_with(self):
        self.put("second")
        with self.assertRaises(self.secrets.exceptions.InvalidRequestException) as caught:
            self.secrets.get_secret_value(SecretId=self.secret, VersionId=self.token, VersionStage="AWSCURRENT")
        self.assertEqual(
            caught.exception.response["Error"]["Message"],
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )

    def test_own_label_moves_only_from_where_it_is(self):
        first = self.secrets.get_secret_value(SecretId=self.secret)["VersionId"]
        second = self.put("second", stages=("AWSCURRENT",))
        move = {"SecretId": self.secret, "VersionStage": "RETIRED"}
        self.secrets.update_secret_version_stage(**move, MoveToVersionId=first)
        with self.assertRaises(self.secrets.exceptions.InvalidParameterException):
            self.secrets.update_secret_version_stage(**move, MoveToVersionId=second)
        self.secrets.update_secret_version_stage(**move, MoveToVersionId=second, RemoveFromVersionId=first)
        stages = self.secrets.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        self.assertEqual(
            {one: sorted(of) for one, of in stages.items()}, {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "RETIRED"]}
        )


if __name__ == "__main__":
    unittest.main()
