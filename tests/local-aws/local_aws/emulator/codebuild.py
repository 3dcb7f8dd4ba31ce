"""CodeBuild: builds of container images that end as on AWS, without a container engine.

A build reads its source from S3 and runs what its buildspec.yml says, a script that speaks to this AWS through the real AWS CLI,
with a session of the project's role and nothing else. What it prints is the project's log. Only docker is played, by
`local_aws.docker`. The end of the base image's name, which a build has as MAUTIC_IMAGE, asks for other endings:

    .../mautic-build-fails     the build ends FAILED in its phase BUILD
    .../mautic-build-stops     it ends STOPPED, as if somebody had stopped it
    .../mautic-build-times     it ends TIMED_OUT
    .../mautic-build-faults    it ends FAULT before it began
    .../mautic-build-runs      it runs until it is stopped
    .../mautic-build-races     another build pushes the same tag before it does
"""

import copy
import io
import json
import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import cloudwatch_logs, codebuild, sts
from ministack.services.cloudformation import provisioners

from local_aws.emulator import iam, patches
from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.settings import SETTINGS
from local_aws.emulator.typed import parameters

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_physical_name",),
    "ministack.services.cloudwatch_logs": ("_append_log_events", "_log_groups"),
    "ministack.services.codebuild": (
        "_builds",
        "_create_project",
        "_make_build_record",
        "_projects",
        "_start_build",
        "_update_project",
        "new_uuid",
    ),
    "ministack.services.sts": ("register_session",),
}

WISH = re.compile(r"-build-([a-z]+)$")
# What a build that fails is said to have come to, where the wish is not simply a failure.
ENDINGS = {"stops": "STOPPED", "times": "TIMED_OUT"}
NEEDED = ("buildspec.yml", "build.sh", "container/Dockerfile")
INHERITED = ("LANG", "LOCAL_AWS_INSTANCE")
SESSION_SECONDS = 3600
POLL_SECONDS = 0.1

log = logging.getLogger("local-aws.codebuild")
_tokens: dict[tuple[str, str], str] = {}


