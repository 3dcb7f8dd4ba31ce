"""`servers.json`: where the running servers are and how to enter them. Only its owner may read it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def path(state: Path) -> Path:
    """The file below the state directory."""
    return state / "servers.json"


def read(state: Path) -> dict[str, Any]:
    """The whole content; empty where there is none yet."""
    try:
        return json.loads(path(state).read_text())
    except FileNotFoundError:
        return {}


def put(state: Path, key: str, value: Any) -> None:
    """Sets one key, leaving the others as they are."""
    with locked(state / "servers.json.lock"):
        _write(state, {**read(state), key: value})


def remove(state: Path, key: str) -> None:
    """Removes one key, and the file with its last one."""
    with locked(state / "servers.json.lock"):
        rest = {name: value for name, value in read(state).items() if name != key}
        if rest:
            _write(state, rest)
        else:
            path(state).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Holds a lock file; whoever else wants it waits. The kernel lets go of it if this process dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def own_directory(state: Path, key: str) -> Iterator[Path]:
    """The directory of one kind of server, held against another start, stop or fetch beside this one."""
    home = state.resolve() / key
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / "lock"):
        yield home


def _write(state: Path, content: dict[str, Any]) -> None:
    new = state / "servers.json.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    new.rename(path(state))
