"""A private apt: Debian packages unpacked below a directory of our own, signatures checked, nothing installed, no root needed."""

import os
import subprocess
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.machine import architecture

MINUTES = 60
APT_HELPER = "/usr/lib/apt/apt-helper"

# The servers need none of these, only their packages' helper scripts do; many megabytes less to fetch.
PLACEHOLDERS = ("adduser", "lsb-base", "passwd", "perl", "procps", "sysvinit-utils")


class PrivateApt:
    """apt with lists, cache and package status of its own below one directory."""

    def __init__(self, work: Path, lines: list[str]):
        """Reads the indexes that the one-line sources `lines` name."""
        self._debs = work / "debs"
        for directory in ("lists/partial", "cache", "debs/partial"):
            (work / directory).mkdir(parents=True, exist_ok=True)
        name = architecture()
        (work / "sources.list").write_text("\n".join(lines) + "\n")
        (work / "status").write_text("".join(_placeholder(package, name) for package in PLACEHOLDERS))
        (work / "apt.conf").write_text(_configuration(work, name))
        self._environment = {**os.environ, "APT_CONFIG": str(work / "apt.conf"), "LC_ALL": "C"}
        self._run("apt-get", "--quiet=2", "--error-on=any", "update")

    def names(self, prefix: str) -> list[str]:
        """The packages whose names begin with `prefix`."""
        return self._run("apt-cache", "pkgnames", prefix).split()

    def fetch(self, *packages: str) -> None:
        """Downloads packages and all that they depend on."""
        self._run("apt-get", "--quiet=2", "--yes", "--download-only", "--no-install-recommends", "install", *packages)

    def fetch_file(self, uri: str, sha256: str) -> Path:
        """Downloads one package that no index names any more; its content is held by the hash."""
        path = self._debs / uri.rsplit("/", 1)[1]
        self._run(APT_HELPER, "download-file", uri, str(path), f"SHA256:{sha256}")
        return path

    def dependencies(self, package: Path) -> list[str]:
        """The names that a package file depends on, without versions: the first of each set of alternatives."""
        field = self._run("dpkg-deb", "--field", str(package), "Depends")
        return [term.split("|")[0].split("(")[0].split(":")[0].strip() for term in field.split(",")]

    def unpack(self, prefix: Path) -> None:
        """Unpacks all that was downloaded below `prefix`; no maintainer script runs."""
        for package in sorted(self._debs.glob("*.deb")):
            self._run("dpkg-deb", "--extract", str(package), str(prefix))

    def _run(self, *command: str) -> str:
        try:
            done = subprocess.run(
                command, env=self._environment, check=True, capture_output=True, text=True, timeout=5 * MINUTES
            )
        except FileNotFoundError as error:
            raise LocalAwsError(
                f"{command[0]} is missing on this machine; install it (packages apt and dpkg)."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise LocalAwsError(
                f"`{' '.join(command)}` did not end within 5 minutes; is the archive reachable?"
            ) from error
        except subprocess.CalledProcessError as error:
            tail = " ".join((error.stderr or error.stdout).split()[-60:])
            raise LocalAwsError(f"`{' '.join(command)}` failed: {tail}") from error
        return done.stdout


def _placeholder(package: str, name: str) -> str:
    """A line of dpkg's status that calls a package installed."""
    return (
        f"Package: {package}\nStatus: install ok installed\nMaintainer: none <none@localhost>\n"
        f"Architecture: {name}\nMulti-Arch: allowed\nVersion: 999\nDescription: not needed here\n\n"
    )


def _configuration(work: Path, name: str) -> str:
    """apt's settings; the machine's own (a proxy, for one) still hold beside them."""
    return f"""\
Dir::Etc::SourceList "{work}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "{work}/lists";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Cache::archives "{work}/debs";
APT::Architectures {{ "{name}"; }};
APT::Sandbox::User "root";
Debug::NoLocking "true";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
"""
