"""What this machine is: its distribution, its processor's name in Debian's terms, and the archives that its own apt reads."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import LocalAwsError

POCKETS = ("-security", "-updates", "-backports", "-proposed")
"""Endings of suites that only add to a release: they do not carry the whole archive."""


@dataclass(frozen=True)
class Source:
    """One archive, as apt's sources name it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None

    def line(self, suites: tuple[str, ...], components: tuple[str, ...]) -> list[str]:
        """One-line sources for other suites of the same archive."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return [f"deb {option}{self.uri} {suite} {' '.join(components)}" for suite in suites]


def distribution(os_release: Path = Path("/etc/os-release")) -> tuple[str, str]:
    """The distribution's id and its release's code name; empty where the system does not say."""
    if not os_release.is_file():
        return "", ""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release.read_text(), re.MULTILINE))
    return fields.get("ID", ""), fields.get("VERSION_CODENAME", "")


def architecture() -> str:
    """Debian's name of the processor, such as amd64."""
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Every archive of binary packages that the machine's apt reads, in both of apt's formats."""
    found: list[Source] = []
    one_line = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    for path in one_line:
        if path.is_file():
            found += parse_one_line(path.read_text())
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        found += parse_deb822(path.read_text())
    return found


def archive(all_sources: list[Source], codename: str) -> Source:
    """The distribution's main archive among the sources: the one that carries the release itself, not only its updates."""
    for source in all_sources:
        if "main" in source.components and any(
            suite == codename or suite in ("stable", "testing", "unstable", "sid") for suite in source.suites
        ):
            return source
    raise LocalAwsError(
        f"apt's sources in /etc/apt name no archive of {codename or 'this release'} with the component main. "
        "Add one; the servers that the local AWS needs are fetched from it."
    )


def parse_one_line(text: str) -> list[Source]:
    """`deb [option=value ...] uri suite component ...`, one archive a line."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)", line)
        if match:
            options = dict(option.split("=", 1) for option in (match[1] or "").split() if "=" in option)
            found.append(Source(match[2], (match[3],), tuple(match[4].split()), options.get("signed-by")))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Stanzas of `Key: value` lines; one stanza may name several archives and suites."""
    found = []
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {
            key.lower(): value for key, value in re.findall(r"^([\w-]+):\s*(.*(?:\n[ \t]+.*)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").strip().lower() in (
            "no",
            "false",
            "0",
        ):
            continue
        # A key may stand in the stanza itself; apt then finds the same key among its trusted ones, or says that it cannot.
        keyring = fields.get("signed-by", "").strip()
        signed_by = keyring if keyring.startswith("/") else None
        suites, components = tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split())
        found += [Source(uri, suites, components, signed_by) for uri in fields.get("uris", "").split()]
    return found
