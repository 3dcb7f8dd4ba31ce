"""Real Redis and Valkey servers for the tests and the local AWS.

`fetch` finds or fetches them, `start` starts each alone and as a cluster of three shards, with TLS and ACLs, and writes
`servers.json`; `stop` ends what `start` started. All of them may be repeated and interrupted. The emulator starts a server
of its own for each replication group, below `groups`; those end with it. Below one state directory:

    servers.json                         addresses and the administrator's password, made anew at each start; mode 0600
    cache/certificates/                  the authority, a wrong one, the servers' certificate
    cache/<engine>-<version>/prefix      what was fetched, unpacked
    cache/run/<engine>-<version>-<shape>  the running servers of `start`, a directory each
    cache/groups/<replication group>/    the same, of the emulator
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_aws import certificates, processes, servers_file
from local_aws.state import DEFAULT_STATE

from . import fetching, server
from .installation import Installation

__all__ = ["fetch", "start", "stop"]

SHAPES = (None, server.SHARDS)
"""Alone, and as a cluster."""


def fetch(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[Installation]:
    """Finds or fetches every server that this machine can run; at least one, or `LocalAwsError` with what to install."""
    with servers_file.own_directory(state, "cache") as home:
        found = fetching.find(home, say)
        for one in found:
            say(f"{one.engine.title()} {one.version} ({one.origin})")
        return found


def start(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Starts every server and returns what it wrote under `cache` in `servers.json`; one that runs already is left alone."""
    with servers_file.own_directory(state, "cache") as home:
        installations = fetching.find(home, say)
        authority = certificates.ensure(home / "certificates")
        before = servers_file.read(state).get("cache", [])
        wanted = [(one, shards) for one in installations for shards in SHAPES]

        def run(what: tuple[Installation, int | None]) -> server.Cache:
            return _keep_or_start(home, authority, before, *what)

        with ThreadPoolExecutor() as pool:
            caches = list(pool.map(run, wanted))
        entries = [server.entry(one) for one in caches]
        servers_file.put(state, "cache", entries)
        for one in caches:
            shape = f"{len(one.ports)} shards" if one.is_cluster else "alone"
            say(f"{one.installation.engine.title()} {one.installation.version} at localhost:{one.ports[0]}, {shape}, "
                f"TLS required ({one.installation.origin})")  # fmt: skip
        return entries


def _keep_or_start(
    home: Path,
    authority: certificates.Certificates,
    before: list[dict[str, Any]],
    one: Installation,
    shards: int | None,
) -> server.Cache:
    place = home / "run" / f"{one.key}-{shards or 'alone'}"
    for known in before:
        shape = len(known["ports"]) if known["is_cluster"] else None
        if (known["engine"], known["version"], shape) == (one.engine, one.version, shards):
            cache = server.from_entry(known, one, authority, place)
            if cache.answers():
                return cache
    return server.start(one, authority, place, shards=shards)


def stop(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> int:
    """Ends the servers that `start` started, and those that an emulator left behind; says how many processes there were."""
    with servers_file.own_directory(state, "cache") as home:
        count = processes.stop_below(home)
        for name in ("run", "groups"):
            server.forget(home / name)
        servers_file.remove(state, "cache")
        say(f"Redis and Valkey: {count} stopped")
        return count
