"""A service's deployments: tasks replaced, complete or failed after a moment, told to EventBridge, judged by IAM."""

import json
import time
import unittest
from typing import Any

import botocore.exceptions
from local_aws import service
from support import Stack, TestCase, client, state, until

FAILED = "deployment failed: deployment circuit breaker was triggered."


class Deployments(TestCase):
    """See the sentences."""

    def setUp(self):
        self.ecs = client("ecs")

    def place(self, stack: Stack) -> dict[str, str]:
        return {"cluster": stack.outputs()["Cluster"], "service": stack.outputs()["Service"]}

    def force(self, stack: Stack) -> dict[str, Any]:
        """A new deployment of what is deployed."""
        service = self.ecs.update_service(**self.place(stack), forceNewDeployment=True)["service"]
        return service["deployments"][0]

    def deployments(self, stack: Stack) -> list[dict[str, Any]]:
        place = self.place(stack)
        found = self.ecs.describe_services(cluster=place["cluster"], services=[place["service"]])
        return found["services"][0]["deployments"]

    def tasks(self, stack: Stack, status: str = "RUNNING") -> list[dict[str, Any]]:
        place = self.place(stack)
        arns = self.ecs.list_tasks(cluster=place["cluster"], desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster=place["cluster"], tasks=arns)["tasks"] if arns else []

    def until_alone(self, stack: Stack, deployment: str) -> None:
        """Wait until this deployment is complete, and no other is left."""
        wanted = [(deployment, "COMPLETED")]
        until(
            "the deployment",
            lambda: [(one["id"], one["rolloutState"]) for one in self.deployments(stack)] == wanted,
        )

    def heard(self, stack: Stack) -> list[dict[str, Any]]:
        answer = client("sqs").receive_message(QueueUrl=stack.outputs()["Queue"], MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]

    def start_failures(self, stack: Stack) -> set[str]:
        """Why tasks never started."""
        stopped = self.tasks(stack, "STOPPED")
        return {one["stoppedReason"] for one in stopped if one["stopCode"] == "TaskFailedToStart"}

    def failures(self, stack: Stack) -> list[str]:
        """What the service's messages tell of deployments that failed."""
        place = self.place(stack)
        found = self.ecs.describe_services(cluster=place["cluster"], services=[place["service"]])["services"][0]
        return [one["message"] for one in found["events"] if "deployment failed" in one["message"]]

    def deny(self, stack: Stack) -> None:
        """Take from the execution role what it may read."""
        client("iam").delete_role_policy(RoleName=stack.outputs()["Role"], PolicyName="own")

    def test_forced_deployment_replaces_the_tasks_while_the_old_ones_run_on(self):
        stack = self.deployed("deployments.yaml")
        old = {one["taskArn"] for one in self.tasks(stack)}
        began = time.time()
        deployment = self.force(stack)
        self.assertEqual((deployment["status"], deployment["rolloutState"]), ("PRIMARY", "IN_PROGRESS"))
        self.until_alone(stack, deployment["id"])
        new = self.tasks(stack)
        self.assertEqual((len(new), old & {one["taskArn"] for one in new}), (2, set()))
        stopped = self.tasks(stack, "STOPPED")
        self.assertEqual({one["taskArn"] for one in stopped}, old)
        beside = min(one["stoppedAt"] for one in stopped) - max(one["startedAt"] for one in new)
        self.assertGreaterEqual(beside.total_seconds(), 0.499, "seconds for which old and new tasks ran")
        for task in new:
            self.assertGreaterEqual(task["createdAt"].timestamp(), began - 0.001)
            self.assertGreaterEqual(task["startedAt"], task["createdAt"])
        self.assertGreaterEqual(self.deployments(stack)[0]["createdAt"].timestamp(), began - 0.001)

    def test_deployment_whose_tasks_cannot_have_their_secret_fails_and_is_taken_back(self):
        stack = self.deployed("deployments.yaml")
        [before] = self.deployments(stack)
        old = {one["taskArn"] for one in self.tasks(stack)}
        self.deny(stack)
        self.force(stack)
        until("the failure", lambda: self.failures(stack))
        self.until_alone(stack, before["id"])
        self.assertEqual(self.failures(stack), [f"(service {stack.outputs()['Service']}) {FAILED}"])
        self.assertEqual({one["taskArn"] for one in self.tasks(stack)}, old)
        reasons = self.start_failures(stack)
        role = f"arn:aws:iam::123456789012:role/{stack.outputs()['Role']}"
        words = "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException:"
        secret = stack.outputs()["Secret"]
        self.assertEqual(reasons, {f"{words} {role} may not secretsmanager:GetSecretValue on {secret}"})

    def test_secret_without_the_key_keeps_tasks_from_starting(self):
        stack = self.deployed("deployments.yaml")
        client("secretsmanager").put_secret_value(SecretId=stack.outputs()["Secret"], SecretString='{"other": "x"}')
        self.force(stack)
        until("the failure", lambda: self.failures(stack))
        [reason] = self.start_failures(stack)
        self.assertEqual(
            reason.rsplit(": ", 1)[1], "retrieved secret from Secrets Manager did not contain json key password"
        )

    def test_deployments_are_told_once_each_in_the_form_of_aws(self):
        stack = self.deployed("deployments.yaml")
        first = self.deployments(stack)[0]["id"]
        second = self.force(stack)["id"]
        self.until_alone(stack, second)
        self.deny(stack)
        third = self.force(stack)["id"]
        events: list[dict[str, Any]] = []
        until("three events", lambda: events.extend(self.heard(stack)) or len(events) >= 3)
        place = self.place(stack)
        arn = f"arn:aws:ecs:eu-central-1:123456789012:service/{place['cluster']}/{place['service']}"
        told = [
            (one["detail"]["deploymentId"], one["detail"]["eventName"], one["detail"]["eventType"]) for one in events
        ]
        completed, failed = ("SERVICE_DEPLOYMENT_COMPLETED", "INFO"), ("SERVICE_DEPLOYMENT_FAILED", "ERROR")
        self.assertEqual(told[:3], [(first, *completed), (second, *completed), (third, *failed)])
        self.assertEqual(
            {(one["source"], one["detail-type"], *one["resources"]) for one in events},
            {("aws.ecs", "ECS Deployment State Change", arn)},
        )
        self.assertEqual(sorted(events[0]["detail"]), ["deploymentId", "eventName", "eventType", "reason", "updatedAt"])

    def user(self, *statements: dict[str, Any]) -> Any:
        """A client of ECS for a new user with these rights."""
        iam, name = client("iam"), "redeployer"
        iam.create_user(UserName=name)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return service.client("ecs", state().published()["endpoint"], key["AccessKeyId"], key["SecretAccessKey"])

    def test_who_may_redeploy_the_services_of_one_cluster_may_do_so_nowhere_else(self):
        stack = self.deployed("deployments.yaml")
        place, prefix = self.place(stack), "arn:aws:ecs:eu-central-1:123456789012"
        condition = {"ArnEquals": {"ecs:cluster": f"{prefix}:cluster/{place['cluster']}"}}
        services = f"{prefix}:service/{place['cluster']}/*"
        allowed = [("ecs:ListServices", "*"), ("ecs:DescribeServices", services), ("ecs:UpdateService", services)]
        ecs = self.user(*({"Action": action, "Resource": one, "Condition": condition} for action, one in allowed))
        self.assertEqual(len(ecs.list_services(cluster=place["cluster"])["serviceArns"]), 1)
        ecs.describe_services(cluster=place["cluster"], services=[place["service"]])
        ecs.update_service(**place, forceNewDeployment=True)
        client("ecs").create_cluster(clusterName="elsewhere")
        for call in (
            lambda: ecs.list_services(cluster="elsewhere"),
            lambda: ecs.describe_services(cluster="elsewhere", services=[place["service"]]),
            lambda: ecs.update_service(cluster="elsewhere", service=place["service"], forceNewDeployment=True),
        ):
            with self.assertRaises(botocore.exceptions.ClientError) as raised:
                call()
            self.assertEqual(raised.exception.response["Error"]["Code"], "AccessDeniedException")


if __name__ == "__main__":
    unittest.main()
