"""EventBridge Scheduler, and rules of EventBridge, whose target is an ECS cluster: the task is run, with the rights of the role.

What cannot be run goes to the dead-letter queue at once, where AWS tries again for as long as the retry policy says.
"""

import json
import logging
from typing import Any

from ministack.services import ecs, eventbridge
from ministack.services.cloudformation import provisioners

from local_aws.emulator import cloudformation_waits, iam, patches
from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.typed import parameters

NAMES = {
    "ministack.services.ecs": ("_resolve_td_key", "_run_task", "_task_defs"),
    "ministack.services.eventbridge": ("_invoke_target",),
    "ministack.services.cloudformation.provisioners": ("_physical_name",),
}

LONGEST_NAME = 64
PASSED_TO = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}

log = logging.getLogger("local-aws.scheduler")


class NotStarted(RuntimeError):
    """Why there is no task."""


def install() -> None:
    """Let ECS be a target; give schedules all their properties, in the API's spelling."""
    patches.replace(eventbridge.__name__, "_invoke_target", _invoke)
    add("AWS::Scheduler::Schedule", create_schedule, delete_schedule)
    cloudformation_waits.with_update("AWS::Scheduler::Schedule", update_schedule)


# --- Targets ----------------------------------------------------------------------------------------------------------


def _invoke(stock: Any) -> Any:
    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if ":ecs:" not in target.get("Arn", ""):
            stock(target, event, rule, view)
            return
        try:
            _run(target, rule)
        except (NotStarted, ValueError) as error:
            log.error("%s did not start its task: %s", rule.get("Arn") or rule.get("Name"), error)
            _bury(target, rule, str(error))

    return invoke


def _run(target: dict[str, Any], rule: dict[str, Any]) -> None:
    wanted = target.get("EcsParameters") or {}
    definition = ecs._task_defs.get(ecs._resolve_td_key(wanted.get("TaskDefinitionArn", "")))
    if definition is None:
        raise NotStarted(f"there is no task definition {wanted.get('TaskDefinitionArn')}")
    role = target.get("RoleArn", "")
    _require(role, "ecs:RunTask", definition["taskDefinitionArn"], {"ecs:cluster": target["Arn"]})
    for passed in filter(None, (definition.get("taskRoleArn"), definition.get("executionRoleArn"))):
        _require(role, "iam:PassRole", passed, PASSED_TO)
    others = {name: value for name, value in wanted.items() if name not in ("TaskCount", "TaskDefinitionArn")}
    request = {
        **others,
        "cluster": target["Arn"],
        "count": wanted.get("TaskCount") or 1,
        "overrides": json.loads(target.get("Input") or "{}"),
        "startedBy": f"chronos-schedule/{rule.get('Name', '')}"[:128],
        "taskDefinition": definition["taskDefinitionArn"],
    }
    status, _, body = ecs._run_task(parameters("ecs", "RunTask", request))
    if status >= 400:
        raise NotStarted(body.decode() if isinstance(body, bytes) else str(body))


def _require(role: str, action: str, resource: str, context: dict[str, str]) -> None:
    if not iam.role_allows(role, action, resource, context):
        raise NotStarted(f"AccessDeniedException: {role} allows no {action} on {resource}")


def _bury(target: dict[str, Any], rule: dict[str, Any], reason: str) -> None:
    queue, role = (target.get("DeadLetterConfig") or {}).get("Arn", ""), target.get("RoleArn", "")
    if not queue or not iam.role_allows(role, "sqs:SendMessage", queue):
        return
    client = aws("sqs")
    facts = {"ERROR_MESSAGE": reason, "SCHEDULE_ARN": rule.get("Arn", ""), "TARGET_ARN": target["Arn"]}
    client.send_message(
        QueueUrl=client.get_queue_url(QueueName=queue.rsplit(":", 1)[1])["QueueUrl"],
        MessageBody=target.get("Input") or "{}",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in facts.items() if value
        },
    )


# --- AWS::Scheduler::Schedule -----------------------------------------------------------------------------------------


def create_schedule(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
    """A schedule; Ref is its name."""
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=LONGEST_NAME)
    request = parameters("scheduler", "CreateSchedule", {**props, "Name": name})
    return name, {"Arn": aws("scheduler").create_schedule(**request)["ScheduleArn"]}


def update_schedule(name: str, old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, Props]:
    """Change it in place: what the template does not name goes back to its default, as in UpdateSchedule itself.

    Another name is another schedule.
    """
    if old.get("Name") != new.get("Name"):
        return create_schedule(logical_id, new, stack_name)
    request = parameters("scheduler", "UpdateSchedule", {**new, "Name": name})
    return name, {"Arn": aws("scheduler").update_schedule(**request)["ScheduleArn"]}


def delete_schedule(name: str, props: Props) -> None:
    """Delete it; its group's deletion may have done so."""
    client = aws("scheduler")
    try:
        client.delete_schedule(Name=name, GroupName=props.get("GroupName", "default"))
    except client.exceptions.ResourceNotFoundException:
        return
