"""The life of a stack, where the stock emulator departs from CloudFormation.

A delete cancels the create that it meets, and waits for it; a failed create's custom resource is rolled back with the
id that it reported; an update's clean-up follows the whole tree of nested stacks, not each stack's own update; a
rolled back custom resource is asked to go back before its new object is deleted; a stack that never came up refuses
updates.
"""

import asyncio
import logging
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers, stacks

from local_aws.emulator import custom_resources, operations, patches

NAMES = {
    "ministack.services.cloudformation": ("_stacks", "_stack_events"),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS", "_resolve_stack"),
    "ministack.services.cloudformation.helpers": ("_error", "_p"),
    "ministack.services.cloudformation.provisioners": ("_delete_resource", "_update_resource", "_provision_resource"),
    "ministack.services.cloudformation.stacks": (
        "_add_event",
        "_delete_stack_async",
        "_deploy_stack_async",
        "_failed_operation",
        "_roll_back_operation",
        "run_reentrant",
    ),
}

STACK = "AWS::CloudFormation::Stack"

log = logging.getLogger("local-aws.stacks")
_originals: dict[str, Any] = {}
loop: asyncio.AbstractEventLoop | None = None


def install() -> None:
    """Wrap the emulator's stack operations."""
    for name, wrapper in (
        ("_deploy_stack_async", deploy),
        ("_roll_back_operation", roll_back),
        ("_delete_stack_async", delete),
    ):
        _originals[name] = patches.replace(stacks.__name__, name, lambda _, wrapper=wrapper: wrapper)
    # Only the engine's own references: nested stacks and the handlers' predecessors keep the plain functions.
    _originals["_delete_resource"] = stacks._delete_resource
    _originals["_provision_resource"] = stacks._provision_resource
    stacks._delete_resource = _delete_or_defer
    stacks._provision_resource = _provision_unless_cancelled
    for action in ("CreateStack", "CreateChangeSet"):
        stock = handlers._ACTION_HANDLERS[action]
        handlers._ACTION_HANDLERS[action] = lambda params, stock=stock: _refuse_failed_stack(params) or stock(params)


def _refuse_failed_stack(params: dict[str, Any]) -> Any:
    """A stack whose creation was rolled back can only be deleted."""
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    if stack is None or stack.get("StackStatus") not in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        return None
    if helpers._p(params, "Action") == "CreateStack":
        return helpers._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
    return helpers._error(
        "ValidationError", f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."
    )


async def deploy(stack_name: str, stack_id: str, template: dict, params: dict, *args: Any, **options: Any) -> None:
    """Create or update a stack; an update of the root ends with the clean-up of the whole tree."""
    global loop
    loop = asyncio.get_running_loop()
    operation = operations.begin(stack_id)
    stack = cloudformation._stacks[stack_name]
    try:
        await _originals["_deploy_stack_async"](stack_name, stack_id, template, params, *args, **options)
        _use_cloudformations_reason(stack, stack_id)
        if stack["StackStatus"] != "UPDATE_COMPLETE":
            return
        if "ParentId" in stack:
            _remember_way_back(stack, template, params, options)
        else:
            await _clean_up(stack)
    finally:
        operations.end(stack_id, operation)


def _use_cloudformations_reason(stack: dict, stack_id: str) -> None:
    """A stack that stays failed says which resources failed, not why: the why stands in their own events."""
    reason = stack.get("StackStatusReason", "")
    if stack["StackStatus"] not in ("CREATE_FAILED", "UPDATE_FAILED") or not reason.startswith("Resource "):
        return
    verb = "create" if stack["StackStatus"] == "CREATE_FAILED" else "update"
    text = f"The following resource(s) failed to {verb}: [{reason.split()[1]}]. "
    stack["StackStatusReason"] = text
    last = cloudformation._stack_events[stack_id][-1]
    if last["ResourceStatusReason"] == reason:
        last["ResourceStatusReason"] = text


def _remember_way_back(stack: dict, template: dict, params: dict, options: dict) -> None:
    """A nested stack's update is final only when its root's is: keep what a later rollback needs."""
    previous = options.get("previous_stack") or {}
    stack["_way_back"] = stacks._failed_operation(
        True,
        previous,
        list(stack["_resources"]),
        None,
        None,
        [],
        False,
        template,
        params,
        options.get("retain_except_on_create", False),
        stack.get("Tags") or [],
        previous.get("Tags") or [],
    )


def children(stack: dict) -> list[dict]:
    """The nested stacks that are directly below this one."""
    return [child for child in cloudformation._stacks.values() if child.get("ParentId") == stack["StackId"]]


async def _clean_up(root: dict) -> None:
    """Delete, in the whole tree, what the update replaced or removed; only then is the update complete."""
    events = cloudformation._stack_events[root["StackId"]]
    if events[-1]["ResourceStatus"] == "UPDATE_COMPLETE":
        events.pop()
    for stack in _tree(root):
        stack.pop("_way_back", None)
        pending = stack.pop("_deferred_deletes", [])
        if pending or stack is root:
            _set_status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            stack["_pending"] = pending
    for stack in reversed(_tree(root)):
        if "_pending" not in stack:
            continue
        for resource_type, physical_id, props, logical_id in stack.pop("_pending"):
            await _delete_one(stack, resource_type, physical_id, props, logical_id)
        _set_status(stack, "UPDATE_COMPLETE")


