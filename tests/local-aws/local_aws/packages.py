"""Servers fetched into private prefixes from the distribution's own archive: once, whole or not at all, and kept.

<home>/<key>/recipe   which recipe made it
<home>/<key>/prefix   its packages, unpacked
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from local_aws.apt import PrivateApt
from local_aws.errors import LocalAwsError


class Keyed(Protocol):
    """A server that can be started, with the name of its directory."""

    @property
    def key(self) -> str: ...


Server = TypeVar("Server", bound=Keyed)


@dataclass(frozen=True)
class Recipe:
    """How one server is fetched: `fetch` leaves its packages in a private apt, ready to unpack."""

    name: str
    fetch: Callable[[Path], PrivateApt]


@dataclass(frozen=True)
class Shelf:
    """Where fetched servers are kept, and how one is recognised in its prefix."""

    home: Path
    from_prefix: Callable[[Path, str], Server]
    remedy: str

    def take(self, wanted: list[Recipe], say: Callable[[str], None]) -> list[Server]:
        """Every server that can be had; an error with what to install if there is none."""
        found, reasons = [], []
        for leftover in self.home.glob(".fetch-*"):
            shutil.rmtree(leftover)
        for recipe in wanted:
            try:
                found.append(self._kept(recipe) or self._fetch(recipe, say))
            except LocalAwsError as error:
                reasons.append(f"{recipe.name}: {error}")
                say(f"not to be had: {reasons[-1]}")
        if not found:
            raise LocalAwsError("\n".join([*reasons, self.remedy]))
        return found

    def kept(self) -> list[Server]:
        """Every server that was fetched before."""
        marks = sorted(self.home.glob("*/recipe"))
        return [self.from_prefix(mark.parent / "prefix", mark.read_text()) for mark in marks]

    def _kept(self, recipe: Recipe) -> Server | None:
        for mark in self.home.glob("*/recipe"):
            if mark.read_text() == recipe.name:
                return self.from_prefix(mark.parent / "prefix", recipe.name)
        return None

    def _fetch(self, recipe: Recipe, say: Callable[[str], None]) -> Server:
        """Fetches into a directory of its own and moves the result into place last: an interruption leaves nothing half-made."""
        say(f"fetching {recipe.name} ...")
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.home) as name:
            work = Path(name)
            # Below /tmp or not, the server runs as another user than root, which must reach its files.
            work.chmod(0o755)
            (work / "made").mkdir(mode=0o755)
            prefix = work / "made/prefix"
            recipe.fetch(work).unpack(prefix)
            place = self.home / self.from_prefix(prefix, recipe.name).key
            (work / "made/recipe").write_text(recipe.name)
            shutil.rmtree(place, ignore_errors=True)
            (work / "made").rename(place)
        return self.from_prefix(place / "prefix", recipe.name)


def loader(prefix: Path, program: str) -> tuple[str, ...]:
    """A program out of packages, run by the C library that came with them, so that the machine's own may be older."""
    loaders = sorted(prefix.glob("usr/lib/*/ld-linux-*.so.*")) + sorted(prefix.glob("lib/*/ld-linux-*.so.*"))
    path = prefix / program
    if not loaders or not path.is_file():
        raise LocalAwsError(f"{prefix} holds no {path.name} with its C library; remove that directory and fetch again.")
    name = loaders[0].parent.name
    libraries = ":".join(str(prefix / directory / name) for directory in ("usr/lib", "lib"))
    return (str(loaders[0]), "--library-path", libraries, "--argv0", path.name, str(path))
