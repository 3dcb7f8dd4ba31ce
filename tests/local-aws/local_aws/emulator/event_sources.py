"""Lambda: queues as event sources. What Lambda refuses, how it gathers batches, and what it makes of the answers.

The stock emulator takes ten messages at most and at once, does not look at the role, and forgets messages that an answer
means but does not name rightly.
"""

import json
import time
from typing import Any

from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from local_aws.emulator import iam, patches
from local_aws.emulator.lambda_checks import Refused
from local_aws.emulator.resources import Props, flag

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
    "ministack.services.lambda_svc": (
        "_ESM_BACKOFF_SECONDS",
        "_esm_backoff_until",
        "_esms",
        "_execute_function",
        "_get_func_record_for_ref",
        "_run_sqs_batch",
    ),
    "ministack.services.sqs": (
        "_collect_msgs",
        "_delete_messages_for_esm",
        "_dlq_sweep",
        "_expire_retained",
        "_get_q",
        "_queue_by_arn",
        "_queues_lock",
        "_receive_messages_for_esm",
    ),
}

MAPPING = "AWS::Lambda::EventSourceMapping"
PARTIAL = "ReportBatchItemFailures"
NEEDED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
ADVICE = "Invalid request provided:"

Message = dict[str, Any]


def install() -> None:
    """Put the checks before the handlers; take over what is read from a queue and deleted there."""
    handlers = provisioners._RESOURCE_HANDLERS[MAPPING]
    provisioners._RESOURCE_HANDLERS[MAPPING] = {
        **handlers,
        "create": _checked(handlers["create"]),
        "update": _checked(handlers["update"]),
    }
    patches.replace(sqs.__name__, "_receive_messages_for_esm", lambda _: receive)
    patches.replace(lambda_svc.__name__, "_run_sqs_batch", lambda _: run_batch)


# --- What Lambda refuses ----------------------------------------------------------------------------------------------


def _checked(stock: Any) -> Any:
    def handle(*arguments: Any) -> Any:
        # create(logical id, properties, ...) and update(physical id, old properties, new properties, ...)
        last = max(place for place, one in enumerate(arguments) if isinstance(one, dict))
        props = typed(arguments[last])
        if ":sqs:" in props.get("EventSourceArn", ""):
            check(props)
        return stock(*arguments[:last], props, *arguments[last + 1 :])

    return handle


def typed(props: Props) -> Props:
    """The properties with numbers and booleans, which a template may carry as texts."""
    numbers = {name: int(props[name]) for name in ("BatchSize", "MaximumBatchingWindowInSeconds") if name in props}
    scaling = {name: int(value) for name, value in (props.get("ScalingConfig") or {}).items()}
    found = {**props, **numbers, "Enabled": flag(props.get("Enabled", True))}
    return {**found, "ScalingConfig": scaling} if scaling else found


def check(props: Props) -> None:
    """The role may read the queue, which hides a message for as long as the function may take."""
    if props.get("BatchSize", 10) > 10 and not props.get("MaximumBatchingWindowInSeconds"):
        raise Refused(
            f"{ADVICE} Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    _, config, _ = lambda_svc._get_func_record_for_ref(props.get("FunctionName", ""))
    queue = sqs._queue_by_arn(props["EventSourceArn"])
    if queue is None or config is None:
        raise Refused(f"{ADVICE} the queue or the function does not exist")
    for action in NEEDED:
        if not iam.role_allows(config.get("Role", ""), action, props["EventSourceArn"]):
            call = action.removeprefix("sqs:")
            raise Refused(f"{ADVICE} The function execution role does not have permissions to call {call} on SQS")
    hidden, timeout = int(queue["attributes"].get("VisibilityTimeout", "30")), int(config.get("Timeout", 3))
    if hidden < timeout:
        raise Refused(
            f"{ADVICE} Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
        )


# --- Batches ----------------------------------------------------------------------------------------------------------


def receive(queue_url: str, most: int) -> list[Message]:
    """The messages of the next batch: none while the window is open and the batch not full."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        now, attributes = time.time(), queue["attributes"]
        waiting = [one["visible_at"] for one in queue["messages"] if one["visible_at"] <= now]
        if len(waiting) < int(most) and waiting and now - min(waiting) < _window(attributes.get("QueueArn", "")):
            return []
        return sqs._collect_msgs(queue, int(most), int(attributes.get("VisibilityTimeout", "30")))


def _window(queue_arn: str) -> int:
    mappings = (one for one in lambda_svc._esms.values() if one.get("EventSourceArn") == queue_arn)
    return max((int(one.get("MaximumBatchingWindowInSeconds") or 0) for one in mappings), default=0)


def run_batch(
    mapping: Props, function: Props, event: Any, batch: list[Message], queue_url: str, queue_name: str
) -> None:
    """Invoke the function; delete what succeeded, and leave the rest hidden until its time has come."""
    result = lambda_svc._execute_function(function, event)
    failed = {one["id"] for one in batch}
    if result.get("error"):
        lambda_svc._esm_backoff_until[mapping["UUID"]] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
    elif PARTIAL in mapping.get("FunctionResponseTypes", []):
        failed = failures(result.get("body"), failed)
    else:
        failed = set()
    done = {one["receipt_handle"] for one in batch if one["id"] not in failed}
    sqs._delete_messages_for_esm(queue_url, done)
    mapping["LastProcessingResult"] = f"{len(done)} of {len(batch)} messages of {queue_name} were processed"


def failures(answer: Any, batch: set[str]) -> set[str]:
    """Which messages an answer says have failed: all of them where it says so in a form that Lambda does not know.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if isinstance(answer, str | bytes):
        try:
            answer = json.loads(answer or "null")
        except ValueError:
            return batch
    if answer is None or (isinstance(answer, dict) and not answer.get("batchItemFailures")):
        return set()
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not isinstance(named, list):
        return batch
    found = {one.get("itemIdentifier") if isinstance(one, dict) else None for one in named}
    return found if found <= batch else batch
