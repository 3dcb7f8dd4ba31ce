"""Custom resources as CloudFormation calls them: asynchronously, answered by a PUT to a presigned URL.

The stock emulator invokes the function synchronously and ignores how it ends, so that neither the event-invoke
configuration nor the failure destination is ever consulted. Here the event goes through Lambda's asynchronous path;
CloudFormation waits for the answer, for the service timeout, or for the cancellation of the operation.
"""

import hashlib
import json
import logging
import random
import re
import string
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from ministack.core.responses import get_region, new_uuid, now_iso
from ministack.services import cloudformation, lambda_svc
from ministack.services.cloudformation import custom_resource

from local_aws.emulator import operations, patches
from local_aws.emulator.settings import SETTINGS

NAMES = {
    "ministack.app": ("_handle_post_body_shortcuts",),
    "ministack.services.cloudformation": ("_stacks",),
    "ministack.services.cloudformation.custom_resource": ("invoke_custom_resource", "_normalise_resource_properties"),
    "ministack.services.lambda_svc": (
        "_get_func_record_for_ref",
        "_execution_record_for_config",
        "invoke_async_with_retry",
    ),
}

PATH = "/_ministack/cfn-response/"
LARGEST_RESPONSE = 4096
LONGEST_SERVICE_TIMEOUT = 3600
CANCELLATION_POLL_SECONDS = 0.05

log = logging.getLogger("local-aws.custom-resources")


class ResourceFailed(RuntimeError):
    """The resource's status reason, in CloudFormation's words."""


@dataclass
class Expected:
    """An answer that CloudFormation waits for."""

    event: dict[str, Any]
    signature: str
    answered: threading.Event = field(default_factory=threading.Event)
    response: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


_expected: dict[str, Expected] = {}


def install() -> None:
    """Replace the emulator's synchronous invocation and its answering endpoint."""
    patches.replace("ministack.services.cloudformation.custom_resource", "invoke_custom_resource", lambda _: invoke)
    patches.replace("ministack.app", "_handle_post_body_shortcuts", _intercept)


def invented_id(stack_name: str, logical_id: str) -> str:
    """The physical id that CloudFormation gives a resource which never told its own."""
    return f"{stack_name}-{logical_id}-{''.join(random.choices(string.ascii_uppercase + string.digits, k=12))}"


def invoke(
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_name: str,
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: dict[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Send one request to the resource's function and wait for its answer: the physical id and the attributes."""
    event = _event(request_type, logical_id, props, stack_id, resource_type, physical_id, old_props)
    expected = _expect(event)
    if request_type == "Create" and operations.cancelled(stack_id):
        raise ResourceFailed("Resource creation cancelled")
    try:
        _invoke_function(props.get("ServiceToken", ""), event)
        _await_answer(expected, stack_name, stack_id, _service_timeout(props))
        return _accepted(expected, physical_id)
    except ResourceFailed:
        if request_type == "Create":
            reported = expected.response.get("PhysicalResourceId") or invented_id(stack_name, logical_id)
            record_failed_create(stack_name, logical_id, resource_type, reported, props)
        raise


def record_failed_create(stack_name: str, logical_id: str, resource_type: str, physical_id: str, props: Any) -> None:
    """Keep a resource whose creation failed in its stack, so that the rollback or the delete reaches it."""
    stack = cloudformation._stacks.get(stack_name)
    if stack is not None:
        stack["_resources"][logical_id] = {
            "PhysicalResourceId": physical_id,
            "ResourceType": resource_type,
            "ResourceStatus": "CREATE_FAILED",
            "LogicalResourceId": logical_id,
            "Properties": props,
            "Attributes": {},
            "Timestamp": now_iso(),
        }


def _event(
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_id: str,
    resource_type: str,
    physical_id: str | None,
    old_props: dict[str, Any] | None,
) -> dict[str, Any]:
    event = {
        "RequestType": request_type,
        "ServiceToken": props.get("ServiceToken", ""),
        "StackId": stack_id,
        "RequestId": new_uuid(),
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "ResourceProperties": custom_resource._normalise_resource_properties(props),
    }
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    if old_props is not None:
        event["OldResourceProperties"] = custom_resource._normalise_resource_properties(old_props)
    return event


def _expect(event: dict[str, Any]) -> Expected:
    """Presign a URL for the answer: what follows the `?` is a credential that belongs in no log."""
    token = new_uuid()
    signature = hashlib.sha256(f"{SETTINGS.root_secret_key}/{token}".encode()).hexdigest()
    now = datetime.now(timezone.utc)
    credential = f"ASIA{signature[:16].upper()}/{now:%Y%m%d}/{get_region()}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Expires": "7200",
        "X-Amz-Credential": credential,
        "X-Amz-Signature": signature,
    }
    event["ResponseURL"] = f"{SETTINGS.endpoint}{PATH}{token}?{urlencode(query)}"
    _expected[token] = Expected(event, signature)
    return _expected[token]


def _invoke_function(service_token: str, event: dict[str, Any]) -> None:
    record, config, _ = lambda_svc._get_func_record_for_ref(service_token)
    if record is None or config is None:
        raise ResourceFailed(f"Invalid Function name or ARN in the ServiceToken: {service_token}")
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(record, config), event)


