"""AWS::CloudFormation::Stack through the full engine.

The stock emulator deploys a nested stack with a second, simpler engine: no change of a physical id is cleaned up, no
failure is rolled back, its deletes never fail. Here a nested stack is created, updated and deleted by the handlers that
serve the API, so that its events, transforms, validation and rollbacks are those of any stack.
"""

import asyncio
import functools
import html
import random
import re
import string
import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, provisioners, stacks

from local_aws.emulator import custom_resources, operations, patches, stack_engine

NAMES = {
    "ministack.services.cloudformation": ("_stacks", "_stack_events"),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS", "_create_stack", "_update_stack"),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS", "_tag_map"),
    "ministack.services.cloudformation.stacks": ("_add_event",),
}

POLL_SECONDS = 0.05
DESCRIBE = "DescribeStacks"
ANCESTORS = ("ParentId", "RootId")
NO_UPDATES = "No updates are to be performed."


class NestedStackFailed(RuntimeError):
    """The status reason of the nested stack's resource in its parent."""


def install() -> None:
    """Take the resource type over, let events name their resource as early as CloudFormation's do, and tell whose stack is whose."""
    patches.replace(stacks.__name__, "_add_event", _naming)
    handlers._ACTION_HANDLERS[DESCRIBE] = functools.partial(_describe, handlers._ACTION_HANDLERS[DESCRIBE])
    provisioners._RESOURCE_HANDLERS[stack_engine.STACK] = {
        "create": create,
        "update": update,
        "delete": delete,
    }


def _naming(stock: Any) -> Any:
    def add(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        if not physical_id and status.startswith("UPDATE_"):
            known = cloudformation._stacks.get(stack_name, {}).get("_resources", {}).get(logical_id, {})
            physical_id = known.get("PhysicalResourceId", "")
        stock(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)

    return add


def _describe(stock: Callable[[Any], Any], params: Any) -> tuple[int, Any, Any]:
    """The stock answer, with the parent and the root of each nested stack."""
    status, headers, body = stock(params)

    def ancestors(found: re.Match[str]) -> str:
        stack = _by_id(html.unescape(found.group(1))) or {}
        return found.group() + "".join(
            f"<{name}>{html.escape(stack[name])}</{name}>" for name in ANCESTORS if name in stack
        )

    return status, headers, re.sub("<StackId>(.*?)</StackId>", ancestors, _text(body))


def _on_loop(function: Callable[[Any], Any], params: dict[str, Any]) -> tuple[int, Any, bytes]:
    """Call a handler where handlers run: on the event loop, in this operation's account and region."""

    async def call() -> Any:
        return function({key: [value] for key, value in params.items()})

    assert stack_engine.loop is not None, "a nested stack is only ever deployed by a stack that is deployed"
    return asyncio.run_coroutine_threadsafe(call(), stack_engine.loop).result()


def _request(function: Callable[[Any], Any], params: dict[str, Any]) -> str:
    """The answer's body; raise `NestedStackFailed` with the message of an error."""
    status, _, body = _on_loop(function, params)
    text = _text(body)
    if status >= 400:
        message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        raise NestedStackFailed(html.unescape(message.group(1)) if message else text)
    return text


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode()


def _by_id(stack_id: str) -> dict[str, Any] | None:
    return next((stack for stack in cloudformation._stacks.values() if stack["StackId"] == stack_id), None)


def _settings(props: dict[str, Any], parent: dict[str, Any]) -> dict[str, str]:
    """The request's parameters, which take capabilities from the parent and tags from both."""
    values = {"TemplateURL": props.get("TemplateURL", "")}
    for number, (key, value) in enumerate((props.get("Parameters") or {}).items(), 1):
        joined = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        values[f"Parameters.member.{number}.ParameterKey"] = key
        values[f"Parameters.member.{number}.ParameterValue"] = joined
    for number, capability in enumerate(parent.get("Capabilities", []), 1):
        values[f"Capabilities.member.{number}"] = capability
    tags = {key: value for key, value in provisioners._tag_map(props.get("Tags")).items() if not key.startswith("aws:")}
    for number, (key, value) in enumerate(tags.items(), 1):
        values[f"Tags.member.{number}.Key"] = key
        values[f"Tags.member.{number}.Value"] = str(value)
    return values


def _wait(stack_id: str, parent_id: str = "") -> dict[str, Any]:
    """Wait for the end of the nested stack's operation; a cancellation of the parent's reaches it."""
    while True:
        stack = _by_id(stack_id)
        assert stack is not None, f"{stack_id} vanished while its parent waited for it"
        if operations.running(stack_id) is None and not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        running = operations.running(stack_id)
        if running is not None and parent_id and operations.cancelled(parent_id):
            running.cancelled.set()
            running.finished.wait()
            raise NestedStackFailed("Resource creation cancelled")
        time.sleep(POLL_SECONDS)


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in stack.get("Outputs", [])}


