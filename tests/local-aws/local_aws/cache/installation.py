"""A Redis or Valkey server that can be started: which one it is, and how it and its client are called."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.packages import loader

OLDEST = {"redis": (7, 0), "valkey": (7, 2)}
VARIABLES = {"redis": "LOCAL_REDIS", "valkey": "LOCAL_VALKEY"}


@dataclass(frozen=True)
class Installation:
    """How to call one server and its client."""

    engine: str
    version: str
    command: tuple[str, ...]
    client: tuple[str, ...]
    origin: str

    @property
    def key(self) -> str:
        """The name of its directory."""
        return f"{self.engine}-{self.version}"


def read_version(engine: str, command: tuple[str, ...]) -> str:
    """The version that a server reports; an error for what is not this engine, or too old."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30)
    except OSError as error:
        raise LocalAwsError(
            f"{command[-1]} cannot be run: {error.strerror}. Name a {engine}-server that can by {VARIABLES[engine]}."
        ) from error
    text = (done.stdout + done.stderr).strip()
    match = re.match(rf"{engine} server v=(\d+)\.(\d+)\.(\d+)", text, re.IGNORECASE)
    if done.returncode != 0 or not match:
        raise LocalAwsError(f"{command[-1]} --version says no version of {engine.title()}: {text[-300:]}")
    oldest = OLDEST[engine]
    if (int(match[1]), int(match[2])) < oldest:
        wanted = ".".join(map(str, oldest))
        raise LocalAwsError(f"{command[-1]} is {engine.title()} {match[1]}.{match[2]}; {wanted} or later is needed.")
    return ".".join(match.groups())


def from_prefix(prefix: Path, origin: str) -> Installation:
    """A server unpacked from packages; the recipe's name says which engine it is."""
    engine = origin.partition(" ")[0]
    command = loader(prefix, f"usr/bin/{engine}-server")
    return Installation(engine, read_version(engine, command), command, loader(prefix, f"usr/bin/{engine}-cli"), origin)


def from_system(engine: str, server: Path) -> Installation:
    """A server that the machine has already, with the client beside it."""
    command = (str(server),)
    return Installation(
        engine, read_version(engine, command), command, (str(server.with_name(f"{engine}-cli")),), str(server)
    )
