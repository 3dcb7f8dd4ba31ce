"""A PHP out of packages, with Apache and its PHP module: how they are called and which extensions they load."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.packages import loader

OLDEST = (8, 1)
"""Mautic 6 and 7 both run on it."""

# In the order of loading: pdo_mysql needs mysqlnd and pdo, redis needs igbinary.
EXTENSIONS = ("ctype", "iconv", "mbstring", "tokenizer", "posix", "mysqlnd", "pdo", "pdo_mysql", "igbinary", "redis")


@dataclass(frozen=True)
class Installation:
    """How to call one PHP and the Apache beside it."""

    version: str
    prefix: Path
    php: tuple[str, ...]
    origin: str

    @property
    def key(self) -> str:
        """The name of its directory."""
        return f"php-{self.version}"

    @property
    def apache(self) -> tuple[str, ...]:
        """Apache; where its modules are is said when it starts."""
        return loader(self.prefix, "usr/sbin/apache2")

    def write_programs(self, directory: Path, settings: str = "") -> None:
        """Scripts named `php` and `apache2`, for code that looks for them on PATH, with a php.ini of these settings and the extensions;
        and the folder `apache`, for Apache's ServerRoot."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "php.ini").write_text(settings + self._loading())
        for name, command in (("php", self.php), ("apache2", self.apache)):
            script = directory / name
            # PHPRC and the empty list of further folders: nothing of the machine's own PHP is read, by Apache's module neither.
            variables = f"PHPRC={shlex.quote(str(directory))} PHP_INI_SCAN_DIR="
            script.write_text(f'#!/bin/sh\n{variables} exec {shlex.join(command)} "$@"\n')
            script.chmod(0o755)
        self._link_modules(directory / "apache/modules")

    def _link_modules(self, folder: Path) -> None:
        """Apache's modules, PHP's under the name that it has where it is built for one version only."""
        folder.mkdir(parents=True, exist_ok=True)
        for module in (self.prefix / "usr/lib/apache2/modules").glob("*.so"):
            name = "libphp.so" if module.name.startswith("libphp") else module.name
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(module)

    def _loading(self) -> str:
        """Lines for php.ini that find PHP code and load the extensions; distributions build some of these into the program."""
        found = sorted((self.prefix / "usr/lib/php").glob("[0-9]*/pdo_mysql.so"))
        if not found:
            raise LocalAwsError(f"{self.prefix} holds no pdo_mysql.so; remove that directory and fetch again.")
        folder = found[-1].parent
        present = [name for name in EXTENSIONS if (folder / f"{name}.so").is_file()]
        code = f'include_path = ".:{self.prefix}/usr/share/php"'
        lines = [
            code,
            f"extension_dir = {folder}",
            *(f"extension = {name}" for name in present),
            "zend_extension = opcache",
        ]
        return "\n".join(["", *lines, ""])


def from_prefix(prefix: Path, origin: str) -> Installation:
    """A PHP unpacked from packages; an error if it is incomplete or too old."""
    programs = sorted(path.name for path in (prefix / "usr/bin").glob("php[0-9]*.[0-9]"))
    if not programs:
        raise LocalAwsError(f"{prefix} holds no PHP; remove that directory and fetch again.")
    command = loader(prefix, f"usr/bin/{programs[-1]}")
    done = subprocess.run([*command, "-n", "--version"], capture_output=True, text=True, timeout=30)
    match = re.match(r"PHP (\d+)\.(\d+)\.(\d+)", done.stdout)
    if done.returncode != 0 or not match:
        raise LocalAwsError(f"{command[-1]} --version says no version of PHP: {(done.stdout + done.stderr)[-300:]}")
    if (int(match[1]), int(match[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise LocalAwsError(f"{command[-1]} is PHP {match[1]}.{match[2]}; {wanted} or later is needed.")
    return Installation(".".join(match.groups()), prefix, command, origin)
