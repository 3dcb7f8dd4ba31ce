"""Installation, migration and every way in which a release fails: the services change after it, or not at all.

Each test goes on from what the one before it left. The release tasks are played by the stand-in of the local AWS.
"""

import json
import unittest
from typing import Any

import databases
import driver
from fixtures import invocations, lines, log_group
from stacks import Stack
from world import client
from zones import Zone

NAME, DOMAIN = "release", "release.example"
SETTINGS = {"Application": NAME, "Environment": "dev", "Domain": DOMAIN, "WaitSeconds": "60"}


def migration(version: str) -> str:
    """The stand-in's newest migration of a version such as 7.3.0."""
    major, minor, patch = version.split(".")
    return rf"Mautic\Migrations\Version2026{int(major):02}{int(minor):02}{int(patch):02}0000"


class EveryImageIsReleasedBeforeItServes(unittest.TestCase):
    """One stack and its images."""

    maxDiff = None
    stack: Stack

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(databases.take("8.4"))
        Zone(DOMAIN)
        cls.stack = Stack(NAME)

    @classmethod
    def tearDownClass(cls) -> None:
        server = cls.server()
        driver.delete(cls.stack)
        databases.forget(server, "mautic", "mautic")

    @classmethod
    def server(cls) -> dict[str, Any]:
        """The server that the stack's instance leads to."""
        return databases.server_of(f"{NAME}-dev-1")

    def deploy(self, image: str, code: int = 0, **parameters: str) -> str:
        """Deploy an image; what was printed."""
        done = driver.deploy(NAME, **SETTINGS, ImageUri=f"example.org/mautic:{image}", **parameters)
        printed = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, printed)
        self.stack.adopt()
        return printed

    def refused(self, image: str, **parameters: str) -> str:
        """Deploy an image whose release fails: everything serves as before. What was printed, on one line."""
        serving, schema = self.serving(), self.schema()
        printed = self.deploy(image, code=1, **parameters)
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE", self.stack.story())
        self.assertEqual((self.serving(), self.schema()), (serving, schema))
        return " ".join(printed.split())

    def sql(self, query: str) -> list[tuple]:
        return databases.rows(self.server(), query)

    def schema(self) -> list[tuple]:
        """Every table with its rows' number, and what was migrated."""
        names = [
            name
            for (name,) in self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mautic'")
        ]
        counted = [(name, self.sql(f"SELECT COUNT(*) FROM mautic.`{name}`")[0][0]) for name in sorted(names)]
        return [*counted, *self.sql("SELECT version FROM mautic.migrations ORDER BY 1")]

    def records(self) -> list[tuple]:
        return self.sql("SELECT command, mautic_version FROM mautic.aws_releases ORDER BY finished_at, mautic_version")

    def service(self) -> Stack:
        return self.stack.nested("MauticService")

    def serving(self) -> set[str]:
        """The images of everything that runs as a service."""
        ecs, outputs = client("ecs"), self.service().outputs()
        names = [outputs["WebServiceName"], outputs["WorkerServiceName"]]
        found = ecs.describe_services(cluster=outputs["ClusterName"], services=names)["services"]
        definitions = [ecs.describe_task_definition(taskDefinition=one["taskDefinition"]) for one in found]
        return {one["taskDefinition"]["containerDefinitions"][0]["image"].rsplit(":", 1)[1] for one in definitions}

    def told(self) -> list[str]:
        """Where the schema is, in the function's last words about it."""
        group = log_group(self.service().nested("Release"), "MauticReleaseFunction")
        found = [entry for line in lines(group) if (entry := json.loads(line)).get("message") == "where the schema is"]
        last = max(found, key=lambda entry: entry["timestamp"])
        return [last[name] for name in ("schema", "version", "migration")]

    def running(self) -> set[str]:
        """The images of all tasks that run."""
        ecs, cluster = client("ecs"), self.service().outputs()["ClusterName"]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
        return {one["image"].rsplit(":", 1)[1] for task in tasks for one in task["containers"]}

    def order(self) -> list[str]:
        """How the release and the services followed one another in the last operation."""
        events = [(one["LogicalResourceId"], one["ResourceStatus"]) for one in self.service().events()]
        last = max(
            index
            for index, event in enumerate(events)
            if event[1] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
            and event[0] == self.service().described()["StackName"]
        )
        wanted = ("Release", "Services")
        found = [f"{name} {status.split('_', 1)[1]}" for name, status in events[last:] if name in wanted]
        return list(dict.fromkeys(found))  # CloudFormation says twice that it begins

    def test_01_a_new_installation_is_made_before_anything_serves(self) -> None:
        printed = self.deploy("7.2")
        self.assertEqual(self.records(), [("install", "7.2")])
        self.assertEqual(self.stack.outputs()["MauticSchema"], f"installed, Mautic 7.2, {migration('7.2.0')}")
        self.assertIn("MauticSchema", printed)
        administrator = databases.secret(self.service().outputs()["AdministratorSecretArn"])
        self.assertEqual(
            self.sql("SELECT username, email FROM mautic.users"), [(administrator["username"], administrator["email"])]
        )
        self.assertEqual(
            self.order(), ["Release IN_PROGRESS", "Release COMPLETE", "Services IN_PROGRESS", "Services COMPLETE"]
        )
        self.assertEqual(self.serving(), {"7.2"})

    def test_02_the_same_image_again_is_no_release(self) -> None:
        function = log_group(self.service().nested("Release"), "MauticReleaseFunction")
        before = invocations(function)
        self.deploy("7.2")
        self.assertEqual((self.records(), invocations(function)), ([("install", "7.2")], before))

    def test_03_a_new_image_migrates_before_it_serves(self) -> None:
        self.deploy("7.3.0")
        self.assertEqual(self.records(), [("install", "7.2"), ("migrate", "7.3.0")])
        self.assertEqual(self.stack.outputs()["MauticSchema"], f"installed, Mautic 7.3.0, {migration('7.3.0')}")
        self.assertEqual(self.order()[:3], ["Release IN_PROGRESS", "Release COMPLETE", "Services IN_PROGRESS"])
        self.assertEqual(self.serving(), {"7.3.0"})

    def test_04_a_release_that_fails_is_undone_and_says_what_its_task_said(self) -> None:
        printed = self.refused("7.4.0-release-exits-3")
        self.assertIn("Root cause: MauticService / Release / Release (Custom::MauticRelease)", printed)
        for words in ("exit code 3", "Essential container in task exited", "nothing was done, as the tag of"):
            self.assertIn(words, printed)

    def test_05_an_exit_code_is_not_believed(self) -> None:
        self.assertIn("The task's log ends: Install canceled", self.refused("7.4.0-release-lies"))

    def test_06_an_image_that_is_not_there_is_named(self) -> None:
        printed = self.refused("7.4.0-release-missing")
        self.assertIn(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): example.org/mautic:7.4.0",
            printed,
        )

    def test_07_half_an_installation_is_left_alone_on_the_way_there_and_back(self) -> None:
        databases.rows(self.server(), "CREATE TABLE mautic.aws_installation (started_at DATETIME)")
        self.addCleanup(databases.rows, self.server(), "DROP TABLE mautic.aws_installation")
        self.assertIn("holds half a Mautic", self.refused("7.4.0"))
        # The image stays; what asks for this release is a parameter alone.
        self.assertIn("holds half a Mautic", self.refused("7.3.0", Reconcile="again"))

    def test_08_services_that_fail_after_their_release_go_back_and_the_schema_stays(self) -> None:
        printed = self.deploy("7.4.0-exits-1", code=1)
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE", self.stack.story())
        self.assertIn("Root cause: MauticService / Services / ", printed)
        self.assertIn("ECS Deployment Circuit Breaker was triggered", printed)
        self.assertEqual(self.order()[:3], ["Release IN_PROGRESS", "Release COMPLETE", "Services IN_PROGRESS"])
        # Forward it was migrated, and back not even a task was started.
        self.assertEqual(self.records(), [("install", "7.2"), ("migrate", "7.3.0"), ("migrate", "7.4.0")])
        self.assertEqual(self.told(), ["installed", "7.4.0", migration("7.4.0")])
        self.assertEqual((self.serving(), self.running()), ({"7.3.0"}, {"7.3.0"}))
