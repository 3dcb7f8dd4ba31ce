"""A release in the image itself: what a container engine is told, by an emulator that was started with the choice of one."""

import json
import os
import pwd
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from local_aws import servers_file, service
from local_aws.state import State
from support import client, execution_role, pretended_mysql, until

# Notes how it was called and what its container would have: the variables that --env names, out of its own environment or as given.
FAKE = """#!/usr/bin/env python3
import json, os, pathlib, signal, sys, time
place = pathlib.Path(__file__).resolve().parent
told = sys.argv[1:]
named = [word for before, word in zip(told, told[1:]) if before == "--env"]
given = dict(one.partition("=")[::2] if "=" in one else (one, os.environ[one]) for one in named)
own = {name: os.environ.get(name) for name in ("HOME", "DOCKER_HOST", "AWS_SECRET_ACCESS_KEY")}
(place / "call.new").write_text(json.dumps({"told": told, "given": given, "own": own}))
(place / "call.new").rename(place / "call")
print("the image speaks", flush=True)
if told[-3].endswith(":slow"):
    signal.signal(signal.SIGTERM, lambda *_: ((place / "stopped").touch(), sys.exit(143)))
    time.sleep(60)
sys.exit(7)
"""
PASSWORD = "s3nt1nel password"


class ContainerEngine(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="local-aws-")
        self.addCleanup(directory.cleanup)
        self.place = Path(directory.name).resolve()
        self.engine = self.place / "engine"
        self.engine.write_text(FAKE)
        self.engine.chmod(0o755)
        self.state = State(self.place)
        servers_file.put(self.place, "mysql", [pretended_mysql(self.place)])
        chosen = {"LOCAL_AWS_ENGINE": str(self.engine), "DOCKER_HOST": "unix:///run/engine.sock"}
        with mock.patch.dict(os.environ, chosen):
            service.start(self.state, say=lambda text: None)
        self.addCleanup(service.stop, self.state, lambda text: None)
        self.client("ecs").create_cluster(clusterName="one")
        self.client("logs").create_log_group(logGroupName="/release")

    def client(self, name: str) -> Any:
        return client(name, self.state)

    def begin(self, tag: str) -> str:
        """Start a release of an image with this tag; the task's ARN."""
        role = execution_role("execution", "secretsmanager:*", "logs:*", of=self.state)
        content = json.dumps({"password": PASSWORD})
        secret = self.client("secretsmanager").create_secret(Name="database", SecretString=content)["ARN"]
        logs = {"awslogs-group": "/release", "awslogs-stream-prefix": "release"}
        container = {
            "name": "release",
            "image": f"example/mautic:{tag}",
            "environment": [{"name": "MAUTIC_DB_HOST", "value": "localhost"}],
            "secrets": [{"name": "MAUTIC_DB_PASSWORD", "valueFrom": f"{secret}:password::"}],
            "logConfiguration": {"logDriver": "awslogs", "options": logs},
        }
        ecs = self.client("ecs")
        ecs.register_task_definition(family="one", executionRoleArn=role, containerDefinitions=[container])
        override = {
            "name": "release",
            "command": ["release", "install"],
            "environment": [{"name": "RELEASE_ID", "value": "id"}],
        }
        started = ecs.run_task(cluster="one", taskDefinition="one", overrides={"containerOverrides": [override]})
        return started["tasks"][0]["taskArn"]

    def ended(self, arn: str) -> dict[str, Any]:
        def look() -> Any:
            [task] = self.client("ecs").describe_tasks(cluster="one", tasks=[arn])["tasks"]
            return task["lastStatus"] == "STOPPED" and task

        return until("the task stops", look)

    def call(self) -> dict[str, Any]:
        """How the engine was called."""
        return json.loads(until("a call", lambda: (file := self.place / "call").exists() and file.read_text()))

    def test_it_runs_the_image_beside_the_local_servers_and_is_told_no_secret(self) -> None:
        arn = self.begin("7.2")
        self.assertEqual(self.ended(arn)["containers"][0]["exitCode"], 7)
        call = self.call()
        self.assertEqual(
            call["told"],
            [
                *("run", "--rm", "--network", "host"),
                *("--env", "MAUTIC_DB_HOST", "--env", "RELEASE_ID", "--env", "MAUTIC_DB_PASSWORD"),
                *("--volume", f"{self.place}/ca.pem:/local/DATABASE_CA_FILE.pem:ro"),
                *("--env", "DATABASE_CA_FILE=/local/DATABASE_CA_FILE.pem"),
                *("example/mautic:7.2", "release", "install"),
            ],
        )
        self.assertEqual(
            call["given"],
            {
                # PHP would look for a socket behind the other name.
                "MAUTIC_DB_HOST": "127.0.0.1",
                "RELEASE_ID": "id",
                "MAUTIC_DB_PASSWORD": PASSWORD,
                "DATABASE_CA_FILE": "/local/DATABASE_CA_FILE.pem",
            },
        )
        stream = f"release/release/{arn.rsplit('/', 1)[-1]}"
        events = self.client("logs").get_log_events(logGroupName="/release", logStreamName=stream)["events"]
        self.assertEqual([one["message"] for one in events], ["the image speaks"])

    def test_it_finds_its_server_and_its_images_and_nothing_of_the_emulator_s(self) -> None:
        self.ended(self.begin("7.2"))
        self.assertEqual(
            self.call()["own"],
            {
                "HOME": pwd.getpwuid(os.getuid()).pw_dir,
                "DOCKER_HOST": "unix:///run/engine.sock",
                "AWS_SECRET_ACCESS_KEY": None,
            },
        )

    def test_a_task_that_is_stopped_stops_it(self) -> None:
        arn = self.begin("slow")
        self.call()
        self.client("ecs").stop_task(cluster="one", task=arn)
        until("the engine is told", (self.place / "stopped").exists)


if __name__ == "__main__":
    unittest.main()
