"""Mautic's image as the stack builds it, seen from outside: builds, tags, and what the schedule starts."""

import contextlib
import json
from typing import Any

from fixtures import from_foundation
from stacks import Stack
from world import client, module, wait_until

MODULE = "MauticService/Image"
SETTINGS = {"MauticVersion": "7.2", "TaskArchitecture": "X86_64", "SiteUrl": "https://mautic.example"}


class Image(Stack):
    """The real module mautic-image as a stack of its own."""

    def __init__(self, name: str, template: str = "") -> None:
        super().__init__(name, template or module(MODULE))

    def common(self) -> dict[str, str]:
        """What the foundation gives, and what the root decides."""
        return {**from_foundation("DataKeyArn", "AlarmTopicArn", "FailureResponderArn"), **SETTINGS}


def properties(image: Stack) -> dict[str, Any]:
    """The custom resource's, as CloudFormation resolves them."""
    told, project = variables(builds(image)[-1]), image.physical_id("BuildProject")
    [of_project] = client("codebuild").batch_get_projects(names=[project])["projects"]
    fixed = {one["name"]: one["value"] for one in of_project["environment"]["environmentVariables"]}
    return {
        "ServiceTimeout": "3600",
        "ParameterNames": {"BaseImage": "ImageBase"},
        "Project": project,
        "Bucket": image.physical_id("BuildBucket"),
        "Repository": image.physical_id("Repository"),
        "RepositoryUri": fixed["REPOSITORY_URI"],
        "BaseImage": "",
        "MauticTag": told["MAUTIC_TAG"],
        "MauticDigest": told["MAUTIC_DIGEST"],
        "PatchTag": fixed["MAUTIC_TAG"],
        "Patch": "",
        "Rolling": fixed["ROLLING"],
        "SiteUrl": fixed["SITE_URL"],
        "Architecture": SETTINGS["TaskArchitecture"],
        "WaitSeconds": "3540",
        "Nonce": "",
    }


def builds(image: Stack) -> list[dict[str, Any]]:
    """Every build of the project, newest first."""
    codebuild, project = client("codebuild"), image.physical_id("BuildProject")
    ids = codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING")["ids"]
    return codebuild.batch_get_builds(ids=ids)["builds"] if ids else []


def variables(build: dict[str, Any]) -> dict[str, str]:
    """What a build was told."""
    return {one["name"]: one["value"] for one in build["environment"]["environmentVariables"]}


def images(image: Stack) -> dict[str, str]:
    """The repository: tag to digest."""
    found = client("ecr").describe_images(repositoryName=image.physical_id("Repository"))["imageDetails"]
    return {tag: one["imageDigest"] for one in found for tag in one.get("imageTags", [])}


def contexts(image: Stack) -> list[str]:
    """What lies in the build bucket."""
    listed = client("s3").list_objects_v2(Bucket=image.physical_id("BuildBucket"))
    return [one["Key"] for one in listed.get("Contents", [])]


def said(build: dict[str, Any]) -> list[str]:
    """What a build printed; nothing before it began."""
    logs = client("logs")
    place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
    with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
        return [one["message"] for one in logs.get_log_events(startFromHead=True, **place)["events"]]
    return []


def scheduled(patches: Stack) -> dict[str, Any]:
    """The build that the schedule starts, when it has ended."""
    [target] = client("events").list_targets_by_rule(Rule=patches.physical_id("PatchRule"))["Targets"]
    codebuild, project = client("codebuild"), target["Arn"].rsplit("/", 1)[1]
    started = codebuild.start_build(projectName=project, **json.loads(target["Input"]))["build"]

    def look() -> dict[str, Any] | None:
        build = codebuild.batch_get_builds(ids=[started["id"]])["builds"][0]
        return None if build["buildStatus"] == "IN_PROGRESS" else build

    return wait_until("the end of the scheduled build", look)
