"""The processes that a start left running: known by the data directory on their command line, never by name or number alone."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import MySqlError

PATIENCE = 20.0
"""Seconds that a server is given to end by itself."""


def running(below: Path) -> dict[int, str]:
    """Process id -> command line of every process whose data directory lies below this directory."""
    marker = f"--datadir={below}/"
    return {pid: line for pid, line in _command_lines() if f" {marker}" in f" {line}" or f"\0{marker}" in line}


def stop(below: Path) -> int:
    """Ends every process whose data directory lies below this directory; says how many there were."""
    found = running(below)
    for pid in found:
        _signal(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while running(below):
        if time.monotonic() > end:
            for pid in running(below):
                _signal(pid, signal.SIGKILL)
            end = time.monotonic() + PATIENCE
        time.sleep(0.05)
    return len(found)


def lesser_account(directory: Path) -> tuple[list[str], pwd.struct_passwd | None]:
    """What to put before a command so that root runs it as nobody; nothing where we are not root or nobody cannot reach the directory's parent."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or not setpriv:
        return [], None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return [], None
    prefix = [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
    reachable = subprocess.run([*prefix, "test", "-x", str(directory.parent)], capture_output=True).returncode == 0
    return (prefix, nobody) if reachable else ([], None)


def _command_lines() -> Iterator[tuple[int, str]]:
    if not Path("/proc/self/cmdline").is_file():
        listing = subprocess.run(
            ["ps", "-axww", "-o", "pid=,command="], check=True, capture_output=True, text=True
        ).stdout
        for line in listing.splitlines():
            pid, _, command = line.strip().partition(" ")
            yield int(pid), command
        return
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise MySqlError(f"process {pid} belongs to another user; stop it as the user who started it.") from error
