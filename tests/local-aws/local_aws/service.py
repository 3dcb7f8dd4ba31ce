"""Starting and stopping the emulator's process."""

import datetime
import functools
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import botocore.utils

from local_aws import container_engine, processes, servers_file
from local_aws.errors import LocalAwsError
from local_aws.state import ACCOUNT, REGION, Emulator, State

START_SECONDS = 90.0
# The emulator outlives the command that starts it; its handle must not complain about that when it is collected.
_started: list[subprocess.Popen] = []
DEPLOYER = "deployer"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def start(state: State, say: Callable[[str], None] = print, programs: Path | None = None) -> None:
    """Start the emulator unless it runs; leave it ready, with the identity that deploys.

    What it runs finds the programs of this folder before all others.
    """
    state.home.mkdir(parents=True, exist_ok=True)
    with servers_file.locked(state.home / "lock"):
        emulator = state.emulator()
        if emulator is not None and emulator.is_running and state.published():
            say(f"local AWS runs already at {emulator.endpoint}")
            return
        if emulator is not None:
            say("local AWS: the last emulator is gone or never became ready; starting another")
            processes.stop_marked(emulator.pid, emulator.instance)
            state.forget()
        started = time.monotonic()
        emulator = _launch(state, programs)
        say(f"local AWS at {emulator.endpoint}, ready in {time.monotonic() - started:.1f} s (log: {state.log})")


def stop(state: State, say: Callable[[str], None] = print) -> None:
    """Stop the emulator that `start` started and the functions that it runs, and nothing else."""
    state.home.mkdir(parents=True, exist_ok=True)
    with servers_file.locked(state.home / "lock"):
        emulator = state.emulator()
        if emulator is None:
            say("local AWS is not running")
            return
        count = processes.stop_marked(emulator.pid, emulator.instance)
        state.forget()
        say(f"local AWS: {count} processes stopped")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(state: State, programs: Path | None) -> Emulator:
    port, instance = _free_port(), secrets.token_hex(16)
    root = ("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))
    endpoint = f"http://127.0.0.1:{port}"
    (state.home / "tmp").mkdir(exist_ok=True)
    with state.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_aws.emulator.launcher"],
            env=_environment(state, port, instance, root, programs),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started.append(process)
    emulator = Emulator(process.pid, instance, endpoint)
    state.record(emulator)
    try:
        _await_ready(process, endpoint, root, state.log)
        state.publish(*_create_deployer(endpoint, root), endpoint)
    except BaseException:
        processes.stop_marked(emulator.pid, emulator.instance)
        state.forget()
        raise
    return emulator


def _environment(
    state: State, port: int, instance: str, root: tuple[str, str], programs: Path | None
) -> dict[str, str]:
    """The emulator's settings. Its Lambda functions inherit nothing of it but PATH and the mark."""
    package = Path(__file__).resolve().parents[1]
    # The pinned AWS CLI, before one that this machine may have.
    path = [*filter(None, [programs]), Path(sys.executable).parent, os.environ.get("PATH", os.defpath)]
    return {
        "PATH": ":".join(map(str, path)),
        "LANG": "C.UTF-8",
        "HOME": str(state.home),
        "TMPDIR": str(state.home / "tmp"),
        "PYTHONPATH": str(package),
        "PYTHONUNBUFFERED": "1",
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": root[0],
        "AWS_SECRET_ACCESS_KEY": root[1],
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOCAL_AWS_SERVERS_FILE": str(state.servers.resolve()),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "0",
        **container_engine.passed(os.environ),
        processes.MARK: instance,
    }


@functools.cache
def _session() -> boto3.Session:
    """A session whose clients read the emulator's timestamps as what they nearly always are."""
    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return boto3.Session(botocore_session=core)


def _moment(value: Any) -> datetime.datetime:
    """A point in time; boto's own way tries all notations, which is half the work of reading a stack's events."""
    try:
        return datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return botocore.utils.parse_timestamp(value)


def client(service: str, endpoint: str, access_key: str, secret_key: str) -> Any:
    """A boto3 client of the emulator."""
    return _session().client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


READY: dict[str, Callable[[Any], Any]] = {
    "cloudformation": lambda one: one.list_stacks(),
    "ec2": lambda one: one.describe_vpcs(),
    "iam": lambda one: one.list_roles(),
    "lambda": lambda one: one.list_functions(),
    "logs": lambda one: one.describe_log_groups(),
    "rds": lambda one: one.describe_db_instances(),
    "route53": lambda one: one.list_hosted_zones(),
    "s3": lambda one: one.list_buckets(),
    "secretsmanager": lambda one: one.list_secrets(),
    "sesv2": lambda one: one.list_email_identities(),
}


def _await_ready(process: subprocess.Popen, endpoint: str, root: tuple[str, str], log: Path) -> None:
    """Wait for the port, then for an answer of every service that the templates use."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(endpoint):
        if process.poll() is not None:
            raise LocalAwsError(f"the emulator ended before it was ready:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise LocalAwsError(f"the emulator did not answer within {START_SECONDS:.0f} s:\n{_tail(log)}")
        time.sleep(0.05)
    for service, check in READY.items():
        try:
            check(client(service, endpoint, *root))
        except Exception as error:
            raise LocalAwsError(f"the emulator's {service} does not answer: {error}\n{_tail(log)}") from error


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _create_deployer(endpoint: str, root: tuple[str, str]) -> tuple[str, str]:
    """The identity that deploys: an IAM user with AdministratorAccess, not the root key."""
    iam = client("iam", endpoint, *root)
    iam.create_user(UserName=DEPLOYER)
    iam.attach_user_policy(UserName=DEPLOYER, PolicyArn=ADMINISTRATOR)
    key = iam.create_access_key(UserName=DEPLOYER)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]
