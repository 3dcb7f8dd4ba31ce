"""ECR: an image that is missing is an error, some tags may change, and what is pushed is scanned."""

import json
from fnmatch import fnmatch
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecr
from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches
from local_aws.emulator.resources import Props

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_ecr_repo_apply_policies",),
    "ministack.services.ecr": (
        "_describe_images",
        "_find_image",
        "_images",
        "_put_image",
        "_repositories",
        "handle_request",
    ),
}


FINDINGS = {"LOW": 1}


def install() -> None:
    """Replace what the emulator answers too kindly, and add what the scan of a push found."""
    patches.replace(ecr.__name__, "_describe_images", _describe_images)
    patches.replace(ecr.__name__, "_put_image", _put_image)
    patches.replace(ecr.__name__, "handle_request", _with_findings)
    patches.replace(provisioners.__name__, "_ecr_repo_apply_policies", _keep_exclusions)


def _missing(name: str, image: Any) -> Any:
    text = f"The image with imageId {image} does not exist within the repository with name '{name}'"
    return error_response_json("ImageNotFoundException", text, 400)


def _describe_images(stock: Any) -> Any:
    """ECR refuses a request for images of which none is there; the emulator answers with an empty list."""

    def describe(data: dict[str, Any]) -> Any:
        answer = stock(data)
        wanted = data.get("imageIds")
        if wanted and answer[0] == 200 and not json.loads(answer[2])["imageDetails"]:
            return _missing(data.get("repositoryName", ""), wanted[0])
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


def _with_findings(stock: Any) -> Any:
    """DescribeImageScanFindings: an image is scanned in the moment in which it is pushed; what is found is always the same."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        if not headers.get("x-amz-target", "").endswith(".DescribeImageScanFindings"):
            return await stock(method, path, headers, body, query)
        asked = json.loads(body)
        name, image = asked.get("repositoryName", ""), asked.get("imageId", {})
        repository = ecr._repositories.get(name) or {}
        if name not in ecr._repositories or not ecr._find_image(name, image):
            return _missing(name, image)
        if not repository.get("imageScanningConfiguration", {}).get("scanOnPush"):
            text = f"Image scan does not exist for the image with '{image}' in the repository with name '{name}'"
            return error_response_json("ScanNotFoundException", text, 400)
        found = {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findingSeverityCounts": FINDINGS}}
        return json_response({"repositoryName": name, "imageId": image, **found})

    return handle