class Failed(RuntimeError):
    """Why a build ends otherwise than well: the status, the phase, CodeBuild's words."""

    def __init__(self, status: str, phase: str, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.phase, self.code, self.message = status, phase, code, message


def install() -> None:
    """Let builds run, and projects keep their log."""
    patches.replace(codebuild.__name__, "_create_project", _with_log)
    patches.replace(codebuild.__name__, "_update_project", _with_log)
    patches.replace(codebuild.__name__, "_start_build", lambda stock: _start)
    add("AWS::CodeBuild::Project", create_project, delete_project, update_project)


# --- AWS::CodeBuild::Project ------------------------------------------------------------------------------------------


def _with_log(stock: Any) -> Any:
    """The emulator forgets where a project logs to."""

    def make(data: dict[str, Any]) -> Any:
        answer = stock(data)
        if answer[0] == 200 and "logsConfig" in data:
            codebuild._projects[data["name"]]["logsConfig"] = data["logsConfig"]
        return answer

    return make


def create_project(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
    """A project; Ref is its name."""
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=150)
    request = parameters("codebuild", "CreateProject", {**props, "Name": name})
    return name, {"Arn": aws("codebuild").create_project(**request)["project"]["arn"]}


def update_project(name: str, _: Props, new: Props) -> Props:
    """Change it in place."""
    request = parameters("codebuild", "UpdateProject", {**new, "Name": name})
    return {"Arn": aws("codebuild").update_project(**request)["project"]["arn"]}


def delete_project(name: str, _: Props) -> None:
    """Delete it."""
    client = aws("codebuild")
    try:
        client.delete_project(name=name)
    except client.exceptions.ClientError:
        log.info("%s was gone already", name)


# --- Builds -----------------------------------------------------------------------------------------------------------


def _start(data: dict[str, Any]) -> Any:
    name = data.get("projectName", "")
    project = codebuild._projects.get(name)
    if project is None:
        return error_response_json("ResourceNotFoundException", f"Project cannot be found: {name}", 400)
    token = (name, data.get("idempotencyToken", ""))
    if token[1] and token in _tokens:
        return json_response({"build": copy.deepcopy(codebuild._builds[_tokens[token]])})
    build = _record(project, data)
    codebuild._builds[build["id"]] = build
    if token[1]:
        _tokens[token] = build["id"]
    place = (get_account_id(), get_region())
    threading.Thread(target=_run, args=(build, project, place), daemon=True).start()
    return json_response({"build": copy.deepcopy(build)})


def _record(project: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """A build that has just been submitted, with what the request puts in the place of the project's."""
    build_id = f"{project['name']}:{codebuild.new_uuid()}"
    build = copy.deepcopy(codebuild._make_build_record(project, build_id, data.get("sourceVersion")))
    now = build["startTime"]
    del build["endTime"]
    build["buildStatus"], build["currentPhase"] = "IN_PROGRESS", "QUEUED"
    build["phases"] = [{"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED", "startTime": now, "endTime": now}]
    source = build["source"]
    source["type"] = data.get("sourceTypeOverride", source.get("type"))
    source["location"] = data.get("sourceLocationOverride", source.get("location"))
    own = {one["name"]: one for one in data.get("environmentVariablesOverride", [])}
    known = {one["name"]: one for one in build["environment"].get("environmentVariables", [])}
    build["environment"]["environmentVariables"] = [{"type": "PLAINTEXT", **one} for one in {**known, **own}.values()]
    group = (project.get("logsConfig") or {}).get("cloudWatchLogs", {}).get("groupName")
    build["logs"] = {
        "groupName": group or f"/aws/codebuild/{project['name']}",
        "streamName": build_id.rsplit(":", 1)[1],
    }
    return build


def _run(build: dict[str, Any], project: dict[str, Any], place: tuple[str, str]) -> None:
    with request_scope(*place):
        try:
            _build(build, project["serviceRole"])
            _end(build, "SUCCEEDED")
        except Failed as failed:
            now = int(time.time())
            context = {"statusCode": failed.code, "message": failed.message}
            build["phases"].append(
                {"phaseType": failed.phase, "phaseStatus": failed.status, "startTime": now, "endTime": now}
                | {"contexts": [context]}
            )
            _end(build, failed.status)
        except Exception as error:
            log.exception("%s", build["id"])
            _end(build, "FAULT")
            build["phases"].append(
                {"phaseType": "BUILD", "phaseStatus": "FAULT", "contexts": [{"message": str(error)}]}
            )


def _end(build: dict[str, Any], status: str) -> None:
    """StopBuild may have been faster."""
    if build["buildStatus"] == "IN_PROGRESS":
        build["endTime"], build["currentPhase"] = int(time.time()), "COMPLETED"
        build["buildStatus"] = status


def _build(build: dict[str, Any], role: str) -> None:
    listed = build["environment"]["environmentVariables"]
    found = WISH.search({one["name"]: one["value"] for one in listed}.get("MAUTIC_IMAGE", ""))
    wish = found[1] if found else ""
    if wish == "faults":
        raise Failed("FAULT", "PROVISIONING", "CLIENT_ERROR", "build container could not be provisioned")
    variables = {one["name"]: one["value"] for one in listed if one["type"] == "PLAINTEXT"}
    hidden = {one["name"]: _secret(role, one["value"]) for one in listed if one["type"] == "SECRETS_MANAGER"}
    source = _source(build, role)
    say = _log(build, role)
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        place = Path(folder)
        source.extractall(place / "source")
        environment = {**_machine(place), **_session(role, build), **variables, **hidden}
        for command in yaml.safe_load((place / "source/buildspec.yml").read_text())["phases"]["build"]["commands"]:
            process = _started(build, command, place / "source", environment)
            for line in _lines(process):
                for secret in hidden.values():
                    line = line.replace(secret, "***")
                say(line)
            if process.returncode != 0:
                words = f"Error while executing command: {command}. Reason: exit status {process.returncode}"
                context = ("COMMAND_EXECUTION_ERROR", words) if wish not in ENDINGS else ()
                raise Failed(ENDINGS.get(wish, "FAILED"), "BUILD", *context)


def _machine(place: Path) -> dict[str, str]:
    """The build's machine: a home of its own, the AWS CLI, and something that plays docker."""
    programs = place / "bin"
    programs.mkdir()
    docker = programs / "docker"
    modules = os.environ["PYTHONPATH"]
    docker.write_text(f'#!/bin/sh\nPYTHONPATH="{modules}" exec "{sys.executable}" -m local_aws.docker "$@"\n')
    docker.chmod(0o755)
    (place / "home").mkdir()
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **kept,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(place / "home"),
        "TMPDIR": str(place),
        "PAUSE": "0",
    }


def _session(role: str, build: dict[str, Any]) -> dict[str, str]:
    """What a program needs to speak to this AWS as the role, and as nobody else."""
    key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(40)
    name, session = role.rsplit("/", 1)[-1], build["id"].rsplit(":", 1)[1]
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{get_account_id()}:assumed-role/{name}/AWSCodeBuild-{session}",
            "UserId": f"{name}:AWSCodeBuild-{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + SESSION_SECONDS,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_ENDPOINT_URL": SETTINGS.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _started(build: dict[str, Any], command: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """The command at work, until it ends or somebody stops the build."""
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )

    def watch() -> None:
        while process.poll() is None:
            if build["buildStatus"] != "IN_PROGRESS":
                os.killpg(process.pid, signal.SIGTERM)
                return
            time.sleep(POLL_SECONDS)

    threading.Thread(target=watch, daemon=True).start()
    return process


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    with process:
        for line in process.stdout or ():
            yield line.rstrip("\n")


def _require(role: str, action: str, resource: str, phase: str) -> None:
    if not iam.role_allows(role, action, resource):
        raise Failed("FAILED", phase, "CLIENT_ERROR", f"AccessDenied: {role} allows no {action} on {resource}")


def _secret(role: str, place: str) -> str:
    """The value of `ARN:KEY`, read as the project's role may."""
    arn, key = place.rsplit(":", 1)
    _require(role, "secretsmanager:GetSecretValue", arn, "DOWNLOAD_SOURCE")
    return str(json.loads(aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])[key])


