"""Predis and Symfony's cache, by which Mautic reaches Redis and Valkey: Mautic 6 has Predis 1.1, Mautic 7 has Predis 2.

They are plain PHP, so that those of a newer release run under the PHP of an older one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_aws import machine
from local_aws.apt import PrivateApt
from local_aws.errors import LocalAwsError
from local_aws.packages import Recipe, Shelf

REMEDY = """\
No Predis could be had for the tests of the container. It comes from Debian's or Ubuntu's archive, which apt-get must be able to reach
as /etc/apt names it; nothing is installed system-wide. On another system run these tests in a container of one of the two."""
PACKAGES = ("php-predis", "php-symfony-cache")
PREDIS_2 = "trixie"
"""The release of Debian that has Predis 2, with a Symfony that asks for no later PHP than 8.1."""


@dataclass(frozen=True)
class Libraries:
    """One Predis with a Symfony cache of its time."""

    version: str
    prefix: Path
    origin: str

    @property
    def key(self) -> str:
        """The name of its directory."""
        return f"predis-{self.version}"

    @property
    def include_path(self) -> str:
        """Where PHP finds them."""
        return str(self.prefix / "usr/share/php")


def find(home: Path, say: Callable[[str], None]) -> list[Libraries]:
    """Each that can be had, fetched if need be."""
    return Shelf(home, from_prefix, REMEDY).take(_recipes(), say)


def from_prefix(prefix: Path, origin: str) -> Libraries:
    """Those that were unpacked from packages; an error if they are incomplete."""
    client, cache = (prefix / "usr/share/php" / name for name in ("Predis/Client.php", "Symfony/Component/Cache"))
    found = re.search(r"const VERSION = '([\d.]+)'", client.read_text()) if client.is_file() else None
    if not found or not cache.is_dir():
        raise LocalAwsError(f"{prefix} holds no Predis with Symfony's cache; remove that directory and fetch again.")
    return Libraries(found[1], prefix, origin)


def _recipes() -> list[Recipe]:
    distribution, codename = machine.distribution()
    if distribution not in ("debian", "ubuntu"):
        raise LocalAwsError(REMEDY)
    archive = machine.archive(machine.sources(), codename)
    components = ("main", "universe") if distribution == "ubuntu" else ("main",)
    releases = {codename, PREDIS_2} if distribution == "debian" else {codename}

    def recipe(release: str) -> Recipe:
        def fetch(work: Path) -> PrivateApt:
            apt = PrivateApt(work, archive.line((release,), components))
            apt.fetch(*PACKAGES)
            return apt

        return Recipe(f"Predis of {distribution} {release}", fetch)

    return [recipe(release) for release in sorted(releases)]
