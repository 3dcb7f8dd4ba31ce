"""A mysqld that can be started: which version it is, how it is called, where its files lie."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.packages import loader

OLDEST = (8, 0)
APPARMOR_PROFILE = Path("/etc/apparmor.d/usr.sbin.mysqld")


@dataclass(frozen=True)
class Installation:
    """How to call one mysqld."""

    version: str
    command: tuple[str, ...]
    options: tuple[str, ...]
    origin: str

    @property
    def key(self) -> str:
        """The name of its directory."""
        return self.version

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers that compare."""
        return tuple(int(part) for part in self.version.split("."))


def read_version(command: tuple[str, ...]) -> str:
    """The version that a mysqld reports; an error for what is not MySQL, or too old."""
    try:
        done = subprocess.run([*command, "--no-defaults", "--version"], capture_output=True, text=True, timeout=30)
    except OSError as error:
        raise LocalAwsError(
            f"{command[-1]} cannot be run: {error.strerror}. Name a mysqld that can by LOCAL_MYSQL."
        ) from error
    text = (done.stdout + done.stderr).strip()
    if "mariadb" in text.lower():
        raise LocalAwsError(
            f"{command[-1]} is MariaDB ({text}), which is no stand-in for MySQL; name a real mysqld by LOCAL_MYSQL."
        )
    match = re.search(r"Ver (\d+)\.(\d+)\.(\d+)", text)
    if done.returncode != 0 or not match:
        raise LocalAwsError(f"{command[-1]} --version says no version of MySQL: {text[-300:]}")
    if (int(match[1]), int(match[2])) < OLDEST:
        raise LocalAwsError(f"{command[-1]} is MySQL {match[1]}.{match[2]}; 8.0 or later is needed.")
    return ".".join(match.groups())


def from_prefix(prefix: Path, origin: str) -> Installation:
    """A mysqld unpacked from packages."""
    command = loader(prefix, "usr/sbin/mysqld")
    options = (
        f"--basedir={prefix}/usr",
        f"--lc-messages-dir={prefix}/usr/share/mysql",
        f"--character-sets-dir={prefix}/usr/share/mysql/charsets",
        f"--plugin-dir={prefix}/usr/lib/mysql/plugin",
    )
    return Installation(read_version(command), command, options, origin)


def from_system(mysqld: Path, copies: Path, profile: Path = APPARMOR_PROFILE) -> Installation:
    """A mysqld that the machine has already.

    AppArmor confines the packaged one, by its path, to the system's data directories; so a copy of it is run.
    """
    version = read_version((str(mysqld),))
    if not profile.is_file():
        return Installation(version, (str(mysqld),), (), str(mysqld))
    copy = copies / version / "mysqld"
    if not copy.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mysqld, copy.with_suffix(".new"))
        copy.with_suffix(".new").rename(copy)
    return Installation(version, (str(copy),), _directories(mysqld), f"a copy of {mysqld}, which AppArmor confines")


def _directories(mysqld: Path) -> tuple[str, ...]:
    """The options that tell a copy where the original's files are, as the original itself says."""
    text = subprocess.run([mysqld, "--no-defaults", "--verbose", "--help"], capture_output=True, text=True).stdout
    names = ("basedir", "lc-messages-dir", "character-sets-dir", "plugin-dir")
    found = {name: re.search(rf"^{name}\s+(/\S*)$", text, re.MULTILINE) for name in names}
    return tuple(f"--{name}={match[1]}" for name, match in found.items() if match)
