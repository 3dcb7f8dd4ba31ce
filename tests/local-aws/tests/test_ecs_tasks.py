"""Release tasks: played against the real MySQL, with the rights of the execution role, ending as the image's tag asks."""

import json
import time
import unittest
import uuid
from typing import Any
from unittest import mock

import botocore.exceptions
import pymysql
from local_aws import servers_file, service
from local_aws.state import State
from support import client, execution_role, settings, state, until

with settings():
    from local_aws.emulator import ecs

GROUP = "/releases"
ADMINISTRATOR = {"username": "ada", "email": "ada@example.org", "password": "correct horse"}


def servers() -> list[dict[str, Any]]:
    """The running MySQL servers of the repository."""
    return servers_file.read(State().directory)["mysql"]


class Releases(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def setUp(self) -> None:
        directory = state().directory
        before = servers_file.read(directory)["mysql"]
        servers_file.put(directory, "mysql", servers())
        self.addCleanup(servers_file.put, directory, "mysql", before)
        self.server = servers()[-1]
        self.name = f"release{uuid.uuid4().hex[:8]}"
        self.password = f"p' {self.name}"
        self.sql(f"CREATE DATABASE {self.name}")
        self.addCleanup(self.sql, f"DROP DATABASE {self.name}")
        self.sql(f"CREATE USER {self.name} IDENTIFIED BY %s REQUIRE SSL", self.password)
        self.addCleanup(self.sql, f"DROP USER {self.name}")
        self.sql(f"GRANT ALL ON {self.name}.* TO {self.name}")
        client("ecs").create_cluster(clusterName=self.name)
        client("logs").create_log_group(logGroupName=GROUP + self.name)
        self.secrets = {
            "MAUTIC_DB_USER": self.secret("database", username=self.name, password=self.password) + ":username::",
            "MAUTIC_DB_PASSWORD": self.arn + ":password::",
            "ADMIN_USERNAME": self.secret("administrator", **ADMINISTRATOR) + ":username::",
            "ADMIN_EMAIL": self.arn + ":email::",
            "ADMIN_PASSWORD": self.arn + ":password::",
        }

    def sql(self, statement: str, *values: str) -> list[tuple]:
        """What the server answers to its administrator."""
        server = self.server
        with (
            pymysql.connect(
                host=server["host"],
                port=server["port"],
                user=server["admin_user"],
                password=server["admin_password"],
                ssl={"ca": server["ca_file"]},
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def secret(self, name: str, **content: str) -> str:
        """A new secret's ARN."""
        self.arn = client("secretsmanager").create_secret(Name=f"{self.name}/{name}", SecretString=json.dumps(content))[
            "ARN"
        ]
        return self.arn

    def definition(self, tag: str = "7.2", *actions: str) -> str:
        """A release task's definition, whose execution role may do what it must unless told otherwise."""
        rights = actions or ("secretsmanager:GetSecretValue", "logs:CreateLogStream", "logs:PutLogEvents")
        place = {
            "MAUTIC_DB_HOST": self.server["host"],
            "MAUTIC_DB_PORT": str(self.server["port"]),
            "MAUTIC_DB_NAME": self.name,
        }
        container = {
            "name": "release",
            "image": f"example/mautic:{tag}",
            "command": ["release", "migrate"],
            "environment": [{"name": name, "value": value} for name, value in place.items()],
            "secrets": [{"name": name, "valueFrom": value} for name, value in self.secrets.items()],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": GROUP + self.name, "awslogs-stream-prefix": "release"},
            },
        }
        role = execution_role(f"{self.name}-{uuid.uuid4().hex[:6]}", *rights)
        answer = client("ecs").register_task_definition(
            family=self.name, executionRoleArn=role, containerDefinitions=[container]
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    def run_task(self, definition: str, command: str, token: str = "") -> dict[str, Any]:
        """What RunTask answers."""
        override = {
            "name": "release",
            "command": ["release", command],
            "environment": [{"name": "RELEASE_ID", "value": f"id-{command}"}],
        }
        given = {"clientToken": token} if token else {}
        overrides = {"containerOverrides": [override]}
        return client("ecs").run_task(cluster=self.name, taskDefinition=definition, overrides=overrides, **given)

    def described(self, task: str) -> dict[str, Any]:
        return client("ecs").describe_tasks(cluster=self.name, tasks=[task])["tasks"][0]

    def ended(self, definition: str, command: str) -> tuple[int | None, str, list[str]]:
        """Exit code, stopped reason and log of a task that was run to its end."""
        [task] = self.run_task(definition, command)["tasks"]
        arn = task["taskArn"]
        found = until(f"{arn} stops", lambda: (one := self.described(arn))["lastStatus"] == "STOPPED" and one)
        return found["containers"][0].get("exitCode"), found["stoppedReason"], self.lines(arn)

    def lines(self, task: str) -> list[str]:
        stream = f"release/release/{task.rsplit('/', 1)[-1]}"
        try:
            events = client("logs").get_log_events(logGroupName=GROUP + self.name, logStreamName=stream)["events"]
        except client("logs").exceptions.ResourceNotFoundException:
            return []
        return [one["message"] for one in events]

    def tables(self) -> set[str]:
        found = self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", self.name)
        return {name for (name,) in found}

    def test_an_installation_leaves_tables_an_administrator_and_its_record(self) -> None:
        code, reason, lines = self.ended(self.definition(), "install")
        self.assertEqual((code, reason), (0, "Essential container in task exited"), lines)
        self.assertIn("Stand-in for Mautic", lines[0])
        self.assertEqual(lines[-1], "release install: finished")
        self.assertLess({"users", "leads", "email_stats", "lead_donotcontact", "migrations"}, self.tables())
        self.assertNotIn("aws_installation", self.tables())
        [(name, email, hashed)] = self.sql(f"SELECT username, email, password FROM {self.name}.users")
        self.assertEqual((name, email, hashed[:7]), ("ada", "ada@example.org", "$2y$04$"))
        self.assertEqual(
            self.sql(f"SELECT release_id, command, mautic_version FROM {self.name}.aws_releases"),
            [("id-install", "install", "7.2")],
        )
        said = "\n".join(lines)
        self.assertFalse([one for one in (self.password, ADMINISTRATOR["password"]) if one in said])

        code, _, lines = self.ended(self.definition("7.2"), "install")
        self.assertEqual(code, 1)
        self.assertIn("nothing is installed over them", lines[-1])

        self.assertEqual(self.ended(self.definition("7.3.1"), "migrate")[0], 0)
        versions = self.sql(f"SELECT version FROM {self.name}.migrations ORDER BY 1")
        self.assertEqual(versions, [(rf"Mautic\Migrations\Version2026{one}0000",) for one in ("070200", "070301")])

    def test_a_migration_needs_an_installation(self) -> None:
        code, _, lines = self.ended(self.definition(), "migrate")
        self.assertEqual(
            (code, lines[-1]), (1, "release migrate: the schema holds no Mautic: there is nothing to migrate")
        )

    def test_the_tag_asks_for_an_ending(self) -> None:
        for tag, expected in (("7.2-release-exits-3", 3), ("7.2-release-lies", 0), ("7.2-release-dies", 1)):
            code, reason, lines = self.ended(self.definition(tag), "install")
            self.assertEqual((code, reason), (expected, "Essential container in task exited"), lines)
        self.assertIn("aws_installation", self.tables())
        code, reason, lines = self.ended(self.definition("7.2-release-missing"), "install")
        self.assertEqual((code, lines), (None, []))
        self.assertRegex(reason, "^CannotPullContainerError: .*example/mautic:7.2-release-missing")
        answer = self.run_task(self.definition("7.2-release-waits"), "install")
        self.assertEqual((answer["tasks"], answer["failures"][0]["reason"][:23]), ([], "Capacity is unavailable"))

    def test_a_role_that_may_not_read_the_secrets_starts_nothing_and_one_that_may_not_log_says_nothing(self) -> None:
        code, reason, _ = self.ended(self.definition("7.2", "logs:CreateLogStream", "logs:PutLogEvents"), "install")
        self.assertIsNone(code)
        self.assertRegex(
            reason, "^ResourceInitializationError: unable to pull secrets .*may not secretsmanager:GetSecretValue"
        )
        self.assertEqual(
            self.ended(self.definition("7.2", "secretsmanager:GetSecretValue"), "install"),
            (0, "Essential container in task exited", []),
        )

    def test_who_may_run_a_family_in_one_cluster_may_run_no_other_and_nowhere_else(self) -> None:
        mine, other = self.definition("7.2-release-runs"), f"{self.name}-other"
        client("ecs").create_cluster(clusterName=other)
        cluster = f"arn:aws:ecs:eu-central-1:123456789012:cluster/{self.name}"
        family = f"arn:aws:ecs:eu-central-1:123456789012:task-definition/{self.name}:*"
        condition = {"ArnEquals": {"ecs:cluster": cluster}}
        tasks = f"arn:aws:ecs:eu-central-1:123456789012:task/{self.name}/*"
        allowed = [("ecs:RunTask", family), ("ecs:ListTasks", "*"), ("ecs:StopTask", tasks)]
        ecs = self.user(*({"Action": action, "Resource": one, "Condition": condition} for action, one in allowed))
        [task] = ecs.run_task(cluster=self.name, taskDefinition=mine)["tasks"]
        self.assertEqual(ecs.list_tasks(cluster=self.name)["taskArns"], [task["taskArn"]])
        ecs.stop_task(cluster=self.name, task=task["taskArn"])
        container = {"name": "x", "image": "example/x:1"}
        client("ecs").register_task_definition(family=other, containerDefinitions=[container])
        for call in (
            lambda: ecs.run_task(cluster=other, taskDefinition=mine),
            lambda: ecs.run_task(cluster=self.name, taskDefinition=other),
            lambda: ecs.list_tasks(cluster=other),
            lambda: ecs.describe_tasks(cluster=self.name, tasks=[task["taskArn"]]),
        ):
            with self.assertRaises(botocore.exceptions.ClientError) as raised:
                call()
            self.assertEqual(raised.exception.response["Error"]["Code"], "AccessDeniedException")

    def user(self, *statements: dict[str, Any]) -> Any:
        """A client of ECS for a new user with these rights."""
        iam = client("iam")
        iam.create_user(UserName=self.name)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_user_policy(UserName=self.name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        return service.client("ecs", state().published()["endpoint"], key["AccessKeyId"], key["SecretAccessKey"])

    def test_one_that_never_ends_runs_until_it_is_stopped(self) -> None:
        [task] = self.run_task(self.definition("7.2-release-runs"), "install")["tasks"]
        time.sleep(1.5)
        self.assertEqual(self.described(task["taskArn"])["lastStatus"], "RUNNING")
        client("ecs").stop_task(cluster=self.name, task=task["taskArn"])
        self.assertEqual(self.described(task["taskArn"])["stopCode"], "UserInitiated")

    def test_a_client_token_starts_one_task(self) -> None:
        definition = self.definition("7.2-release-runs")
        first, again = (self.run_task(definition, "install", "token")["tasks"][0]["taskArn"] for _ in range(2))
        self.assertEqual(first, again)
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            self.run_task(definition, "migrate", "token")
        self.assertEqual(raised.exception.response["Error"]["Code"], "ConflictException")
        client("ecs").stop_task(cluster=self.name, task=first)


class Starts(unittest.TestCase):
    """What begins when a task is started."""

    def test_a_task_that_another_thread_starts_meanwhile_is_left_to_that_thread(self) -> None:
        tasks = {}

        def stock(_: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
            tasks.update({"mine": {}, "other": {}})
            return ecs.json_response({"tasks": [{"taskArn": "mine"}], "failures": []})

        with mock.patch.object(ecs.ecs, "_tasks", tasks), mock.patch.object(ecs.ecs_tasks, "begin") as begin:
            ecs._run_task(stock)({"taskDefinition": "unknown"})
        self.assertEqual([call.args[0] for call in begin.mock_calls], ["mine"])


if __name__ == "__main__":
    unittest.main()
