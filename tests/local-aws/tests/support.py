"""One emulator for the whole suite, in a directory of its own, and a few words to speak to it."""

import atexit
import contextlib
import functools
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_aws import aws_cli, processes, servers_file, service  # noqa: E402 - the path comes first
from local_aws.state import State  # noqa: E402 - the path comes first

BUCKET = "code"
PATIENCE = 90.0
"""Seconds; only a failure waits for so long."""


@functools.cache
def state() -> State:
    """Start the emulator at the first use; stop it when the suite ends."""
    directory = tempfile.TemporaryDirectory(prefix="local-aws-")
    one = State(Path(directory.name))
    servers_file.put(one.directory, "mysql", [pretended_mysql(one.directory)])

    cli = contextlib.ExitStack()

    def end() -> None:
        service.stop(one, say=lambda text: None)
        cli.close()
        directory.cleanup()

    atexit.register(end)
    quick = cli.enter_context(aws_cli.served(one.directory / "cli"))
    service.start(one, say=lambda text: None, programs=quick.parent)
    s3 = client("s3", one)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for script in (HERE / "functions").glob("*.py"):
        s3.put_object(Bucket=BUCKET, Key=f"{script.stem}.zip", Body=package(script))
    for template in (HERE / "templates").glob("*.yaml"):
        s3.put_object(Bucket=BUCKET, Key=template.name, Body=template.read_bytes())
    return one


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """The environment in which a module of the emulator can be imported into the tests' own process."""
    values = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "MINISTACK_REGION": "eu-central-1",
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "LOCAL_AWS_SERVERS_FILE": os.devnull,
    }
    with mock.patch.dict(os.environ, values):
        yield


def pretended_mysql(directory: Path) -> dict[str, Any]:
    """An entry as `local_aws mysql start` writes it: these tests never connect."""
    authority = directory / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    return {
        "version": "8.0.45",
        "host": "localhost",
        "port": 33061,
        "ca_file": str(authority),
        "admin_user": "admin",
        "admin_password": "admin's password",
    }


def execution_role(name: str, *actions: str, of: State | None = None) -> str:
    """A new role for tasks, by its ARN, with which ECS may do this before they begin."""
    iam = client("iam", of)
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    rights = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps({"Statement": [rights]}))
    return arn


def package(script: Path) -> bytes:
    """A provided.al2023 package whose bootstrap is this script."""
    content = f"#!{sys.executable}\n{script.read_text()}"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, content)
    return buffer.getvalue()


def client(name: str, of: State | None = None) -> Any:
    """A client with the deploying identity's key."""
    published = (of or state()).published()
    return service.client(name, published["endpoint"], published["access_key"], published["secret_key"])


def url(template: str) -> str:
    """Where a template of tests/templates lies for TemplateURL."""
    return f"{state().published()['endpoint']}/{BUCKET}/{template}"


def until(what: str, look: Callable[[], Any]) -> Any:
    """Look again and again for something true; what was seen, or a failure that says what never came."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.02)
    return seen


def killed_half_way(directory: Path, start: Callable[[], subprocess.Popen], stop: Callable[[], Any]) -> None:
    """Kill a start of servers in this state directory between its first process and its end."""
    for _ in range(5):
        first = start()
        while first.poll() is None and not processes.running(directory):
            time.sleep(0.005)
        first.kill()
        code = first.wait()
        if not (directory / "servers.json").exists():
            if code != -signal.SIGKILL:
                raise AssertionError(f"the start ended with {code} before it could be killed")
            return
        # On a busy machine the start may be quicker than who looks on.
        stop()
    raise AssertionError("the start was complete before it was killed, five times")


class Stack:
    """One stack of a test, with the events that its functions got."""

    def __init__(self, template: str, name: str) -> None:
        self.name, self.template = name, template
        self.record = Path(tempfile.gettempdir()) / f"{name}-{os.getpid()}.record"
        self.record.unlink(missing_ok=True)
        self.cloudformation = client("cloudformation")

    def _request(self, parameters: dict[str, str]) -> dict[str, Any]:
        values = {"Record": str(self.record), **parameters}
        return {
            "StackName": self.name,
            "TemplateURL": url(self.template),
            "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        }

    def create(self, **parameters: str) -> str:
        """Create it and wait; the status that it ends in."""
        self.begin(**parameters)
        return self.settled()

    def begin(self, **parameters: str) -> None:
        """Start to create it."""
        self.cloudformation.create_stack(**self._request(parameters))

    def update(self, **parameters: str) -> str:
        """Update it and wait; the status that it ends in."""
        self.cloudformation.update_stack(**self._request(parameters))
        return self.settled()

    def delete(self) -> str:
        """Delete it and wait; the status that it ends in."""
        stack_id = self.described()["StackId"]
        self.cloudformation.delete_stack(StackName=self.name)
        return self.settled(stack_id)

    def described(self, name: str = "") -> dict[str, Any]:
        """DescribeStacks."""
        return self.cloudformation.describe_stacks(StackName=name or self.name)["Stacks"][0]

    def settled(self, name: str = "") -> str:
        """Wait for the end of the operation that runs."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = self.described(name)["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.05)
        raise AssertionError(f"{self.name} still is {status} after {PATIENCE:.0f} s:\n{self.story()}")

    def outputs(self) -> dict[str, str]:
        """The outputs by name."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.described().get("Outputs", [])}

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """The stack's events, oldest first."""
        return self.cloudformation.describe_stack_events(StackName=name or self.name)["StackEvents"][::-1]

    def story(self, name: str = "") -> str:
        """The events as lines, for the text of a failure."""
        return "\n".join(
            f"{e['LogicalResourceId']} {e['ResourceStatus']} {e.get('ResourceStatusReason', '')}"
            for e in self.events(name)
        )

    def reason(self, logical_id: str, status: str) -> str:
        """The reason of a resource's event."""
        for event in self.events():
            if event["LogicalResourceId"] == logical_id and event["ResourceStatus"] == status:
                return event.get("ResourceStatusReason", "")
        raise AssertionError(f"no event {status} of {logical_id}:\n{self.story()}")

    def requests(self) -> list[dict[str, Any]]:
        """What the functions received, in order."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def wait_for_requests(self, count: int) -> list[dict[str, Any]]:
        """Wait until the functions have received this many events."""
        until(f"{count} requests to {self.name}", lambda: len(self.requests()) >= count)
        return self.requests()


class TestCase(unittest.TestCase):
    """A test against the emulator; whole values are compared, and shown in full."""

    maxDiff = None
    stack: Stack

    def deployed(self, template: str, **parameters: str) -> Stack:
        """A stack that was created successfully; it is deleted after the test."""
        stack = self.new(template)
        status = stack.create(**parameters)
        self.assertEqual(status, "CREATE_COMPLETE", stack.story())
        return stack

    def new(self, template: str) -> Stack:
        """A stack named after the test, removed after it."""
        stack = Stack(template, self.id().rsplit(".", 1)[1].replace("_", "-")[:60].strip("-"))
        self.addCleanup(stack.record.unlink, missing_ok=True)
        return stack
