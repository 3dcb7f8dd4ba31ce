"""What CloudFormation does around a resource that takes its time: waiting until somebody cancels, keeping what failed."""

import random
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners

from local_aws.emulator import custom_resources, operations
from local_aws.emulator.resources import Props

NAMES = {
    "ministack.services.cloudformation": ("_stacks",),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
}

POLL_SECONDS = 0.1


def suffix() -> str:
    """What CloudFormation appends to the names that it makes up."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=12))


def patiently(stack_name: str) -> Iterator[None]:
    """Go round until the caller has what it waits for; raise when the stack's operation is cancelled."""
    while True:
        yield
        stack = cloudformation._stacks.get(stack_name) or {}
        if operations.cancelled(stack.get("StackId", "")):
            raise custom_resources.ResourceFailed("Resource creation cancelled")
        if stack.get("_cancel_requested"):
            raise custom_resources.ResourceFailed("Resource update cancelled")
        time.sleep(POLL_SECONDS)


def keep_for_rollback(logical_id: str, resource_type: str, physical_id: str, props: Props, stack_name: str) -> None:
    """A resource that exists and whose creation failed all the same: the rollback deletes it."""
    custom_resources.record_failed_create(stack_name, logical_id, resource_type, physical_id, props)


def with_update(resource_type: str, update: Callable[[str, Props, Props, str, str], tuple[str, Any]]) -> None:
    """Give a type an update that may wait, and that may answer with another physical id."""

    def change(physical_id: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> Any:
        return update(physical_id, old, new, stack_name, logical_id or physical_id)

    provisioners._RESOURCE_HANDLERS[resource_type]["update"] = change
