"""ECS: a deployment takes a moment, tells EventBridge how it ended, and fails if its tasks cannot have their secrets.

Secrets are given to a task when it starts, read with the execution role: what the role may not read, or a key that the
secret lacks, keeps the task from starting, and a deployment of such tasks fails by the circuit breaker. Times are told
to the millisecond, for somebody may ask which tasks are older than a credential.
"""

import json
import threading
from datetime import datetime
from typing import Any

from ministack.core import responses
from ministack.services import ecs, eventbridge, secretsmanager

from local_aws.emulator import iam, patches

NAMES = {
    "ministack.services.ecs": (
        "_ACTION_MAP",
        "_complete_service_deployment",
        "_create_service",
        "_record_service_task_failure",
        "_refresh_service_state",
        "_services",
        "_task_defs",
        "_tasks",
        "_ts_to_epoch",
        "_update_service",
    ),
    "ministack.services.eventbridge": ("_dispatch_event",),
}

READ = "secretsmanager:GetSecretValue"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
EVENTS = {"IN_PROGRESS": "INFO", "COMPLETED": "INFO", "FAILED": "ERROR"}
ARN_PARTS = 7
STEADY_SECONDS = 0.5

_announced: dict[str, str] = {}
_lock = threading.Lock()


def install() -> None:
    """Look what has become of the deployments after whatever may change them."""
    module = ecs.__name__
    patches.replace(module, "_ts_to_epoch", lambda _: epoch)
    for name in ("_create_service", "_update_service", "_complete_service_deployment", "_record_service_task_failure"):
        stock = patches.replace(module, name, _telling)
        for action, handler in list(ecs._ACTION_MAP.items()):
            if handler is stock:
                ecs._ACTION_MAP[action] = getattr(ecs, name)


def epoch(value: Any) -> Any:
    """Seconds with their thousandths."""
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    except (AttributeError, ValueError):
        return value


# --- The course of a deployment ---------------------------------------------------------------------------------------


def is_steady(task: dict[str, Any]) -> bool:
    """Whether a task of a service has run long enough for a deployment to rest on it."""
    return task.get("_is_steady", False)


def settle(task: dict[str, Any]) -> None:
    """The task has run for `STEADY_SECONDS`: its deployment may be complete now."""
    task["_is_steady"] = True
    cluster, name = task["clusterArn"].rsplit("/", 1)[-1], task["group"].partition(":")[2]
    ecs._refresh_service_state(cluster, task["group"])
    ecs._complete_service_deployment(cluster, f"{cluster}/{name}", task.get("_deployment_id"))


# --- Events -----------------------------------------------------------------------------------------------------------


def _telling(stock: Any) -> Any:
    def run(*arguments: Any, **options: Any) -> Any:
        answer = stock(*arguments, **options)
        for service in list(ecs._services.values()):
            for deployment in list(service.get("deployments", [])):
                _tell(service, deployment)
            _forget(service)
        return answer

    return run


def _forget(service: dict[str, Any]) -> None:
    """Once ECS is back at rest, a failed deployment is told of by the service's messages alone."""
    deployments = service.get("deployments", [])
    if any(one["status"] == "PRIMARY" and one["rolloutState"] == "COMPLETED" for one in deployments):
        alive = {task.get("_deployment_id") for task in list(ecs._tasks.values()) if task["lastStatus"] != "STOPPED"}
        service["deployments"] = [
            one
            for one in deployments
            if one["status"] == "PRIMARY" or one["rolloutState"] != "FAILED" or one["id"] in alive
        ]


def _tell(service: dict[str, Any], deployment: dict[str, Any]) -> None:
    state = deployment.get("rolloutState", "")
    with _lock:
        if state not in EVENTS or _announced.get(deployment["id"]) == state:
            return
        _announced[deployment["id"]] = state
    detail = {
        "eventType": EVENTS[state],
        "eventName": f"SERVICE_DEPLOYMENT_{state}",
        "deploymentId": deployment["id"],
        "updatedAt": deployment["updatedAt"],
        "reason": deployment.get("rolloutStateReason", ""),
    }
    event = {
        "EventId": responses.new_uuid(),
        "Source": "aws.ecs",
        "DetailType": "ECS Deployment State Change",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": deployment["updatedAt"],
        "Resources": [service["serviceArn"]],
        "Account": responses.get_account_id(),
        "Region": responses.get_region(),
    }
    eventbridge._dispatch_event(event)


# --- Secrets ----------------------------------------------------------------------------------------------------------


def start_failure(task: dict[str, Any]) -> str:
    """Why the task cannot have its secrets; "" if it has them. What was found once stays: they are read once."""
    if "_start_failure" not in task:
        definition = ecs._task_defs.get(task["taskDefinitionArn"].rsplit("/", 1)[-1]) or {}
        task["_start_failure"] = missing_secret(definition)
    return task["_start_failure"]


def missing_secret(definition: dict[str, Any]) -> str:
    """What ECS says of the first secret that the definition's execution role cannot give to its containers."""
    role = definition.get("executionRoleArn", "")
    for container in definition.get("containerDefinitions", []):
        for secret in container.get("secrets") or []:
            if problem := _problem(role, secret["valueFrom"]):
                return f"ResourceInitializationError: unable to pull secrets or registry auth: {problem}"
    return ""


def _problem(role: str, place: str) -> str:
    arn, key = ":".join(place.split(":")[:ARN_PARTS]), (*place.split(":")[ARN_PARTS:], "")[0]
    if ":secretsmanager:" not in arn:
        return ""
    if not iam.role_allows(role, READ, arn):
        return f"AccessDeniedException: {role} may not {READ} on {arn}"
    text = secretsmanager.resolve_secret_string(arn)
    if text is None:
        return f"ResourceNotFoundException: Secrets Manager can't find the specified secret {arn}"
    if key and key not in json.loads(text):
        return f"retrieved secret from Secrets Manager did not contain json key {key}"
    return ""
