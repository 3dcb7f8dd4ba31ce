"""DescribeStackResource while the resource is on its way.

The stock emulator knows a resource only once it stands. CloudFormation shows CREATE_IN_PROGRESS from the first moment and
DELETE_IN_PROGRESS before a custom resource is sent its Delete: by that a Create learns that nobody wants it any more. Here
the stack's own events tell the same.
"""

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

NAMES = {
    "ministack.services.cloudformation": ("_stack_events",),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS", "_resolve_stack"),
    "ministack.services.cloudformation.helpers": ("_esc", "_p", "_xml"),
}

ACTION = "DescribeStackResource"


def install() -> None:
    """Answer from the events where there are any of the resource."""
    stock = handlers._ACTION_HANDLERS[ACTION]
    handlers._ACTION_HANDLERS[ACTION] = lambda params: describe(params) or stock(params)


def describe(params: dict[str, Any]) -> Any:
    """The resource as its last event has it; None if it has had none."""
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    logical_id = helpers._p(params, "LogicalResourceId")
    stack_id = stack["StackId"] if stack else helpers._p(params, "StackName")
    events = cloudformation._stack_events.get(stack_id, [])
    last = next((event for event in reversed(events) if event["LogicalResourceId"] == logical_id), None)
    if last is None:
        return None
    return helpers._xml(200, f"{ACTION}Response", _detail(last))


def _detail(event: dict[str, Any]) -> str:
    names = ("StackId", "StackName", "LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus")
    members = "".join(f"<{name}>{helpers._esc(str(event.get(name) or ''))}</{name}>" for name in names)
    updated = f"<LastUpdatedTimestamp>{event['Timestamp']}</LastUpdatedTimestamp>"
    return f"<{ACTION}Result><StackResourceDetail>{members}{updated}</StackResourceDetail></{ACTION}Result>"
