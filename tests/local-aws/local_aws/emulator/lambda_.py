"""Lambda: the environment of a function's process, its logs, and the destination of its failures."""

import json
import logging
import os
import threading
import time
from datetime import datetime, timezone
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch_logs, lambda_svc

from local_aws.emulator import iam, patches, servers
from local_aws.emulator.settings import SETTINGS

NAMES = {
    "ministack.services.cloudwatch_logs": (
        "_append_log_events",
        "_fanout_to_subscription_filters",
        "_log_groups",
        "_make_group_arn",
    ),
    "ministack.services.lambda_svc": (
        "_emit_lambda_logs",
        "_execute_function_dispatch",
        "_execution_record_for_config",
        "_functions",
        "_get_func_record_for_ref",
        "_provided_worker_env",
        "_route_async_failure",
        "_runtime_env_vars",
        "invoke_async_with_retry",
    ),
}

# What a function's process inherits from the machine; the rest of its environment is Lambda's and its own.
INHERITED = ("PATH", "LANG", "TZ", "LOCAL_AWS_INSTANCE")

log = logging.getLogger("local-aws.lambda")
_streams: dict[str, str] = {}
_streams_lock = threading.Lock()
_originals: dict[str, Any] = {}


def install() -> None:
    """Replace the pieces of the emulator's Lambda."""
    module = lambda_svc.__name__
    _originals["environment"] = patches.replace(module, "_provided_worker_env", lambda _: environment)
    _originals["dispatch"] = patches.replace(module, "_execute_function_dispatch", lambda _: dispatch)
    _originals["route"] = patches.replace(module, "_route_async_failure", lambda _: route_failure)
    patches.replace(module, "_emit_lambda_logs", lambda _: emit_logs)


def log_group(config: dict[str, Any]) -> str:
    """The group that the function's logging configuration names, else Lambda's default."""
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def log_stream(config: dict[str, Any]) -> str:
    """The stream of this function's environment: one for each function and version, where Lambda has one a process."""
    version = config.get("Version", "$LATEST")
    key = f"{config['FunctionArn']}/{version}/{config.get('LastModified', '')}"
    with _streams_lock:
        if key not in _streams:
            _streams[key] = f"{datetime.now(timezone.utc):%Y/%m/%d}/[{version}]{new_uuid().replace('-', '')}"
        return _streams[key]


def environment(config: dict[str, Any], code_dir: str, port: int) -> dict[str, str]:
    """The environment of a function's process: nothing of the emulator's own, its root key least of all."""
    stock = _originals["environment"](config, code_dir, port)
    kept = {
        name: value
        for name, value in stock.items()
        if name not in os.environ or name in INHERITED or value != os.environ[name]
    }
    logging_config = config.get("LoggingConfig") or {}
    own = lambda_svc._runtime_env_vars(config)
    return {
        **kept,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "TZ": ":UTC",
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": logging_config.get("LogFormat", "Text"),
        "AWS_LAMBDA_LOG_LEVEL": logging_config.get("ApplicationLogLevel", "INFO"),
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(config),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream(config),
        **own,
        "AWS_ENDPOINT_URL": SETTINGS.endpoint,
        **servers.database_environment(),
    }


def dispatch(
    func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
) -> dict[str, Any]:
    """Run one invocation; keep its request id, which the record for the failure destination names."""
    result = _originals["dispatch"](func, config, event, request_id, started)
    if isinstance(result, dict):
        result["request_id"] = request_id
    return result


def route_failure(target: str, function_name: str, event: Any, result: dict[str, Any]) -> None:
    """Invoke the failure destination, asynchronously too, with Lambda's record, if the function's own role allows it."""
    function = lambda_svc._functions.get(function_name) or {}
    if ":lambda:" not in target:
        _originals["route"](target, function_name, event, result)
        return
    role = function.get("config", {}).get("Role", "")
    if not iam.role_allows(role, "lambda:InvokeFunction", target):
        log.error("%s may not invoke its failure destination %s: %s allows it nowhere", function_name, target, role)
        return
    destination, config, _ = lambda_svc._get_func_record_for_ref(target)
    if destination is None or config is None:
        log.error("the failure destination %s of %s does not exist", target, function_name)
        return
    record = failure_record(function, event, result)
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(destination, config), record)


