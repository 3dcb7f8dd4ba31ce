"""Real MySQL servers for the tests and the local AWS.

`fetch` finds or fetches them, `start` starts each with TLS required and writes `servers.json`, `stop` ends what `start` started. All of
them may be repeated and interrupted: the next call goes on from what it finds. Everything lies below one state directory:

    servers.json              addresses and the administrators' password, made anew at each start; mode 0600
    mysql/certificates/       the authority, a wrong one, the servers' certificate
    mysql/<version>/prefix    what was fetched, unpacked
    mysql/<version>/template  a data directory initialised once
    mysql/<version>/run       the running server: data, log, process id, removed by `stop`
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_aws import certificates, processes, servers_file
from local_aws.state import DEFAULT_STATE

from . import fetching, server
from .installation import Installation

__all__ = ["fetch", "start", "stop"]


def fetch(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[Installation]:
    """Finds or fetches every server that this machine can run; at least one, or `LocalAwsError` with what to install."""
    with servers_file.own_directory(state, "mysql") as home:
        return fetching.find(home, say)


def start(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Starts every server and returns what it wrote under `mysql` in `servers.json`; a server that runs already is left alone."""
    with servers_file.own_directory(state, "mysql") as home:
        installations = fetching.find(home, say)
        authority = certificates.ensure(home / "certificates")
        before = {entry["version"]: entry for entry in servers_file.read(state).get("mysql", [])}
        with ThreadPoolExecutor() as pool:
            entries = list(
                pool.map(lambda one: server.start(home, one, authority, before.get(one.version)), installations)
            )
        servers_file.put(state, "mysql", entries)
        for entry, installation in zip(entries, installations, strict=True):
            say(f"MySQL {entry['version']} at {entry['host']}:{entry['port']}, TLS required ({installation.origin})")
        return entries


def stop(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> int:
    """Ends the servers that `start` started, removes their data and their entry; says how many there were."""
    with servers_file.own_directory(state, "mysql") as home:
        count = processes.stop_below(home)
        for run in home.glob("*/run"):
            shutil.rmtree(run)
        servers_file.remove(state, "mysql")
        say(f"MySQL: {count} stopped")
        return count
