"""EventBridge: a rule reaches a function that lets it, by an asynchronous invocation as any other; else the event is lost.

The stock emulator invokes whatever function a rule names, once.
"""

import json
import logging
from typing import Any

from ministack.services import eventbridge

from local_aws.emulator import function_policies, lambda_, patches

NAMES = {
    "ministack.services.eventbridge": ("_dispatch_to_lambda", "_invoke_target"),
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
    """Hand an event over."""
    lambda_.invoke_later(arn, json.loads(payload))
