"""Processes that this project started, told from any other: by a mark in their environment, or by the directory of their data.

A process id alone is no proof: the kernel gives it to somebody else when its process has ended. Nor is a name.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from local_aws.errors import LocalAwsError

MARK = "LOCAL_AWS_INSTANCE"
PATIENCE = 20.0
"""Seconds that a process is given to end by itself."""


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


def running(below: Path) -> dict[int, str]:
    """Process id -> command line of every server whose data directory lies below this directory."""
    data = re.compile(rf"(^|[\0 ])--(datadir=|dir[\0 ]){re.escape(str(below))}/")
    return {pid: line for pid, line in _command_lines() if data.search(line)}


def stop_marked(pid: int, instance: str) -> int:
    """End the process and all that carries its mark, and nothing else; how many there were."""
    return _stop(lambda: {*marked(instance), *([pid] if is_ours(pid, instance) else [])})


def stop_below(directory: Path) -> int:
    """End every server whose data directory lies below this directory; how many there were."""
    return _stop(lambda: set(running(directory)))


def kill_below(directory: Path) -> int:
    """The same without giving them time to end by themselves, as when the machine dies."""
    return _stop(lambda: set(running(directory)), signal.SIGKILL)


def _stop(found: Callable[[], set[int]], *signals: signal.Signals) -> int:
    """Look again until there is none: what dies may still start another."""
    seen: set[int] = set()
    for number in signals or (signal.SIGTERM, signal.SIGKILL):
        deadline, told = time.monotonic() + PATIENCE, set()
        while time.monotonic() < deadline:
            now = found()
            if not now:
                return len(seen)
            for pid in now - told:
                _signal(pid, number)
            told |= now
            seen |= now
            time.sleep(0.05)
    return len(seen)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise LocalAwsError(f"process {pid} belongs to another user; stop it as the user who started it.") from error


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


def give(tree: Path, account: pwd.struct_passwd) -> None:
    """Let this account own a directory and all below it."""
    os.chown(tree, account.pw_uid, account.pw_gid)
    for directory, names, files in os.walk(tree):
        for name in [*names, *files]:
            os.chown(os.path.join(directory, name), account.pw_uid, account.pw_gid)
