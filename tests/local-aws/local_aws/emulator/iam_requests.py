"""IAM: what some requests are about, where the emulator judges by something else than AWS does.

ECS authorises RunTask by the task definition, what is done to a task or a service by that, lists by nothing, each with the
cluster as a condition; ElastiCache authorises what is done to a user by that user, CloudWatch Logs reading by the stream,
CodeBuild everything about a build by its project. AWS's service authorisation reference has all of it. And every request counts
as one over TLS, for which the loopback stands: policies of queues and topics refuse any other.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region

from local_aws.emulator import patches

NAMES = {
    "ministack.core.iam_actions": ("extract_resource_arn", "request_tag_context"),
    "ministack.core.iam_evaluator": ("_request_origin", "pin_request_origin"),
}


def install() -> None:
    """Complete which resource a request names, and the condition keys that come with it."""
    patches.replace(iam_actions.__name__, "extract_resource_arn", _resource)
    patches.replace(iam_actions.__name__, "request_tag_context", _keys)
    # What a service does by itself, on no request's behalf, has the default.
    patches.replace(
        iam_evaluator.__name__, "_request_origin", lambda _: ContextVar("origin", default=("127.0.0.1", True))
    )
    patches.replace(iam_evaluator.__name__, "pin_request_origin", lambda stock: lambda address, _: stock(address, True))


def _resource(stock: Any) -> Any:
    def extract(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *place: str) -> str:
        named = stock(service, method, path, headers, body, query, *place)
        action = (headers.get("x-amz-target") or "").rsplit(".", 1)[-1]
        if service == "ecs":
            return _of_ecs(action, _members(body), *place) or named
        if service == "codebuild":
            return _of_codebuild(_members(body), *place) or named
        if service == "elasticache" and (user := _single(query, "UserId")):
            region, account = place
            return f"arn:aws:elasticache:{region}:{account}:user:{user}"
        if service == "logs" and action == "GetLogEvents":
            return f"{named}:log-stream:{_members(body).get('logStreamName', '')}"
        return named

    return extract


def _single(query: Any, name: str) -> str:
    """A parameter of a query, which comes alone or in a list."""
    found = query.get(name, "")
    return str(found[0] if isinstance(found, list) else found)


def _of_ecs(action: str, members: dict[str, Any], region: str, account: str) -> str | None:
    prefix = f"arn:aws:ecs:{region}:{account}"
    if action == "RunTask":
        definition = str(members.get("taskDefinition", ""))
        return definition if definition.startswith("arn:") else f"{prefix}:task-definition/{definition}"
    if action in ("DescribeTasks", "StopTask"):
        task = str(members.get("task") or (members.get("tasks") or [""])[0])
        cluster = str(members.get("cluster", "default")).rsplit("/", 1)[-1]
        return task if task.startswith("arn:") else f"{prefix}:task/{cluster}/{task}"
    if action in ("DescribeServices", "UpdateService"):
        service = str(members.get("service") or (members.get("services") or [""])[0])
        cluster = str(members.get("cluster", "default")).rsplit("/", 1)[-1]
        return service if service.startswith("arn:") else f"{prefix}:service/{cluster}/{service}"
    if action in ("ListServices", "DescribeTaskDefinition"):
        return "*"
    if action == "ListTasks":
        return f"{prefix}:container-instance/*"
    return None


def _of_codebuild(members: dict[str, Any], region: str, account: str) -> str | None:
    build = str(members.get("id") or (members.get("ids") or [""])[0])
    return f"arn:aws:codebuild:{region}:{account}:project/{build.rsplit(':', 1)[0]}" if ":" in build else None


def _keys(stock: Any) -> Any:
    def context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        keys = stock(service, action, body, params)
        cluster = _members(body).get("cluster") if service == "ecs" else None
        return {**keys, "ecs:cluster": _cluster_arn(str(cluster))} if cluster else keys

    return context


def _cluster_arn(cluster: str) -> str:
    return cluster if cluster.startswith("arn:") else f"arn:aws:ecs:{get_region()}:{get_account_id()}:cluster/{cluster}"


def _members(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
