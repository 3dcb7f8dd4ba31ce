"""Lambda's logs: all that a function's process printed, in the group and stream that its configuration names."""

import contextlib
import json
import logging
import queue
import select
import threading
import time
from datetime import datetime, timezone
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch_logs, lambda_svc

from local_aws.emulator import iam, patches

NAMES = {
    "ministack.core.lambda_runtime": (
        "ProvidedWorker._drain_stderr",
        "ProvidedWorker._drain_stderr_bounded",
        "ProvidedWorker._pump_output",
    ),
    "ministack.services.cloudwatch_logs": (
        "_append_log_events",
        "_fanout_to_subscription_filters",
        "_log_groups",
        "_make_group_arn",
    ),
    "ministack.services.lambda_svc": ("_emit_lambda_logs",),
}

OUTPUT_SECONDS = 10.0
"""How long an invocation's end waits for a process that goes on printing."""

log = logging.getLogger("local-aws.lambda")
_streams: dict[str, str] = {}
_streams_lock = threading.Lock()
_making = threading.Lock()
_reading = threading.Lock()


def install() -> None:
    """Replace the reading of a process's output, and the writing of its lines."""
    patches.replace(lambda_svc.__name__, "_emit_lambda_logs", lambda _: emit_logs)
    worker = lambda_runtime.ProvidedWorker
    worker._pump_output = pump
    worker._drain_stderr_bounded = drain


def pump(_: Any, stream: Any, lines: queue.Queue) -> None:
    """Read a process's output for its whole life. What has left the pipe is in the queue before the lock is let go."""
    waiting, rest = select.poll(), b""
    waiting.register(stream, select.POLLIN)
    while waiting.poll():
        with _reading:
            chunk = stream.read1(65536)
            *whole, rest = (rest + chunk).split(b"\n")
            _put(lines, whole if chunk else [rest] if rest else [])
            if not chunk:
                stream.close()
                return


def _put(lines: queue.Queue, whole: list[bytes]) -> None:
    """Never wait: a full queue would stop the reader, and the full pipe then the function. The oldest lines go."""
    for line in whole:
        if lines.full():
            with contextlib.suppress(queue.Empty):
                lines.get_nowait()
        lines.put_nowait(line.decode(errors="replace").rstrip("\r"))


def drain(worker: Any, **_: float) -> str:
    """All that the process printed before it answered: it stands in the pipe, or it is read already.

    The stock emulator waits 5 ms for another line: on a busy machine the last ones, which say how the invocation ended,
    came later and were lost.
    """
    end = time.monotonic() + OUTPUT_SECONDS
    while _is_unread(worker._proc) and time.monotonic() < end:
        time.sleep(0.001)
    return worker._drain_stderr()


def _is_unread(process: Any) -> bool:
    with _reading:
        if process is None or process.stdout.closed:
            return False
        waiting = select.poll()
        waiting.register(process.stdout, select.POLLIN)
        return any(event & select.POLLIN for _, event in waiting.poll(0))


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
    with _making:
        stream = _stream(group_name, stream_name, config.get("Role", ""))
    if stream is None:
        return
    now = int(time.time() * 1000)
    lines = [*_start(config, request_id), *text.splitlines(), *_end(config, request_id, error, duration_ms)]
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    cloudwatch_logs._append_log_events(stream, events)
    cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, events)


def _stream(group_name: str, stream_name: str, role: str) -> dict[str, Any] | None:
    """The stream, made by the first that writes to it: a second one, made beside it, would take its place and its lines."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group_name}"
    if group_name not in cloudwatch_logs._log_groups and not _create_group(group_name, role, arn):
        return None
    if not iam.role_allows(role, "logs:PutLogEvents", f"{arn}:log-stream:{stream_name}"):
        log.warning("%s allows no logs:PutLogEvents on %s: the lines are lost, as on AWS", role, arn)
        return None
    streams = cloudwatch_logs._log_groups[group_name]["streams"]
    if stream_name not in streams:
        if not iam.role_allows(role, "logs:CreateLogStream", arn) and not iam.role_allows(
            role, "logs:CreateLogStream", f"{arn}:log-stream:{stream_name}"
        ):
            log.warning("%s allows no logs:CreateLogStream on %s: the lines are lost, as on AWS", role, arn)
            return None
        streams[stream_name] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": int(time.time() * 1000),
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    return streams[stream_name]


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
