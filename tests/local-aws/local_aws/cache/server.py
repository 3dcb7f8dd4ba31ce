"""One cache: a server, or three shards of a cluster, with TLS, users of its own and nothing on disk but its settings.

The users are those that somebody sets later, and an administrator of ours who is known to no one else. The user
`default`, whom an anonymous connection is, begins without any right, as ElastiCache's user groups want it.
"""

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws import processes
from local_aws.certificates import Certificates
from local_aws.errors import LocalAwsError

from .installation import Installation

READY_WITHIN = 90.0
SHARDS = 3
SLOTS = 16_384
ADMIN = "local-aws-admin"
# A cluster's nodes speak to each other at their port + 10000.
BUS = 10_000
LARGEST_PORT = 65_535 - BUS
FIRST_PORT = 20_000
CLIENT_SECONDS = 30

# Kept, so that Python does not warn of processes that are meant to outlive it.
_outliving: list[subprocess.Popen] = []


@dataclass(frozen=True, repr=False)
class Cache:
    """A running cache; its representation shows no password."""

    installation: Installation
    certificates: Certificates
    home: Path
    ports: tuple[int, ...]
    password: str
    is_cluster: bool = False
    tls: bool = True

    def call(self, *command: str, port: int = 0, text: str = "") -> str:
        """Give the administrator's client a command, or several as lines of text; an error names what the server said."""
        security = ["--tls", "--cacert", str(self.certificates.authority)] if self.tls else []
        arguments = [*self.installation.client, *security, "-h", "localhost", "-p", str(port or self.ports[0])]
        try:
            done = subprocess.run(
                [*arguments, "--user", ADMIN, "--no-auth-warning", "-e", *command],
                # Not on the command line, which every user of the machine may read.
                env={"REDISCLI_AUTH": self.password, "VALKEYCLI_AUTH": self.password},
                input=text or None,
                stdin=None if text else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=CLIENT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LocalAwsError(f"{self} did not answer within {CLIENT_SECONDS} s; its log: {self.home}") from error
        refused = [line for line in done.stdout.splitlines() if line.startswith("ERR ")]
        if done.returncode != 0 or refused:
            raise LocalAwsError(f"{self} refused: {' '.join(refused) or done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def everywhere(self, lines: Iterable[str]) -> None:
        """Give every shard these commands: users and settings are each shard's own."""
        text = "\n".join([*lines, ""])
        for port in self.ports:
            self.call(port=port, text=text)

    def stop(self) -> int:
        """End it and forget its data; how many processes there were."""
        count = processes.stop_below(self.home)
        forget(self.home)
        return count

    def __repr__(self) -> str:
        return f"{self.installation.engine} {self.installation.version} at localhost:{self.ports[0]}"

    def answers(self) -> bool:
        """Whether all of it is there."""
        return all(_listens(port) for port in self.ports) and len(processes.running(self.home)) == len(self.ports)


def start(
    installation: Installation,
    certificates: Certificates,
    home: Path,
    *,
    shards: int | None = None,
    tls: bool = True,
    ports: tuple[int, ...] = (),
) -> Cache:
    """Start a cache in a directory of its own; with a number of shards it is a cluster. `ports` asks for those of another."""
    processes.stop_below(home)
    forget(home)
    home.mkdir(parents=True)
    count = shards or 1
    wanted = ports if len(ports) == count else tuple(_free_ports(count))
    cache = Cache(installation, certificates, home, wanted, secrets.token_urlsafe(32), shards is not None, tls)
    try:
        started = [_call(cache, port) for port in cache.ports]
        for process, port in zip(started, cache.ports, strict=True):
            _wait(cache, process, port)
        if cache.is_cluster:
            _join(cache)
    except BaseException:
        cache.stop()
        raise
    return cache


def forget(directory: Path) -> None:
    """Remove what servers that have ended left there."""
    shutil.rmtree(directory, ignore_errors=True)


def _call(cache: Cache, port: int) -> subprocess.Popen:
    data = cache.home / str(port)
    data.mkdir()
    (data / "users.acl").touch(mode=0o600)
    digest = hashlib.sha256(cache.password.encode()).hexdigest()
    (data / "users.acl").write_text(f"user default off resetchannels -@all\nuser {ADMIN} on ~* &* +@all #{digest}\n")
    settings = {
        **({"port": "0", "tls-port": str(port)} if cache.tls else {"port": str(port)}),
        "bind": "127.0.0.1",
        "dir": str(data),
        "aclfile": str(data / "users.acl"),
        "save": "",
        "appendonly": "no",
        # The command line is how it is known to be ours; a server that rewrites it would be nobody's.
        "set-proc-title": "no",
        "tls-cert-file": str(cache.certificates.server),
        "tls-key-file": str(cache.certificates.key),
        "tls-ca-cert-file": str(cache.certificates.authority),
        "tls-auth-clients": "no",
    }
    if cache.is_cluster:
        settings |= {
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes.conf",
            "cluster-node-timeout": "2000",
            # The certificate is good for the name: redirections lead to it.
            "cluster-announce-hostname": "localhost",
            "cluster-preferred-endpoint-type": "hostname",
            **({"tls-cluster": "yes", "tls-replication": "yes"} if cache.tls else {}),
        }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    log = data / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*cache.installation.command, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            # Nothing of the emulator's own, its root key least of all; but the mark by which a stop finds it.
            env={name: os.environ[name] for name in ("PATH", processes.MARK) if name in os.environ},
            start_new_session=True,
        )
    _outliving.append(process)
    return process


def _wait(cache: Cache, process: subprocess.Popen, port: int) -> None:
    end = time.monotonic() + READY_WITHIN
    log = cache.home / str(port) / "server.log"
    while "Ready to accept connections" not in (text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            tail = " / ".join(text.splitlines()[-3:]) or "its log is empty"
            raise LocalAwsError(f"{cache} did not start: {tail}. All of it: {log}")
        time.sleep(0.01)


def _join(cache: Cache) -> None:
    """Make one cluster of the shards; ready when each of them says so."""
    share = -(-SLOTS // len(cache.ports))
    for number, port in enumerate(cache.ports):
        first, last = number * share, min((number + 1) * share, SLOTS) - 1
        others = [f"CLUSTER MEET 127.0.0.1 {other} {other + BUS}" for other in cache.ports[:number]]
        epoch = f"CLUSTER SET-CONFIG-EPOCH {number + 1}"
        cache.call(port=port, text="\n".join([f"CLUSTER ADDSLOTSRANGE {first} {last}", epoch, *others, ""]))
    end = time.monotonic() + READY_WITHIN
    while any("cluster_state:ok" not in cache.call("CLUSTER", "INFO", port=port) for port in cache.ports):
        if time.monotonic() > end:
            raise LocalAwsError(f"{cache} did not become a cluster within {READY_WITHIN:.0f} s; its logs: {cache.home}")
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    """Ports whose bus port is free as well, taken at random: the kernel's own choice is often too high for a bus."""
    found: list[int] = []
    while len(found) < count:
        port = FIRST_PORT + secrets.randbelow(LARGEST_PORT - FIRST_PORT)
        if port not in found and _is_free(port) and _is_free(port + BUS):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def entry(cache: Cache) -> dict[str, Any]:
    """What `servers.json` says of it."""
    return {
        "engine": cache.installation.engine,
        "version": cache.installation.version,
        "host": "localhost",
        "port": cache.ports[0],
        "ports": list(cache.ports),
        "is_cluster": cache.is_cluster,
        "ca_file": str(cache.certificates.authority),
        "wrong_ca_file": str(cache.certificates.wrong_authority),
        "admin_user": ADMIN,
        "admin_password": cache.password,
    }


def from_entry(known: dict[str, Any], installation: Installation, certificates: Certificates, home: Path) -> Cache:
    """The cache that `entry` described."""
    return Cache(installation, certificates, home, tuple(known["ports"]), known["admin_password"], known["is_cluster"])
