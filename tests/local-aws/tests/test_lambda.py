"""Functions: their environment, their permissions, their logs."""

import contextlib
import json
import os
import unittest

from local_aws import servers_file
from support import Stack, TestCase, client, state, until


class Functions(TestCase):
    """See the sentences."""

    def answer(self, behaviour: str, output: str, **parameters: str) -> str:
        stack = self.new("answer.yaml")
        status = stack.create(Behaviour=behaviour, Output=output, **parameters)
        self.assertEqual(status, "CREATE_COMPLETE", stack.story())
        return stack.outputs()["Answer"]

    def test_environment_is_lambdas_and_not_the_emulators(self):
        environment = json.loads(self.answer("tell", "Environment"))
        self.assertEqual(environment["AWS_ENDPOINT_URL"], state().published()["endpoint"])
        self.assertEqual(environment["DATABASE_CA_BUNDLE"], str(state().directory / "ca.pem"))
        self.assertEqual(environment["SMTP_CA_BUNDLE"], servers_file.read(state().directory)["smtp"]["ca_file"])
        self.assertEqual((environment["SETTLE_SECONDS"], environment["AWS_REGION"]), ("1", "eu-central-1"))
        self.assertEqual(
            environment["AWS_LAMBDA_LOG_GROUP_NAME"], "/test/test-environment-is-lambdas-and-not-the-emulators"
        )
        self.assertRegex(environment["AWS_LAMBDA_LOG_STREAM_NAME"], r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        self.assertEqual(environment["AWS_LAMBDA_LOG_FORMAT"], "JSON")
        self.assertEqual(environment["OWN"], "yes")
        leaked = {"AUTH", "GATEWAY_PORT", "HOME", "LOCAL_AWS_SERVERS_FILE", "PYTHONPATH"} & set(environment)
        self.assertEqual(leaked, set())

    def test_function_may_do_what_its_role_allows(self):
        self.assertEqual(self.answer("call", "Answer", Call="route53 list_hosted_zones"), "allowed")

    def test_function_is_denied_what_its_role_does_not_allow(self):
        answer = self.answer("call", "Answer", Call="secretsmanager list_secrets")
        self.assertRegex(
            answer,
            r"^An error occurred \(AccessDeniedException\) when calling the ListSecrets operation: User: "
            r"arn:aws:sts::123456789012:assumed-role/.+ is not authorized to perform: secretsmanager:ListSecrets",
        )

    def test_denial_of_route_53_is_one_that_an_sdk_understands(self):
        answer = self.answer("call", "Answer", Call='route53 delete_hosted_zone {"Id": "Z0123456789"}')
        self.assertRegex(
            answer,
            r"^An error occurred \(AccessDenied\) when calling the DeleteHostedZone operation: User: arn:aws:sts::",
        )

    def test_deletion_is_denied_of_an_identity_that_the_role_does_not_name(self):
        call = 'sesv2 delete_email_identity {"EmailIdentity": "other.example"}'
        self.assertIn("AccessDenied", self.answer("call", "Answer", Call=call))

    def test_logs_arrive_in_the_group_and_stream_that_the_function_was_told(self):
        stack = self.new("answer.yaml")
        stack.create(Behaviour="tell", Output="Environment")
        environment = json.loads(stack.outputs()["Answer"])
        stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        logged = until("the invocation's log", lambda: self.logged(stack, stream))
        self.assertEqual(logged, ["platform.start", "Create", "platform.report"])

    def logged(self, stack: Stack, stream: str) -> list[str]:
        """What the invocation wrote: all at once when it ends, which is after its answer, which ends the operation."""
        logs = client("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.get_log_events(logGroupName=f"/test/{stack.name}", logStreamName=stream)["events"]
            lines = [json.loads(event["message"]) for event in events]
            return [line.get("type") or line["message"] for line in lines]
        return []

    def test_logs_are_lost_where_the_role_may_not_write_them(self):
        stack = self.new("answer.yaml")
        stack.create(Behaviour="tell", Output="Environment", MayLog="no")
        group = f"/test/{stack.name}"
        until("the loss of the lines", lambda: f"log-group:{group}: the lines are lost" in state().log.read_text())
        self.assertEqual(client("logs").describe_log_streams(logGroupName=group)["logStreams"], [])

    def test_package_that_does_not_exist_fails_the_function(self):
        stack = self.new("answer.yaml")
        self.assertEqual(stack.create(Package="absent.zip"), "ROLLBACK_COMPLETE")
        self.assertEqual(
            stack.reason("Function", "CREATE_FAILED"),
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
        )

    def test_destination_that_the_role_may_not_call_is_refused(self):
        stack = self.new("answer.yaml")
        self.assertEqual(stack.create(WithDestination="yes"), "ROLLBACK_COMPLETE")
        self.assertRegex(
            stack.reason("Invocation", "CREATE_FAILED"),
            r"^The function's execution role does not have permissions to call InvokeFunction on arn:aws:lambda:",
        )

    def test_network_that_the_role_may_not_join_is_refused(self):
        stack = self.new("answer.yaml")
        self.assertEqual(stack.create(Subnet="subnet-0123456789abcdef0"), "ROLLBACK_COMPLETE")
        self.assertEqual(
            stack.reason("Function", "CREATE_FAILED"),
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
        )

    def test_root_key_is_in_no_file_and_no_function(self):
        files = [path for path in state().directory.rglob("*") if path.is_file() and "ministack" not in str(path)]
        published = state().published()
        self.assertTrue(any(published["secret_key"] in path.read_text(errors="replace") for path in files))
        pid = state().emulator().pid
        with open(f"/proc/{pid}/environ") as file:
            variables = dict(one.split("=", 1) for one in file.read().split("\0") if one)
        for path in files:
            self.assertNotIn(variables["AWS_SECRET_ACCESS_KEY"], path.read_text(errors="replace"), path)
        self.assertNotIn(variables["AWS_SECRET_ACCESS_KEY"], json.dumps(dict(os.environ)))


if __name__ == "__main__":
    unittest.main()