def failure_record(function: dict[str, Any], event: Any, result: dict[str, Any]) -> dict[str, Any]:
    """Lambda's record of an asynchronous invocation whose retries are exhausted."""
    config = function.get("config", {})
    settings = function.get("event_invoke_config") or (function.get("event_invoke_configs") or {}).get("$LATEST") or {}
    retries = settings.get("MaximumRetryAttempts")
    body = result.get("body")
    return {
        "version": "1.0",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": result.get("request_id", new_uuid()),
            "functionArn": f"{config.get('FunctionArn', '')}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1 + (2 if retries is None else int(retries)),
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": config.get("Version", "$LATEST"),
            "functionError": result.get("function_error") or "Unhandled",
        },
        "responsePayload": body if isinstance(body, dict) else {"errorMessage": str(body)},
    }


def emit_logs(
    func: dict[str, Any],
    request_id: str,
    text: str,
    error: bool,
    duration_ms: int,
    *,
    log_source: str | None = None,
) -> None:
    """Write one invocation's lines to the function's group and stream, as far as its role may do that."""
    config = func.get("config") or func
    group_name, stream_name = log_group(config), log_stream(config)
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group_name}"
    role = config.get("Role", "")
    if group_name not in cloudwatch_logs._log_groups and not _create_group(group_name, role, arn):
        return
    if not iam.role_allows(role, "logs:PutLogEvents", f"{arn}:log-stream:{stream_name}"):
        log.warning("%s allows no logs:PutLogEvents on %s: the lines are lost, as on AWS", role, arn)
        return
    streams = cloudwatch_logs._log_groups[group_name]["streams"]
    if stream_name not in streams:
        if not iam.role_allows(role, "logs:CreateLogStream", arn) and not iam.role_allows(
            role, "logs:CreateLogStream", f"{arn}:log-stream:{stream_name}"
        ):
            log.warning("%s allows no logs:CreateLogStream on %s: the lines are lost, as on AWS", role, arn)
            return
        streams[stream_name] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": int(time.time() * 1000),
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    now = int(time.time() * 1000)
    lines = [*_start(config, request_id), *text.splitlines(), *_end(config, request_id, error, duration_ms)]
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    cloudwatch_logs._append_log_events(streams[stream_name], events)
    cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, events)


def _create_group(name: str, role: str, arn: str) -> bool:
    if not iam.role_allows(role, "logs:CreateLogGroup", arn):
        log.warning("log group %s does not exist and %s may not create it: the lines are lost, as on AWS", name, role)
        return False
    cloudwatch_logs._log_groups[name] = {
        "arn": cloudwatch_logs._make_group_arn(name),
        "creationTime": int(time.time() * 1000),
        "retentionInDays": None,
        "tags": {},
        "subscriptionFilters": {},
        "streams": {},
    }
    return True


def _is_json(config: dict[str, Any]) -> bool:
    return (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON"


def _platform(kind: str, record: dict[str, Any]) -> str:
    return json.dumps(
        {"time": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"), "type": kind, "record": record}
    )


def _start(config: dict[str, Any], request_id: str) -> list[str]:
    version = config.get("Version", "$LATEST")
    if _is_json(config):
        return [_platform("platform.start", {"requestId": request_id, "version": version})]
    return [f"START RequestId: {request_id} Version: {version}"]


def _end(config: dict[str, Any], request_id: str, error: bool, duration_ms: int) -> list[str]:
    memory = config.get("MemorySize", 128)
    if _is_json(config):
        metrics = {"durationMs": duration_ms, "billedDurationMs": duration_ms, "memorySizeMB": memory}
        status = "error" if error else "success"
        return [_platform("platform.report", {"requestId": request_id, "status": status, "metrics": metrics})]
    times = f"Duration: {duration_ms} ms\tBilled Duration: {duration_ms} ms\tMemory Size: {memory} MB"
    return [f"END RequestId: {request_id}", f"REPORT RequestId: {request_id}\t{times}"]
