"""SNS: a topic reaches a function that lets it, by an asynchronous invocation as any other; else the message is lost.

The stock emulator invokes whatever function is subscribed, once.
"""

import json
import logging
from typing import Any

from ministack.services import sns

from local_aws.emulator import function_policies, lambda_, patches

NAMES = {
    "ministack.services.sns": ("_deliver_to_lambda",),
}

PRINCIPAL = "sns.amazonaws.com"

log = logging.getLogger("local-aws.sns")


def install() -> None:
    """Ask before a function is invoked; try again what failed, as its settings say."""
    patches.replace(sns.__name__, "_deliver_to_lambda", lambda _: deliver)


def deliver(function: str, envelope: str, topic: str, subscription: str, *_: Any) -> None:
    """Hand a notification over, alone in its event, as SNS does."""
    if not function_policies.lets_invoke(function, PRINCIPAL, topic):
        log.error("%s was not invoked by %s: its policy does not allow it to %s", function, topic, PRINCIPAL)
        return
    notification = {"EventVersion": "1.0", "EventSubscriptionArn": subscription, "EventSource": "aws:sns"}
    lambda_.invoke_later(function, {"Records": [{**notification, "Sns": json.loads(envelope)}]})
