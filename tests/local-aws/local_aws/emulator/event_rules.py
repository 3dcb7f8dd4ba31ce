"""EventBridge: a rule reaches a function that lets it, by an asynchronous invocation as any other; else the event is lost.

The stock emulator invokes whatever function a rule names, once.
"""

import json
import logging
from typing import Any

from ministack.services import eventbridge, lambda_svc

from local_aws.emulator import function_policies, patches

NAMES = {
    "ministack.services.eventbridge": ("_dispatch_to_lambda", "_invoke_target"),
    "ministack.services.lambda_svc": (
        "_execution_record_for_config",
        "_get_func_record_for_ref",
        "invoke_async_with_retry",
    ),
}

PRINCIPAL = "events.amazonaws.com"

log = logging.getLogger("local-aws.events")


def install() -> None:
    """Ask before a function is invoked; try again what failed, as its settings say."""
    patches.replace(eventbridge.__name__, "_invoke_target", _invoke)
    patches.replace(eventbridge.__name__, "_dispatch_to_lambda", lambda _: dispatch)


def _invoke(stock: Any) -> Any:
    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        function, source = target.get("Arn", ""), rule.get("Arn", "")
        if ":lambda:" in function and not function_policies.lets_invoke(function, PRINCIPAL, source):
            log.error("%s was not invoked by %s: its policy does not allow it to %s", function, source, PRINCIPAL)
            return
        stock(target, event, rule, view)

    return invoke


def dispatch(arn: str, payload: str) -> None:
    """An event of EventBridge is in Lambda's queue of asynchronous invocations from now on."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function is None or config is None:
        log.error("there is no function %s", arn)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(payload))
