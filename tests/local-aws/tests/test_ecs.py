"""Services and tasks without a container engine: at rest, or failed on demand."""

import time
import unittest
from typing import Any

from support import PATIENCE, Stack, TestCase, client

BREAKER = (
    "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was "
    "triggered'.\" (HandlerErrorCode: GeneralServiceException)"
)


class Services(TestCase):
    """See the sentences."""

    def service(self, stack: Stack) -> dict[str, Any]:
        out = stack.outputs()
        return client("ecs").describe_services(cluster=out["Cluster"], services=[out["Service"]])["services"][0]

    def deployments(self, stack: Stack) -> list[tuple[str, str, int]]:
        return [(one["status"], one["rolloutState"], one["runningCount"]) for one in self.service(stack)["deployments"]]

    def ended(self, cluster: str, task: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
            if found["lastStatus"] == "STOPPED":
                return found
            time.sleep(0.1)
        self.fail(f"{task} is still {found['lastStatus']}")

    def test_service_comes_to_rest_with_all_its_settings(self):
        stack = self.deployed("service.yaml")
        service, name = self.service(stack), stack.outputs()["Name"]
        arn = f"arn:aws:ecs:eu-central-1:123456789012:service/{stack.outputs()['Cluster']}/{name}"
        self.assertEqual((stack.outputs()["Service"], service["serviceArn"]), (arn, arn))
        self.assertEqual(self.deployments(stack), [("PRIMARY", "COMPLETED", 2)])
        self.assertEqual(
            service["capacityProviderStrategy"], [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1}]
        )
        self.assertEqual((service["healthCheckGracePeriodSeconds"], service["propagateTags"]), (30, "SERVICE"))
        definition = client("ecs").describe_task_definition(taskDefinition=stack.outputs()["Definition"])[
            "taskDefinition"
        ]
        self.assertEqual(definition["volumes"][0]["efsVolumeConfiguration"]["authorizationConfig"]["iam"], "ENABLED")
        [container] = definition["containerDefinitions"]
        self.assertEqual(
            (container["readonlyRootFilesystem"], container["portMappings"][0]["containerPort"]), (True, 8080)
        )
        cluster = client("ecs").describe_clusters(clusters=[stack.outputs()["Cluster"]])["clusters"][0]
        self.assertEqual(cluster["defaultCapacityProviderStrategy"][0]["capacityProvider"], "FARGATE")

    def test_update_deploys_the_next_revision_and_the_old_one_becomes_inactive(self):
        stack = self.deployed("service.yaml")
        first = stack.outputs()["Definition"]
        self.assertEqual(stack.update(Image="example/app:2"), "UPDATE_COMPLETE", stack.story())
        second = stack.outputs()["Definition"]
        self.assertEqual(int(second.rsplit(":", 1)[1]), int(first.rsplit(":", 1)[1]) + 1)
        self.assertEqual(self.service(stack)["taskDefinition"], second)
        self.assertEqual(self.deployments(stack), [("PRIMARY", "COMPLETED", 2)])
        status = client("ecs").describe_task_definition(taskDefinition=first)["taskDefinition"]["status"]
        self.assertEqual(status, "INACTIVE")

    def test_service_whose_tasks_die_fails_in_cloudformations_words_and_is_rolled_back(self):
        stack = self.new("service.yaml")
        self.assertEqual(stack.create(Image="example/app:1-exits-3"), "ROLLBACK_COMPLETE", stack.story())
        self.assertEqual(stack.reason("Service", "CREATE_FAILED"), BREAKER)

    def test_failed_update_of_a_service_leaves_the_old_revision_running(self):
        stack = self.deployed("service.yaml")
        before = self.service(stack)["taskDefinition"]
        self.assertEqual(stack.update(Image="example/app:2-exits-1"), "UPDATE_ROLLBACK_COMPLETE", stack.story())
        self.assertEqual(stack.reason("Service", "UPDATE_FAILED"), BREAKER)
        service = self.service(stack)
        self.assertEqual((service["taskDefinition"], service["runningCount"]), (before, 2))
        self.assertIn(("PRIMARY", "COMPLETED", 2), self.deployments(stack))

    def test_scaling_by_somebody_else_is_not_undone_by_an_update_of_something_else(self):
        stack = self.deployed("service.yaml")
        out = stack.outputs()
        client("ecs").update_service(cluster=out["Cluster"], service=out["Name"], desiredCount=4)
        self.assertEqual(stack.update(Image="example/app:2"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(self.service(stack)["runningCount"], 4)

    def test_task_on_its_own_ends_as_its_image_says(self):
        stack = self.deployed("service.yaml")
        ecs, cluster = client("ecs"), stack.outputs()["Cluster"]
        for image, code in (("example/app:1", 0), ("example/app:1-exits-7", 7)):
            container = {"name": "app", "image": image, "essential": True}
            definition = ecs.register_task_definition(family="alone", containerDefinitions=[container])
            arn = definition["taskDefinition"]["taskDefinitionArn"]
            [task] = ecs.run_task(cluster=cluster, taskDefinition=arn)["tasks"]
            self.assertEqual(task["lastStatus"], "RUNNING")
            ended = self.ended(cluster, task["taskArn"])
            self.assertEqual(
                (ended["stopCode"], ended["containers"][0]["exitCode"]), ("EssentialContainerExited", code)
            )

    def test_task_whose_image_says_so_runs_until_it_is_stopped(self):
        stack = self.deployed("service.yaml", Count="1")
        ecs, cluster = client("ecs"), stack.outputs()["Cluster"]
        container = {"name": "app", "image": "example/app:1-runs", "essential": True}
        ecs.register_task_definition(family="runs", containerDefinitions=[container])
        [task] = ecs.run_task(cluster=cluster, taskDefinition="runs")["tasks"]
        time.sleep(1.5)
        found = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"][0]
        self.assertEqual(found["lastStatus"], "RUNNING")
        ecs.stop_task(cluster=cluster, task=task["taskArn"])
        self.assertEqual(self.ended(cluster, task["taskArn"])["stopCode"], "UserInitiated")


if __name__ == "__main__":
    unittest.main()