def _tree(root: dict) -> list[dict]:
    """A stack and all below it, parents first."""
    return [root, *(below for child in children(root) for below in _tree(child))]


def _set_status(stack: dict, status: str) -> None:
    stack["StackStatus"] = status
    name, stack_id = stack["StackName"], stack["StackId"]
    stacks._add_event(stack_id, name, name, STACK, status, physical_id=stack_id)


async def _delete_one(stack: dict, resource_type: str, physical_id: str, props: dict, logical_id: str) -> None:
    """A failure is an event and nothing more: the update stands."""
    name, stack_id = stack["StackName"], stack["StackId"]
    stacks._add_event(stack_id, name, logical_id, resource_type, "DELETE_IN_PROGRESS", physical_id=physical_id)
    try:
        await stacks.run_reentrant(_originals["_delete_resource"], resource_type, physical_id, props, name, logical_id)
    except Exception as error:  # noqa: BLE001 - a handler may raise anything; it becomes the event's reason
        stacks._add_event(stack_id, name, logical_id, resource_type, "DELETE_FAILED", str(error), physical_id)
    else:
        stacks._add_event(stack_id, name, logical_id, resource_type, "DELETE_COMPLETE", physical_id=physical_id)


def _delete_or_defer(
    resource_type: str, physical_id: str, props: dict, stack_name: str | None = None, logical_id: str | None = None
) -> None:
    """An update deletes only in its clean-up phase, which a root's update postpones until its whole tree has updated."""
    stack = cloudformation._stacks.get(stack_name) if stack_name else None
    if stack is not None and stack["StackStatus"] == "UPDATE_IN_PROGRESS":
        stack.setdefault("_deferred_deletes", []).append((resource_type, physical_id, props, logical_id))
        return
    _originals["_delete_resource"](resource_type, physical_id, props, stack_name, logical_id)


def _provision_unless_cancelled(resource_type: str, logical_id: str, props: dict, stack_name: str) -> Any:
    stack = cloudformation._stacks.get(stack_name) or {}
    if operations.cancelled(stack.get("StackId", "")):
        raise custom_resources.ResourceFailed("Resource creation cancelled")
    return _originals["_provision_resource"](resource_type, logical_id, props, stack_name)


async def roll_back(stack_name: str, stack_id: str, stack: dict, operation: dict, reason_override: str = "") -> None:
    """Undo a failed operation. A create that a delete has cancelled is left to that delete."""
    if operations.cancelled(stack_id):
        return
    failed = operation.get("failed_logical_id")
    if failed and failed not in operation["created"] and _is_failed_create(stack, failed):
        operation["created"].append(failed)
    if not operation["is_update"] and failed and not reason_override:
        reason_override = f"The following resource(s) failed to create: [{failed}]. Rollback requested by user."
    stack.pop("_deferred_deletes", None)
    if operation["is_update"]:
        await _send_replaced_back(stack, operation)
    await _originals["_roll_back_operation"](stack_name, stack_id, stack, operation, reason_override)
    stack.pop("_way_back", None)


def _is_failed_create(stack: dict, logical_id: str) -> bool:
    return stack["_resources"].get(logical_id, {}).get("ResourceStatus") == "CREATE_FAILED"


def is_custom(resource_type: str) -> bool:
    """Whether a function of the user's stands behind this type."""
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


async def _send_replaced_back(stack: dict, operation: dict) -> None:
    """A custom resource whose id the update changed gets the old properties before its new object is deleted."""
    previous = (operation.get("previous_stack") or {}).get("_resources", {})
    for logical_id in reversed(operation["created"]):
        now, before = stack["_resources"].get(logical_id, {}), previous.get(logical_id)
        replaced = before is not None and before["PhysicalResourceId"] != now.get("PhysicalResourceId")
        if not replaced or not is_custom(now["ResourceType"]):
            continue
        try:
            before["PhysicalResourceId"], before["Attributes"] = await stacks.run_reentrant(
                custom_resources.invoke, "Update", logical_id, before["Properties"], stack["StackName"],
                stack["StackId"], now["ResourceType"], now["PhysicalResourceId"], now["Properties"],
            )  # fmt: skip
        except custom_resources.ResourceFailed as error:
            log.error("going back of %s failed: %s", logical_id, error)


async def delete(stack_name: str, stack_id: str, retain_resources: Any = (), force: bool = False) -> None:
    """Delete a stack, after the cancellation of the operation that is running on it."""
    stack = cloudformation._stacks.get(stack_name)
    if stack is None or stack["StackStatus"] == "DELETE_IN_PROGRESS":
        return
    await operations.cancel_and_wait(stack_id)
    await _originals["_delete_stack_async"](stack_name, stack_id, retain_resources, force=force)