def _service_timeout(props: dict[str, Any]) -> int:
    try:
        seconds = int(props.get("ServiceTimeout", LONGEST_SERVICE_TIMEOUT))
    except (TypeError, ValueError):
        raise ResourceFailed(f"ServiceTimeout is not a number of seconds: {props['ServiceTimeout']!r}") from None
    if not 1 <= seconds <= LONGEST_SERVICE_TIMEOUT:
        raise ResourceFailed(f"ServiceTimeout must lie between 1 and {LONGEST_SERVICE_TIMEOUT}, not {seconds}")
    return seconds


def _await_answer(expected: Expected, stack_name: str, stack_id: str, timeout: int) -> None:
    deadline = time.monotonic() + timeout
    while not expected.answered.wait(CANCELLATION_POLL_SECONDS):
        if expected.event["RequestType"] == "Create" and operations.cancelled(stack_id):
            raise ResourceFailed("Resource creation cancelled")
        stack = cloudformation._stacks.get(stack_name) or {}
        if expected.event["RequestType"] != "Delete" and stack.get("_cancel_requested"):
            raise ResourceFailed("Resource update cancelled")
        if time.monotonic() > deadline:
            raise ResourceFailed(
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                f"requestId [{expected.event['RequestId']}]. If you are using the Python cfn-response module, you may "
                "need to update your Lambda function code so that CloudFormation can attach the updated version."
            )


def _accepted(expected: Expected, physical_id: str | None) -> tuple[str, dict[str, Any]]:
    if expected.problem:
        raise ResourceFailed(expected.problem)
    response = expected.response
    if response["Status"] == "FAILED":
        raise ResourceFailed(
            "Received response status [FAILED] from custom resource. Message returned: "
            f"{response.get('Reason', '')} (RequestId: {expected.event['RequestId']})"
        )
    return response["PhysicalResourceId"], response.get("Data") or {}


def _intercept(original: Any) -> Any:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request: str
    ) -> Any:
        if method == "PUT" and path.startswith(PATH):
            return receive(path.removeprefix(PATH), headers, body, query)
        return await original(method, path, headers, body, query, request)

    return handle


def receive(
    token: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> tuple[int, dict[str, str], bytes]:
    """Take one PUT as S3 takes it: the signature is checked, the first answer counts, a late one is stored unread."""
    expected = _expected.get(token)
    signature = query.get("X-Amz-Signature", [""])
    signature = signature[0] if isinstance(signature, list) else signature
    if expected is None or signature != expected.signature or headers.get("content-type"):
        return 403, {"Content-Type": "application/xml"}, _SIGNATURE_DOES_NOT_MATCH
    if not expected.answered.is_set():
        expected.response, expected.problem = _judge(body, expected.event)
        expected.answered.set()
    return 200, {}, b""


_SIGNATURE_DOES_NOT_MATCH = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature '
    b"we calculated does not match the signature you provided. Check your key and signing method.</Message></Error>"
)


def _judge(body: bytes, event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The response, and what CloudFormation objects to in it ("" if nothing)."""
    if len(body) > LARGEST_RESPONSE:
        return {}, "Response object is too long."
    try:
        response = json.loads(body)
    except ValueError:
        return {}, "Response is not valid JSON"
    if not isinstance(response, dict) or response.get("Status") not in ("SUCCESS", "FAILED"):
        return {}, "Invalid Response object: Value of property Status must be SUCCESS or FAILED"
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if response.get(name) != event[name]:
            return {}, f"Invalid Response object: Value of property {name} must be that of the request"
    if not re.fullmatch(r"(?s).{1,1024}", str(response.get("PhysicalResourceId") or "")):
        return response, "Invalid PhysicalResourceId"
    if response["Status"] == "FAILED" and not response.get("Reason"):
        return response, "Invalid Response object: Value of property Reason must be given for a failure"
    return response, ""