def _source(build: dict[str, Any], role: str) -> zipfile.ZipFile:
    """The source, which must be something that can be built."""
    bucket, _, key = str(build["source"].get("location", "")).partition("/")
    _require(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "DOWNLOAD_SOURCE")
    client = aws("s3")
    try:
        archive = zipfile.ZipFile(io.BytesIO(client.get_object(Bucket=bucket, Key=key)["Body"].read()))
    except (client.exceptions.ClientError, zipfile.BadZipFile) as error:
        raise Failed("FAILED", "DOWNLOAD_SOURCE", "CLIENT_ERROR", f"{bucket}/{key}: {error}") from error
    missing = [name for name in NEEDED if name not in archive.namelist()]
    if missing:
        raise Failed("FAILED", "DOWNLOAD_SOURCE", "YAML_FILE_ERROR", f"{key} has no {', '.join(missing)}")
    return archive


def _log(build: dict[str, Any], role: str) -> Callable[[str], None]:
    """What writes a line into the build's stream, as far as the role may."""
    group, name = build["logs"]["groupName"], build["logs"]["streamName"]
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:{name}"
    for action in ("CreateLogStream", "PutLogEvents"):
        _require(role, f"logs:{action}", arn, "PROVISIONING")
    aws("logs").create_log_stream(logGroupName=group, logStreamName=name)

    def say(line: str) -> None:
        now = int(time.time() * 1000)
        stream = cloudwatch_logs._log_groups[group]["streams"][name]
        cloudwatch_logs._append_log_events(stream, [{"timestamp": now, "message": line, "ingestionTime": now}])

    return say
