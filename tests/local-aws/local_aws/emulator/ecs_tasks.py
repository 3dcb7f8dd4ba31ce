"""ECS: what a task does that belongs to no service, until it ends.

A release task, `release install` or `release migrate`, is played by `local_aws.release` against the real MySQL, with the
environment and the secrets of its definition; or its image itself runs, by a container engine (`local_aws.container_engine`).
Any other task ends after a moment with exit code 0, as a job does. The tag of an image can ask for something else:

    ...:7.2-exits-1             its container ends after a moment with exit code 1, in services too
    ...:7.2-runs                it runs until it is stopped
    ...:7.2-release-exits-3     its releases do nothing and end with exit code 3; services and jobs are well
    ...:7.2-release-lies        they do nothing and end with exit code 0
    ...:7.2-release-dies        an installation is killed half-way
    ...:7.2-release-runs        they run until they are stopped
    ...:7.2-release-missing     their image cannot be pulled
    ...:7.2-release-waits       there is no capacity for them: RunTask answers with a failure
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs, ecs

from local_aws import container_engine
from local_aws.emulator import ecs_deployments, iam, servers
from local_aws.emulator.resources import aws

NAMES = {
    "ministack.services.cloudwatch_logs": ("_append_log_events", "_log_groups"),
    "ministack.services.ecs": ("_mark_task_stopped", "_task_defs", "_task_is_active"),
}

RUN_SECONDS = 1.0
POLL_SECONDS = 0.2
RELEASE = re.compile(r"-release-([a-z]+)(?:-(\d+))?$")

log = logging.getLogger("local-aws.ecs")


@dataclass(frozen=True)
class Ending:
    """How a task ended; `exit_code` is None where its container never began."""

    exit_code: int | None
    reason: str = "Essential container in task exited"
    code: str = "EssentialContainerExited"


@dataclass(frozen=True)
class Work:
    """The only container of a task on its own: its definition, and what RunTask put in its place."""

    task: dict[str, Any]
    container: dict[str, Any]
    override: dict[str, Any]

    @property
    def image(self) -> str:
        """The image's name and tag."""
        return str(self.container.get("image", ""))

    @property
    def command(self) -> list[str]:
        """What is run."""
        return [str(part) for part in self.override.get("command") or self.container.get("command") or []]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that are no secrets."""
        listed = [*self.container.get("environment", []), *self.override.get("environment", [])]
        return {one["name"]: str(one["value"]) for one in listed}


def exit_code(task: dict[str, Any]) -> int | None:
    """With what a task that is no release ends by itself; None if it runs on."""
    images = [container.get("image", "") for container in task["containers"]]
    for image in images:
        if not RELEASE.search(image) and (found := re.search(r"-exits-(\d+)$", image)):
            return int(found[1])
    is_on_its_own = not task.get("group", "").startswith("service:")
    is_endless = any(image.endswith("-runs") and not RELEASE.search(image) for image in images)
    return 0 if is_on_its_own and not is_endless else None


def refusal(definition: dict[str, Any], request: dict[str, Any]) -> str | None:
    """Why RunTask starts nothing, if the image's tag asks for that."""
    work = _work({}, definition, request)
    if _is_release(work) and _wish(work) == ("waits", None):
        return "Capacity is unavailable at this time. Please try again later or in a different availability zone"
    return None


def begin(arn: str, task: dict[str, Any], request: dict[str, Any]) -> None:
    """Let a task that was just started do its work beside the emulator."""
    definition = ecs._task_defs[task["taskDefinitionArn"].rsplit("/", 1)[-1]]
    work = _work(task, definition, request)
    play = _release if _is_release(work) else _job
    place = (get_account_id(), get_region())
    threading.Thread(target=_run, args=(arn, work, definition, play, place), daemon=True).start()


def _work(task: dict[str, Any], definition: dict[str, Any], request: dict[str, Any]) -> Work:
    container = definition["containerDefinitions"][0]
    overrides = (request.get("overrides") or {}).get("containerOverrides", [])
    return Work(task, container, next((one for one in overrides if one["name"] == container["name"]), {}))


def _is_release(work: Work) -> bool:
    return work.command[:1] == ["release"] and not work.task.get("group", "").startswith("service:")


def _wish(work: Work) -> tuple[str, str | None]:
    found = RELEASE.search(work.image)
    return (found[1], found[2]) if found else ("", None)


def _run(arn: str, work: Work, definition: dict[str, Any], play: Callable[..., Ending | None], place: tuple) -> None:
    with request_scope(*place):
        try:
            ending = play(arn, work, definition)
        except Exception as error:
            log.exception("%s", arn)
            ending = Ending(None, f"ResourceInitializationError: {error}", "TaskFailedToStart")
        if ending is not None:
            ecs._mark_task_stopped(arn, work.task, ending.reason, ending.code, exit_code=ending.exit_code)


