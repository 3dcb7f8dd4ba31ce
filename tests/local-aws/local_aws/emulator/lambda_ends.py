"""Lambda's words for a function's process that ended without an answer: its exit status, or the signal that ended it.

The stock emulator says only that it ended. A failure destination reads the difference: the kernel kills a process for
its memory, and whoever hears of that raises the function's memory rather than looks for a defect.
"""

import signal
from typing import Any

from ministack.core import lambda_runtime

NAMES = {"ministack.core.lambda_runtime": ("ProvidedWorker._teardown", "ProvidedWorker.invoke")}

STOCK = "Runtime exited before returning a response"

_originals: dict[str, Any] = {}


def install() -> None:
    """Replace what is said of a process that ended."""
    worker = lambda_runtime.ProvidedWorker
    _originals.update(teardown=worker._teardown, invoke=worker.invoke)
    worker._teardown = teardown
    worker.invoke = invoke


def teardown(worker: Any) -> None:
    """Keep how the process ended, which goes with it."""
    if worker._proc is not None:
        worker.ended = worker._proc.poll()
    _originals["teardown"](worker)


def invoke(worker: Any, event: Any, request_id: str, **context: Any) -> dict[str, Any]:
    """Run one invocation; say in Lambda's words how its process ended, if it did. A worker runs one at a time."""
    result = _originals["invoke"](worker, event, request_id, **context)
    if result.get("error") == STOCK:
        message = f"RequestId: {request_id} Error: {words(worker.ended)}"
        result["error"] = result["error_payload"]["errorMessage"] = message
    return result


def words(status: int | None) -> str:
    """`status` as `subprocess` has it: negative for a signal."""
    if not status:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