def _create_below(parent: dict[str, Any], params: dict[str, Any]) -> tuple[int, Any, Any]:
    """The stock handler, after which the stack knows its ancestors before its work begins: its own nested stacks ask for them."""
    status, headers, body = handlers._create_stack(params)
    if status < 400:
        stack = _by_id(_created_id(body))
        stack["ParentId"], stack["RootId"] = parent["StackId"], parent.get("RootId", parent["StackId"])
    return status, headers, body


def _created_id(body: str | bytes) -> str:
    return re.search(r"<StackId>(.*?)</StackId>", _text(body)).group(1)


def create(logical_id: str, props: dict[str, Any], parent_name: str) -> tuple[str, dict[str, str]]:
    """Create the nested stack. It stays as it failed, for its parent's rollback deletes it."""
    parent = cloudformation._stacks[parent_name]
    suffix = "".join(random.choices(string.ascii_uppercase + string.digits, k=12))
    name = f"{parent_name}-{logical_id}-{suffix}"[-128:]
    settings = {"StackName": name, "DisableRollback": "true", **_settings(props, parent)}
    stack_id = _created_id(_request(functools.partial(_create_below, parent), settings))
    # From here on a follower of the parent's events finds the nested stack's own.
    initiated = (stack_engine.STACK, "CREATE_IN_PROGRESS", "Resource creation Initiated", stack_id)
    stacks._add_event(parent["StackId"], parent_name, logical_id, *initiated)
    try:
        stack = _wait(stack_id, parent["StackId"])
        if stack["StackStatus"] != "CREATE_COMPLETE":
            reason = stack.get("StackStatusReason", "")
            raise NestedStackFailed(f"Embedded stack {stack_id} was not successfully created: {reason}")
    except NestedStackFailed:
        custom_resources.record_failed_create(parent_name, logical_id, stack_engine.STACK, stack_id, props)
        raise
    return stack_id, _outputs(stack)


def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], parent_name: str) -> tuple[str, dict[str, str]]:
    """Update the nested stack, or take it back to where it was when its parent is rolling back."""
    parent, stack = cloudformation._stacks[parent_name], _by_id(physical_id)
    assert stack is not None, f"{physical_id} is gone: a nested stack was deleted behind its parent"
    if parent["StackStatus"].startswith("UPDATE_ROLLBACK"):
        _take_back(stack)
        return physical_id, _outputs(stack)
    try:
        _request(handlers._update_stack, {"StackName": physical_id, **_settings(new, parent)})
    except NestedStackFailed as error:
        if str(error) != NO_UPDATES:
            raise
        return physical_id, _outputs(stack)
    stack = _wait(physical_id)
    if stack["StackStatus"] != "UPDATE_COMPLETE":
        raise NestedStackFailed(
            f"Embedded stack {physical_id} was not successfully updated. Currently in {stack['StackStatus']} "
            f"with reason: {_rollback_reason(stack)}"
        )
    return physical_id, _outputs(stack)


def _rollback_reason(stack: dict[str, Any]) -> str:
    events = cloudformation._stack_events[stack["StackId"]]
    for event in reversed(events):
        if event["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS" and event["ResourceType"] == stack_engine.STACK:
            return event["ResourceStatusReason"]
    return stack.get("StackStatusReason", "")


def _take_back(stack: dict[str, Any]) -> None:
    """Undo the update that this nested stack completed. One that failed has rolled itself back already, or could not."""
    way_back = stack.pop("_way_back", None)
    if way_back is not None:
        undo = stack_engine.roll_back(
            stack["StackName"], stack["StackId"], stack, way_back, "Parent stack is rolling back."
        )
        asyncio.run_coroutine_threadsafe(undo, stack_engine.loop).result()
    if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        raise NestedStackFailed(f"Embedded stack {stack['StackId']} was not successfully rolled back")


def delete(physical_id: str, _: dict[str, Any]) -> None:
    """Delete the nested stack with all that it holds."""
    stack = _by_id(physical_id)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return
    deletion = stack_engine.delete(stack["StackName"], physical_id)
    asyncio.run_coroutine_threadsafe(deletion, stack_engine.loop).result()
    while stack["StackStatus"] == "DELETE_IN_PROGRESS":
        time.sleep(POLL_SECONDS)
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise NestedStackFailed(
            f"Embedded stack {physical_id} was not successfully deleted: {stack.get('StackStatusReason', '')}"
        )
