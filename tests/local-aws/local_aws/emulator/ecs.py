"""ECS: services that come to rest or fail as on AWS, and tasks of their own that end, without a container engine.

The emulator, which finds no engine, calls every task running, for ever; `ecs_tasks` says what becomes of them here.
"""

import json
import re
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs

from local_aws.emulator import cloudformation_waits, ecs_deployments, ecs_tasks, patches
from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.typed import parameters

NAMES = {
    "ministack.services.ecs": (
        "_ACTION_MAP",
        "_deployment_for_task",
        "_make_deployment",
        "_resolve_td_key",
        "_run_task",
        "_sanitize",
        "_task_defs",
        "_tasks",
    ),
}

BREAKER = (
    "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was "
    "triggered'.\" (HandlerErrorCode: GeneralServiceException)"
)
REPLACED_BY = ("Cluster", "LaunchType", "SchedulingStrategy", "ServiceName")


def install() -> None:
    """Replace how tasks run, and the types whose properties the emulator leaves out."""
    stock = patches.replace(ecs.__name__, "_run_task", _run_task)
    ecs._ACTION_MAP["RunTask"] = ecs._run_task
    assert ecs._run_task is not stock
    patches.replace(ecs.__name__, "_make_deployment", _make_deployment)
    patches.replace(ecs.__name__, "_deployment_for_task", _deployment_for_task)
    add("AWS::ECS::TaskDefinition", create_task_definition, delete_task_definition)
    add("AWS::ECS::Service", create_service, delete_service)
    cloudformation_waits.with_update("AWS::ECS::Service", update_service)
    add(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        associate,
        dissociate,
        lambda i, old, new: associate("", new, "")[1],
    )


# --- Tasks ------------------------------------------------------------------------------------------------------------


_tokens: dict[tuple[str, str], tuple[str, list[str]]] = {}
"""By cluster and client token: the request, and the tasks that it started."""


def _run_task(stock: Any) -> Any:
    def run(data: dict[str, Any]) -> Any:
        key = (data.get("cluster", "default"), data.get("clientToken", ""))
        text = json.dumps(data, sort_keys=True)
        if key in _tokens and key[1]:
            return _again(text, *_tokens[key])
        definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", "")))
        if definition and (reason := ecs_tasks.refusal(definition, data)):
            return json_response(
                {"tasks": [], "failures": [{"arn": definition["taskDefinitionArn"], "reason": reason}]}
            )
        answer = stock(data)
        # What the answer names, not whatever is new: the threads of services and schedules start tasks at the same moment.
        begun = [one["taskArn"] for one in json.loads(answer[2]).get("tasks", [])]
        if begun:
            _tokens[key] = (text, begun)
        for arn in begun:
            ecs_tasks.begin(arn, ecs._tasks[arn], data)
        return answer

    return run


def _again(text: str, first: str, arns: list[str]) -> Any:
    """A request whose token was used: the same tasks if it is the same request."""
    if text != first:
        return error_response_json(
            "ConflictException", "The clientToken was used with other parameters by the tasks " + ", ".join(arns), 400
        )
    return json_response({"tasks": [ecs._sanitize(ecs._tasks[arn]) for arn in arns], "failures": []})


def _deployment_for_task(stock: Any) -> Any:
    def find(service: dict[str, Any], task: dict[str, Any]) -> Any:
        """Asked of each task just before it is counted: one that will end is not what a deployment may rest on.

        A mark set after the task was started came too late where another thread counted in between.
        """
        ends = ecs_tasks.exit_code(task) is not None or ecs_deployments.start_failure(task)
        task["_startup_stable"] = not ends and ecs_deployments.is_steady(task)
        return stock(service, task)

    return find


def _make_deployment(stock: Any) -> Any:
    def make(*arguments: Any, **options: Any) -> dict[str, Any]:
        """A first deployment, too, is in progress until its tasks have started."""
        deployment = stock(*arguments, **options)
        if deployment["desiredCount"]:
            deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="ECS deployment in progress.")
        return deployment

    return make


