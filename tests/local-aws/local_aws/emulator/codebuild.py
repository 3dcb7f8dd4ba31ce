"""CodeBuild and ECR: builds of container images that end as on AWS, without a container engine.

A build reads its source from S3 with the rights of the project's role, sees that there is something to build, says so in the
project's log, and pushes an image that is a manifest and nothing else. The end of the base image's name, which a build has
as MAUTIC_IMAGE, asks for other endings:

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
import re
import threading
import time
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import cloudwatch_logs, codebuild, ecr
from ministack.services.cloudformation import provisioners

from local_aws.emulator import iam, patches
from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.typed import parameters

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_ecr_repo_apply_policies", "_physical_name"),
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
    "ministack.services.ecr": ("_describe_images", "_images", "_put_image", "_repositories"),
}

WISH = re.compile(r"-build-([a-z]+)$")
NEEDED = ("buildspec.yml", "build.sh", "container/Dockerfile")
RUN_SECONDS = 1.0
COMMAND = "COMMAND_EXECUTION_ERROR"

log = logging.getLogger("local-aws.codebuild")
_tokens: dict[tuple[str, str], str] = {}


class Failed(RuntimeError):
    """Why a build ends otherwise than well: the status, the phase, CodeBuild's words."""

    def __init__(self, status: str, phase: str, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.phase, self.code, self.message = status, phase, code, message


def install() -> None:
    """Let builds run, projects keep their log, and a missing image be an error."""
    patches.replace(codebuild.__name__, "_create_project", _with_log)
    patches.replace(codebuild.__name__, "_update_project", _with_log)
    patches.replace(codebuild.__name__, "_start_build", lambda stock: _start)
    patches.replace(ecr.__name__, "_describe_images", _describe_images)
    patches.replace(ecr.__name__, "_put_image", _put_image)
    patches.replace(provisioners.__name__, "_ecr_repo_apply_policies", _keep_exclusions)
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
    variables = {one["name"]: one["value"] for one in build["environment"]["environmentVariables"]}
    found = WISH.search(variables.get("MAUTIC_IMAGE", ""))
    wish = found[1] if found else ""
    if wish == "faults":
        raise Failed("FAULT", "PROVISIONING", "CLIENT_ERROR", "build container could not be provisioned")
    for one in build["environment"]["environmentVariables"]:
        if one["type"] == "SECRETS_MANAGER":
            secret = one["value"].rsplit(":", 1)[0]
            _require(role, "secretsmanager:GetSecretValue", secret, "DOWNLOAD_SOURCE")
    _source(build, role)
    say = _log(build, role)
    tag = variables["IMAGE_TAG"] + (f"-{variables['PATCH']}" if variables.get("PATCH") else "")
    image = f"{variables['REPOSITORY_URI']}:{tag}"
    base = f"{variables['MAUTIC_IMAGE']}:{variables['MAUTIC_TAG']}@{variables.get('MAUTIC_DIGEST') or 'newest'}"
    say(f"build: {image} from {base}, on the local AWS, which has no container engine")
    time.sleep(RUN_SECONDS)
    if wish == "runs":
        say("running until it is stopped, as the base's name asks for")
        while build["buildStatus"] == "IN_PROGRESS":
            time.sleep(0.1)
        return
    if wish in ("fails", "stops", "times"):
        say(f"ERROR: failed to solve: {base}: not found")
        say("nothing was built, as the base's name asks for")
        status = {"fails": "FAILED", "stops": "STOPPED", "times": "TIMED_OUT"}[wish]
        words = "Error while executing command: bash build.sh. Reason: exit status 1"
        raise Failed(status, "BUILD", *((COMMAND, words) if wish == "fails" else ()))
    repository = Repository(variables["REPOSITORY_URI"].split("/", 1)[1], role)
    if wish == "races":
        repository.push(tag, variables["MAUTIC_TAG"], "another build")
        repository.push(tag, variables["MAUTIC_TAG"])
    manifest = repository.manifest(tag)
    if manifest:
        say(f"build: {image} is there already")
    else:
        manifest = repository.push(tag, variables["MAUTIC_TAG"])
        say(f"build: pushed {image}")
    rolling = f"rolling-{variables['IMAGE_TAG']}"
    if variables.get("ROLLING") == "true" and repository.manifest(rolling) != manifest:
        repository.put(rolling, manifest)
        say(f"build: {rolling} follows")
    _follow(variables, role, image, say)


def _follow(variables: dict[str, str], role: str, image: str, say: Any) -> None:
    """What a scheduled build does besides."""
    if cluster := variables.get("CLUSTER"):
        prefix = f"arn:aws:ecs:{get_region()}:{get_account_id()}"
        keys = {"ecs:cluster": f"{prefix}:cluster/{cluster}"}
        _require(role, "ecs:ListServices", "*", "BUILD", keys)
        for arn in aws("ecs").list_services(cluster=cluster)["serviceArns"]:
            _require(role, "ecs:UpdateService", arn, "BUILD", keys)
            aws("ecs").update_service(cluster=cluster, service=arn, forceNewDeployment=True)
            say(f"build: {arn} starts anew")
    if topic := variables.get("TOPIC_ARN"):
        _require(role, "sns:Publish", topic, "BUILD")
        _require(role, "cloudformation:DescribeStacks", variables["STACK_ID"], "BUILD")
        aws("sns").publish(TopicArn=topic, Subject="A corrected image of Mautic", Message=image)
        say(f"build: told {topic}")


def _require(role: str, action: str, resource: str, phase: str, keys: dict[str, str] | None = None) -> None:
    if not iam.role_allows(role, action, resource, keys):
        raise Failed("FAILED", phase, "CLIENT_ERROR", f"AccessDenied: {role} allows no {action} on {resource}")


def _source(build: dict[str, Any], role: str) -> None:
    """The unpacked source must be something that can be built."""
    bucket, _, key = str(build["source"].get("location", "")).partition("/")
    _require(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "DOWNLOAD_SOURCE")
    client = aws("s3")
    try:
        content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (client.exceptions.ClientError, zipfile.BadZipFile) as error:
        raise Failed("FAILED", "DOWNLOAD_SOURCE", "CLIENT_ERROR", f"{bucket}/{key}: {error}") from error
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Failed("FAILED", "DOWNLOAD_SOURCE", "YAML_FILE_ERROR", f"{key} has no {', '.join(missing)}")


@dataclass(frozen=True)
class Repository:
    """A repository as the project's role may use it."""

    name: str
    role: str

    def allowed(self, *actions: str) -> None:
        """Fail the build unless the role allows all of them."""
        arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{self.name}"
        for action in actions:
            _require(self.role, f"ecr:{action}", arn, "BUILD")

    def manifest(self, tag: str) -> str:
        """What a tag names; blank if there is none."""
        self.allowed("DescribeImages", "BatchGetImage")
        found = aws("ecr").batch_get_image(repositoryName=self.name, imageIds=[{"imageTag": tag}])["images"]
        return found[0]["imageManifest"] if found else ""

    def push(self, tag: str, base: str, by: str = "") -> str:
        """A manifest that is the same for the same tag, and another one for another pusher."""
        _require(self.role, "ecr:GetAuthorizationToken", "*", "BUILD")
        self.allowed("BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
        annotations = {"tag": tag, "base": base, "by": by}
        kind = "application/vnd.oci.image.manifest.v1+json"
        return self.put(tag, json.dumps({"schemaVersion": 2, "mediaType": kind, "annotations": annotations}))

    def put(self, tag: str, manifest: str) -> str:
        """Let a tag name a manifest."""
        self.allowed("PutImage")
        client = aws("ecr")
        try:
            client.put_image(repositoryName=self.name, imageTag=tag, imageManifest=manifest)
        except client.exceptions.ClientError as error:
            raise Failed(
                "FAILED", "BUILD", COMMAND, f"Error while executing command: bash build.sh. {error}"
            ) from error
        return manifest


def _log(build: dict[str, Any], role: str) -> Any:
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


# --- ECR --------------------------------------------------------------------------------------------------------------


def _describe_images(stock: Any) -> Any:
    """ECR refuses a request for images of which none is there; the emulator answers with an empty list."""

    def describe(data: dict[str, Any]) -> Any:
        answer = stock(data)
        wanted = data.get("imageIds")
        if wanted and answer[0] == 200 and not json.loads(answer[2])["imageDetails"]:
            name = data.get("repositoryName", "")
            text = f"The image with imageId {wanted[0]} does not exist within the repository with name '{name}'"
            return error_response_json("ImageNotFoundException", text, 400)
        return answer

    return describe


def _keep_exclusions(stock: Any) -> Any:
    """The emulator forgets which tags of a repository may change all the same."""

    def apply(name: str, props: Props) -> None:
        stock(name, props)
        filters = props.get("ImageTagMutabilityExclusionFilters") or []
        patterns = [one["ImageTagMutabilityExclusionFilterValue"] for one in filters]
        ecr._repositories[name]["_exclusions"] = patterns

    return apply


def _put_image(stock: Any) -> Any:
    """The emulator knows tags that never change, not that some of them may."""

    def put(data: dict[str, Any]) -> Any:
        name, tag = data.get("repositoryName", ""), data.get("imageTag", "")
        repository = ecr._repositories.get(name) or {}
        is_there = any(tag in image.get("imageTags", []) for image in ecr._images.get(name, []))
        may_change = any(fnmatch(tag, pattern) for pattern in repository.get("_exclusions", []))
        if repository.get("imageTagMutability") == "IMMUTABLE_WITH_EXCLUSION" and is_there and not may_change:
            return error_response_json("ImageTagAlreadyExistsException", f"The image tag '{tag}' already exists", 400)
        return stock(data)

    return put
