"""Stack policies during an update: the stock emulator keeps them, and lets everything pass.

Judged when a resource is changed: `Update:Replace` where a property changes that always replaces the resource, else
`Update:Modify`. `Update:Delete` is not judged: what a template no longer has goes in the clean-up, when nothing fails any more.
"""

import functools
import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from local_aws.emulator import custom_resources

NAMES = {
    "ministack.services.cloudformation": ("_stacks",),
    "ministack.services.cloudformation.stacks": ("_property_recreation", "_update_resource"),
}


def install() -> None:
    """Stand before the engine's own reference; rollbacks, which no policy binds, pass."""
    stacks._update_resource = functools.partial(update, stacks._update_resource)


def update(
    stock: Callable[..., Any],
    resource_type: str,
    physical_id: str,
    old: dict[str, Any],
    new: dict[str, Any],
    stack_name: str,
    logical_id: str,
    *rest: Any,
) -> Any:
    """Change the resource, unless its stack's policy denies that."""
    stack = cloudformation._stacks.get(stack_name) or {}
    if stack.get("StackStatus") == "UPDATE_IN_PROGRESS" and old != new:
        reason = denial(stack.get("_stack_policy") or "", logical_id, resource_type, _action(resource_type, old, new))
        if reason:
            raise custom_resources.ResourceFailed(reason)
    return stock(resource_type, physical_id, old, new, stack_name, logical_id, *rest)


def _action(resource_type: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    changed = [name for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
    replaces = any(stacks._property_recreation(resource_type, name) == "Always" for name in changed)
    return "Update:Replace" if replaces else "Update:Modify"


def denial(policy: str, logical_id: str, resource_type: str, action: str) -> str:
    """Why a policy denies the action; blank if it does not."""
    if not policy:
        return ""
    resource = f"LogicalResourceId/{logical_id}"
    allowed = False
    for number, statement in enumerate(_list(json.loads(policy)["Statement"]), 1):
        if not _applies(statement, resource, resource_type, action):
            continue
        if statement["Effect"] == "Deny":
            return f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] for resource [{resource}]"
        allowed = True
    return (
        ""
        if allowed
        else f"Action not allowed by stack policy: no statement allows [{action}] for resource [{resource}]"
    )


def _applies(statement: dict[str, Any], resource: str, resource_type: str, action: str) -> bool:
    types = _list(statement.get("Condition", {}).get("StringEquals", {}).get("ResourceType", []))
    if types and resource_type not in types:
        return False
    if not any(fnmatchcase(action, one) for one in _list(statement["Action"])):
        return False
    if "NotResource" in statement:
        return not any(fnmatchcase(resource, one) for one in _list(statement["NotResource"]))
    return any(fnmatchcase(resource, one) for one in _list(statement["Resource"]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
