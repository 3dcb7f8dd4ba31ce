"""Real MySQL servers for the tests and the local AWS.

`fetch` finds or fetches them, `start` starts each with TLS required and writes `servers.json`, `stop` ends what `start` started. All of
them may be repeated and interrupted: the next call goes on from what it finds. `restart` lets one server end and come back with its
data, in order or as if it had died; who does that to servers that others use, too, spoils their work, so `borrow` lets a test have
its own. Everything lies below one state directory:

    servers.json              addresses and the administrators' password, made anew at each start; mode 0600
    mysql/certificates/       the authority, a wrong one, the servers' certificate
    mysql/<version>/prefix    what was fetched, unpacked
    mysql/<version>/template  a data directory initialised once
    mysql/<version>/run       the running server: data, log, process id, removed by `stop`
"""

import contextlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_aws import certificates, processes, servers_file
from local_aws.errors import LocalAwsError
from local_aws.state import DEFAULT_STATE

from . import fetching, server
from .installation import Installation

__all__ = ["borrow", "fetch", "restart", "start", "stop"]


def fetch(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[Installation]:
    """Finds or fetches every server that this machine can run; at least one, or `LocalAwsError` with what to install."""
    with servers_file.own_directory(state, "mysql") as home:
        return fetching.find(home, say)


def borrow(state: Path, lender: Path = DEFAULT_STATE) -> None:
    """Lets another state directory use what this one has fetched and initialised; its servers and their data are its own."""
    for home in (lender.resolve() / "mysql").glob("[0-9]*"):
        own = state.resolve() / "mysql" / home.name
        own.mkdir(parents=True, exist_ok=True)
        for name in ("prefix", "template"):
            with contextlib.suppress(FileExistsError):
                if (home / name).exists():
                    (own / name).symlink_to(home / name)
        if (home / "recipe").exists():
            shutil.copy(home / "recipe", own)


def start(
    state: Path = DEFAULT_STATE, say: Callable[[str], None] = print, *, durable: bool = False
) -> list[dict[str, Any]]:
    """Starts every server and returns what it wrote under `mysql` in `servers.json`; a server that runs already is left alone."""
    with servers_file.own_directory(state, "mysql") as home:
        installations = fetching.find(home, say)
        authority = certificates.ensure(home / "certificates")
        before = {entry["version"]: entry for entry in servers_file.read(state).get("mysql", [])}
        with ThreadPoolExecutor() as pool:
            entries = list(
                pool.map(
                    lambda one: server.start(home, one, authority, before.get(one.version), durable=durable),
                    installations,
                )
            )
        servers_file.put(state, "mysql", entries)
        for entry, installation in zip(entries, installations, strict=True):
            say(f"MySQL {entry['version']} at {entry['host']}:{entry['port']}, TLS required ({installation.origin})")
        return entries


def restart(
    version: str, state: Path = DEFAULT_STATE, say: Callable[[str], None] = print, *, crash: bool = False
) -> None:
    """Lets a running server end and start again with its data, its port and its accounts; after a crash if asked to."""
    with servers_file.own_directory(state, "mysql") as home:
        entries = {one["version"]: one for one in servers_file.read(state).get("mysql", [])}
        installations = {one.version: one for one in fetching.find(home, say)}
        if version not in entries or version not in installations:
            known = ", ".join(sorted(entries)) or "none"
            raise LocalAwsError(f"no MySQL {version} was started in {state}, but {known}; start it first.")
        server.again(home, installations[version], entries[version], crash=crash)
        say(f"MySQL {version} runs again at port {entries[version]['port']}")


def stop(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> int:
    """Ends the servers that `start` started, removes their data and their entry; says how many there were."""
    with servers_file.own_directory(state, "mysql") as home:
        count = processes.stop_below(home)
        for run in home.glob("*/run"):
            shutil.rmtree(run)
        servers_file.remove(state, "mysql")
        say(f"MySQL: {count} stopped")
        return count