def _job(_: str, work: Work, __: dict[str, Any]) -> Ending | None:
    is_of_a_service = work.task.get("group", "").startswith("service:")
    time.sleep(ecs_deployments.STEADY_SECONDS if is_of_a_service else RUN_SECONDS)
    if failure := ecs_deployments.start_failure(work.task):
        return Ending(None, failure, "TaskFailedToStart")
    code = exit_code(work.task)
    if code is None and is_of_a_service:
        ecs_deployments.settle(work.task)
    return None if code is None else Ending(code)


# --- Releases ---------------------------------------------------------------------------------------------------------


def _release(arn: str, work: Work, definition: dict[str, Any]) -> Ending | None:
    wish, number = _wish(work)
    if wish == "missing":
        return Ending(
            None,
            f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {work.image}: not found",
            "TaskFailedToStart",
        )
    role = definition.get("executionRoleArn", "")
    try:
        given = {one["name"]: _secret(role, one["valueFrom"]) for one in work.container.get("secrets", [])}
    except PermissionError as error:
        return Ending(
            None, f"ResourceInitializationError: unable to pull secrets or registry auth: {error}", "TaskFailedToStart"
        )
    stream = Stream(role, work.container, arn)
    if wish == "runs":
        stream.write(["waiting until it is stopped, as the image's tag asks for"])
        return None
    if wish in ("exits", "lies"):
        time.sleep(RUN_SECONDS)
        stream.write(["Install canceled", f"nothing was done, as the tag of {work.image} asks for"])
        return Ending(int(number or 0))
    return Ending(_play(arn, work, given, stream, {"STAND_IN_DIES": "half-way"} if wish == "dies" else {}))


def _secret(role: str, place: str) -> str:
    """The value of `ARN:KEY::`, read as the execution role may."""
    arn, key, _, _ = place.rsplit(":", 3)
    if not iam.role_allows(role, "secretsmanager:GetSecretValue", arn):
        raise PermissionError(f"AccessDeniedException: {role} may not secretsmanager:GetSecretValue on {arn}")
    return str(json.loads(aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])[key])


def _play(arn: str, work: Work, secrets: dict[str, str], stream: "Stream", own: dict[str, str]) -> int:
    """Run the image or its stand-in to its end, or until the task is stopped; its exit code."""
    environment = {**work.environment, **secrets}
    engine = container_engine.chosen()
    if engine:
        command = container_engine.command(engine, work.image, work.command, environment, _authorities())
        environment = container_engine.environment(environment)
    else:
        command = [sys.executable, "-m", "local_aws.release", *work.command[1:]]
        own = {**own, **servers.database_environment(), "STAND_IN_IMAGE": work.image}
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH", "LOCAL_AWS_INSTANCE") if name in os.environ
    }
    process = subprocess.Popen(
        command,
        env={**kept, **environment, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    threading.Thread(target=_end_with, args=(arn, work.task, process), daemon=True).start()
    with process:
        for line in process.stdout or ():
            stream.write([line.rstrip("\n")])
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _authorities() -> dict[str, str]:
    """The local servers' authorities, by the variables that name them to the image."""
    files = {
        "DATABASE_CA_FILE": servers.database_environment().get("DATABASE_CA_BUNDLE"),
        "TLS_CA_FILE": servers.cache_environment().get("CACHE_CA_BUNDLE"),
    }
    return {name: file for name, file in files.items() if file}


def _end_with(arn: str, task: dict[str, Any], process: subprocess.Popen) -> None:
    """StopTask ends the process as well."""
    while process.poll() is None:
        if not ecs._task_is_active(arn, task):
            process.terminate()
            return
        time.sleep(POLL_SECONDS)


class Stream:
    """The stream that a task's awslogs driver writes to, as far as the execution role may."""

    def __init__(self, role: str, container: dict[str, Any], task_arn: str) -> None:
        options = (container.get("logConfiguration") or {}).get("options", {})
        self.group = options.get("awslogs-group", "")
        self.name = f"{options.get('awslogs-stream-prefix', '')}/{container['name']}/{task_arn.rsplit('/', 1)[-1]}"
        arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{self.group}:log-stream:{self.name}"
        missing = [
            action for action in ("CreateLogStream", "PutLogEvents") if not iam.role_allows(role, f"logs:{action}", arn)
        ]
        if missing:
            log.warning("%s allows no logs:%s on %s: the lines are lost, as on AWS", role, missing[0], arn)
        self.is_open = bool(self.group) and not missing
        if self.is_open:
            aws("logs").create_log_stream(logGroupName=self.group, logStreamName=self.name)

    def write(self, lines: list[str]) -> None:
        """Add lines."""
        if self.is_open:
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
            stream = cloudwatch_logs._log_groups[self.group]["streams"][self.name]
            cloudwatch_logs._append_log_events(stream, events)
