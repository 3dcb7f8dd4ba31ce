"""Which servers there are: the machine's own Redis and Valkey, or else private copies out of its distribution's archive."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from local_aws import machine
from local_aws.apt import PrivateApt
from local_aws.errors import LocalAwsError
from local_aws.packages import Recipe, Shelf

from .installation import VARIABLES, Installation, from_prefix, from_system

REMEDY = """\
No Redis 7.0 or Valkey 7.2, or later, could be had. One of these gives one:
  Debian, Ubuntu   apt-get must be able to reach the archive that /etc/apt names; nothing is installed system-wide
  Fedora           dnf install valkey redis
  macOS            brew install valkey redis
  anything else    a Redis or Valkey with TLS from its vendor
A redis-server or valkey-server on PATH is found by itself; another one is named by LOCAL_REDIS or LOCAL_VALKEY, its client
(redis-cli, valkey-cli) beside it."""


def find(home: Path, say: Callable[[str], None]) -> list[Installation]:
    """Every server to start, fetched if need be; at least one. `home` is the cache's own directory."""
    found, wanted = [], []
    for engine in VARIABLES:
        own = _own(engine, say)
        if own is not None:
            found.append(own)
        else:
            wanted.append(engine)
    if not wanted:
        return found
    try:
        return found + Shelf(home, from_prefix, REMEDY).take(recipes(wanted), say)
    except LocalAwsError:
        if not found:
            raise
        return found


def known(home: Path) -> list[Installation]:
    """Those that need not be fetched."""
    own = [one for engine in VARIABLES if (one := _own(engine, lambda text: None)) is not None]
    missing = set(VARIABLES) - {one.engine for one in own}
    return own + [one for one in Shelf(home, from_prefix, REMEDY).kept() if one.engine in missing]


def _own(engine: str, say: Callable[[str], None]) -> Installation | None:
    """The one that a variable names must do; the one on PATH is left if it does not."""
    named = os.environ.get(VARIABLES[engine])
    if named:
        return from_system(engine, Path(named))
    server = shutil.which(f"{engine}-server")
    if not server:
        return None
    try:
        return from_system(engine, Path(server))
    except LocalAwsError as error:
        say(f"not used: {error}")
        return None


def recipes(engines: list[str]) -> list[Recipe]:
    """What this machine's distribution offers of these."""
    distribution, codename = machine.distribution()
    if distribution not in ("debian", "ubuntu"):
        raise LocalAwsError(REMEDY)
    archive = machine.archive(machine.sources(), codename)
    if distribution == "ubuntu":
        suites, components = (codename, f"{codename}-updates"), ("main", "universe")
    else:
        # Valkey came to Debian 12 by way of the backports.
        suites, components = (codename, f"{codename}-backports"), ("main",)
    return [
        Recipe(f"{engine} of {distribution} {codename}", _recipe(engine, archive, suites, components))
        for engine in engines
    ]


def _recipe(
    engine: str, archive: machine.Source, suites: tuple[str, ...], components: tuple[str, ...]
) -> Callable[[Path], PrivateApt]:
    def fetch(work: Path) -> PrivateApt:
        apt = PrivateApt(work, archive.line(suites, components))
        package = f"{engine}-server"
        if package not in apt.names(package):
            raise LocalAwsError(f"{' and '.join(suites)} offer no package {package}.")
        apt.fetch(package)
        return apt

    return fetch
