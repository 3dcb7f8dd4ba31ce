"""Processes that this project started, told from any other by a mark in their environment.

A process id alone is no proof: the kernel gives it to somebody else when its process has ended.
"""

import os
import signal
import time
from pathlib import Path

MARK = "LOCAL_AWS_INSTANCE"
STOP_SECONDS = 10.0


def is_ours(pid: int, instance: str) -> bool:
    """Whether this process is alive and carries our mark."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={instance}".encode() in environment.split(b"\0")


def marked(instance: str) -> list[int]:
    """Every process that carries our mark: the emulator and the functions that it has started."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if pid != os.getpid() and is_ours(pid, instance)]


def stop(pid: int, instance: str) -> int:
    """End the process and what it started, and nothing else; return how many processes ended.

    A dying emulator may still start a function, so that the processes are looked up until there are none.
    """
    seen: set[int] = set()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        deadline, told = time.monotonic() + STOP_SECONDS, set()
        while time.monotonic() < deadline:
            ours = {*marked(instance), *([pid] if is_ours(pid, instance) else [])}
            if not ours:
                return len(seen)
            for one in ours - told:
                _send(one, sign)
            told |= ours
            seen |= ours
            time.sleep(0.05)
    return len(seen)


def _send(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return