# --- Task definitions -------------------------------------------------------------------------------------------------


def create_task_definition(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
    """A revision of the family; a change makes the next one, and the old one goes in the clean-up."""
    named = {"Family": re.sub(r"[^A-Za-z0-9_-]", "-", f"{stack_name}-{logical_id}"), **props}
    answer = aws("ecs").register_task_definition(**parameters("ecs", "RegisterTaskDefinition", named))
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def delete_task_definition(arn: str, _: Props) -> None:
    """The revision becomes inactive."""
    aws("ecs").deregister_task_definition(taskDefinition=arn)


# --- Services ---------------------------------------------------------------------------------------------------------


def create_service(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
    """A service; CloudFormation waits for its first deployment."""
    suffix = cloudformation_waits.suffix()
    named = {"ServiceName": f"{stack_name}-{logical_id}-{suffix}", **props}
    service = aws("ecs").create_service(**parameters("ecs", "CreateService", named))["service"]
    try:
        _await_deployment(service, stack_name)
    except Exception:
        cloudformation_waits.keep_for_rollback(
            logical_id, "AWS::ECS::Service", service["serviceArn"], props, stack_name
        )
        raise
    return service["serviceArn"], _service_attributes(service)


def _service_attributes(service: dict[str, Any]) -> Props:
    return {"ServiceArn": service["serviceArn"], "Name": service["serviceName"]}


def update_service(arn: str, old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, Props]:
    """Change it in place, and wait for the deployment that follows; another name or cluster is another service."""
    if any(old.get(name) != new.get(name) for name in REPLACED_BY):
        return create_service(logical_id, new, stack_name)
    members = aws("ecs").meta.service_model.operation_model("UpdateService").input_shape.members
    known = {name.lower() for name in members}
    changed = {name: value for name, value in new.items() if name.lower() in known and old.get(name) != value}
    # Only a new deployment brings these to the tasks.
    forced = {"ForceNewDeployment": True} if changed else {}
    request = {**changed, **forced, "Cluster": _cluster(arn), "Service": arn}
    service = aws("ecs").update_service(**parameters("ecs", "UpdateService", request))["service"]
    _await_deployment(service, stack_name)
    return arn, _service_attributes(service)


def _cluster(service_arn: str) -> str:
    return service_arn.split("/")[-2]


def _await_deployment(service: dict[str, Any], stack_name: str) -> None:
    """Until the deployment that was begun is complete; raise CloudFormation's words if it failed."""
    begun = next(one["id"] for one in service["deployments"] if one["status"] == "PRIMARY")
    arn = service["serviceArn"]
    for _ in cloudformation_waits.patiently(stack_name):
        now = aws("ecs").describe_services(cluster=_cluster(arn), services=[arn])["services"][0]
        state = next((one["rolloutState"] for one in now["deployments"] if one["id"] == begun), "FAILED")
        if state == "FAILED":
            raise RuntimeError(BREAKER)
        if state == "COMPLETED" and now["runningCount"] == now["desiredCount"]:
            return


def delete_service(arn: str, _: Props) -> None:
    """Stop its tasks, and then itself."""
    client = aws("ecs")
    if client.describe_services(cluster=_cluster(arn), services=[arn])["services"]:
        client.delete_service(cluster=_cluster(arn), service=arn, force=True)


# --- Capacity providers -----------------------------------------------------------------------------------------------


def associate(_: str, props: Props, __: str) -> tuple[str, Props]:
    """The cluster's providers and its default strategy; Ref is the cluster."""
    aws("ecs").put_cluster_capacity_providers(**parameters("ecs", "PutClusterCapacityProviders", props))
    return props["Cluster"], {}


def dissociate(cluster: str, _: Props) -> None:
    """The cluster is left without providers of its own."""
    aws("ecs").put_cluster_capacity_providers(cluster=cluster, capacityProviders=[], defaultCapacityProviderStrategy=[])
