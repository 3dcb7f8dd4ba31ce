"""Lambda: the environment of a function's process, and the destination of its failures."""

import logging
import os
from datetime import datetime, timezone
from typing import Any

from ministack.core.responses import get_region, new_uuid
from ministack.services import lambda_svc

from local_aws.emulator import iam, patches, servers, smtp
from local_aws.emulator.lambda_logs import log_group, log_stream
from local_aws.emulator.settings import SETTINGS

NAMES = {
    "ministack.services.lambda_svc": (
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

# What a function's role must be allowed so that its failures reach a destination; by the service in the destination's ARN.
DELIVERING = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}

log = logging.getLogger("local-aws.lambda")
_originals: dict[str, Any] = {}


def install() -> None:
    """Replace the pieces of the emulator's Lambda."""
    module = lambda_svc.__name__
    _originals["environment"] = patches.replace(module, "_provided_worker_env", lambda _: environment)
    _originals["dispatch"] = patches.replace(module, "_execute_function_dispatch", lambda _: dispatch)
    _originals["route"] = patches.replace(module, "_route_async_failure", lambda _: route_failure)


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
        "SETTLE_SECONDS": "1",  # secrets that are rotated together are rotated within it
        **own,
        "AWS_ENDPOINT_URL": SETTINGS.endpoint,
        **servers.database_environment(),
        **servers.cache_environment(),
        **smtp.environment(),
        "POLICY_PROPAGATION_SECONDS": "1",  # a policy holds here from the moment in which it is there
    }


def dispatch(
    func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
) -> dict[str, Any]:
    """Run one invocation; keep its request id, which the record for the failure destination names."""
    result = _originals["dispatch"](func, config, event, request_id, started)
    if isinstance(result, dict):
        result["request_id"] = request_id
    return result


def invoke_later(arn: str, event: Any) -> None:
    """An event is in Lambda's queue of asynchronous invocations from now on."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function is None or config is None:
        log.error("there is no function %s: its event is lost", arn)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), event)


def route_failure(target: str, function_name: str, event: Any, result: dict[str, Any]) -> None:
    """Hand Lambda's record to the failure destination, if the function's own role allows it; to a function asynchronously."""
    function = lambda_svc._functions.get(function_name) or {}
    role, action = function.get("config", {}).get("Role", ""), DELIVERING[target.split(":")[2]]
    if not iam.role_allows(role, action, target):
        log.error(
            "%s may not call its failure destination %s: %s allows %s nowhere", function_name, target, role, action
        )
    elif ":lambda:" in target:
        invoke_later(target, failure_record(function, event, result))
    else:
        _originals["route"](target, function_name, event, result)


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
