"""Which stack operations are running, so that a delete can cancel the create that it arrives beside."""

import asyncio
import threading
from dataclasses import dataclass, field


@dataclass
class Operation:
    """One create or update of one stack."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)


_running: dict[str, Operation] = {}


def begin(stack_id: str) -> Operation:
    """Register the operation that starts on this stack."""
    operation = Operation()
    _running[stack_id] = operation
    return operation


def end(stack_id: str, operation: Operation) -> None:
    """The operation is over, however it ended."""
    if _running.get(stack_id) is operation:
        del _running[stack_id]
    operation.finished.set()


def running(stack_id: str) -> Operation | None:
    """The operation that is in progress on this stack."""
    return _running.get(stack_id)


def cancelled(stack_id: str) -> bool:
    """Whether the operation that is in progress on this stack was told to stop."""
    operation = _running.get(stack_id)
    return operation is not None and operation.cancelled.is_set()


async def cancel_and_wait(stack_id: str) -> None:
    """Stop the operation on this stack, if there is one, and wait until it has let go of the stack."""
    operation = _running.get(stack_id)
    if operation is None:
        return
    operation.cancelled.set()
    while not operation.finished.is_set():
        await asyncio.sleep(0.05)
