"""SQS: messages go back from a dead-letter queue to where they came from, all at once."""

import base64
import json
import time
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

NAMES = {
    "ministack.services.sqs": ("_Err", "_HANDLERS", "_queue_by_arn", "_queues", "_queues_lock"),
}

_tasks: list[dict[str, Any]] = []


def install() -> None:
    """Add the operations; the JSON protocol, which every SDK speaks, needs nothing else."""
    sqs._HANDLERS["StartMessageMoveTask"] = start
    sqs._HANDLERS["ListMessageMoveTasks"] = started


def start(data: dict[str, Any], _: str) -> dict[str, Any]:
    """StartMessageMoveTask, to the queues that the messages come from, or to the one that is named."""
    source = data.get("SourceArn", "")
    queue = sqs._queue_by_arn(source)
    if queue is None:
        raise sqs._Err(
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn parameter doesn't exist.",
            404,
        )
    if not _is_dead_letter_queue(source):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.", 400)
    moved = 0
    with sqs._queues_lock:
        for message in list(queue["messages"]):
            target = sqs._queue_by_arn(data.get("DestinationArn") or message["sys"].get("DeadLetterQueueSourceArn", ""))
            if target is not None:
                queue["messages"].remove(message)
                target["messages"].append(
                    {**message, "receive_count": 0, "receipt_handle": None, "visible_at": time.time()}
                )
                moved += 1
    handle = base64.b64encode(json.dumps({"taskId": new_uuid(), "sourceArn": source}).encode()).decode()
    task = {"SourceArn": source, "Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": moved}
    _tasks.insert(0, {**task, "StartedTimestamp": int(time.time() * 1000)})
    return {"TaskHandle": handle}


def started(data: dict[str, Any], _: str) -> dict[str, Any]:
    """ListMessageMoveTasks, the newest first."""
    own = [one for one in _tasks if one["SourceArn"] == data.get("SourceArn")]
    return {"Results": own[: int(data.get("MaxResults", 1))]}


def _is_dead_letter_queue(arn: str) -> bool:
    policies = (one["attributes"].get("RedrivePolicy") or "{}" for one in sqs._queues.values())
    return any(json.loads(one).get("deadLetterTargetArn") == arn for one in policies)
