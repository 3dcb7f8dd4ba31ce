"""Which servers there are: the machine's own MySQL, or else private copies fetched from its distribution's archive."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from local_aws import machine
from local_aws.apt import PrivateApt
from local_aws.errors import LocalAwsError
from local_aws.packages import Recipe, Shelf

from .installation import Installation, from_prefix, from_system

VARIABLE = "LOCAL_MYSQL"

# The last 8.0 that Debian built. No index names it any more, its archive still holds it: the hash was taken on first use, 2026-11-23.
DEBIAN_8_0_PATH = "pool/main/m/mysql-8.0/mysql-server-core-8.0_8.0.45-1_amd64.deb"
DEBIAN_8_0_HASH = "0d6227408f63c01dadce99c1639f2427cc88495a0b3ed3292a85d9c2aa64e1fd"
# The release whose libraries that build was linked against.
DEBIAN_8_0_LIBRARIES = "trixie"

REMEDY = f"""\
No MySQL 8.0 or later could be had. One of these gives one:
  Debian, Ubuntu   apt-get must be able to reach the archive that /etc/apt names; nothing is installed system-wide
  Fedora           dnf install mysql-server
  macOS            brew install mysql
  anything else    a MySQL >= 8.0 from its vendor, not MariaDB
A mysqld on PATH is found by itself; another one is named by {VARIABLE}=/path/to/mysqld."""


def find(state: Path, say: Callable[[str], None]) -> list[Installation]:
    """Every server to start, fetched if need be; at least one. `state` is MySQL's own directory."""
    named = os.environ.get(VARIABLE)
    if named:
        return [from_system(Path(named), state)]
    mysqld = shutil.which("mysqld")
    if mysqld:
        try:
            return [from_system(Path(mysqld), state)]
        except LocalAwsError as error:
            say(f"not used: {error}")
    return Shelf(state, from_prefix, REMEDY).take(recipes(), say)


def recipes() -> list[Recipe]:
    """What this machine's distribution offers."""
    distribution, codename = machine.distribution()
    if distribution == "debian":
        archive = machine.archive(machine.sources(), codename)
        return [
            Recipe("debian-8.0", lambda work: _debian_8_0(work, archive)),
            Recipe("debian-sid", lambda work: _debian_sid(work, archive)),
        ]
    if distribution == "ubuntu":
        archive = machine.archive(machine.sources(), codename)
        return [Recipe(f"ubuntu-{codename}", lambda work: _ubuntu(work, archive, codename))]
    raise LocalAwsError(REMEDY)


def _debian_8_0(work: Path, archive: machine.Source) -> PrivateApt:
    if machine.architecture() != "amd64":
        raise LocalAwsError(f"MySQL 8.0's package is known for amd64 only, this machine is {machine.architecture()}.")
    apt = PrivateApt(work, archive.line((DEBIAN_8_0_LIBRARIES,), ("main",)))
    package = apt.fetch_file(f"{archive.uri.rstrip('/')}/{DEBIAN_8_0_PATH}", DEBIAN_8_0_HASH)
    apt.fetch(*apt.dependencies(package))
    return apt


def _debian_sid(work: Path, archive: machine.Source) -> PrivateApt:
    apt = PrivateApt(work, archive.line(("sid",), ("main",)))
    apt.fetch("mysql-server-core")
    return apt


def _ubuntu(work: Path, archive: machine.Source, codename: str) -> PrivateApt:
    apt = PrivateApt(work, archive.line((codename, f"{codename}-updates"), ("main", "universe")))
    offered = [name for name in apt.names("mysql-server-core-") if re.fullmatch(r"mysql-server-core-\d+\.\d+", name)]
    if not offered:
        raise LocalAwsError(f"Ubuntu {codename} offers no package mysql-server-core-*.")
    apt.fetch(max(offered, key=lambda name: [int(part) for part in name.rsplit("-", 1)[1].split(".")]))
    return apt
