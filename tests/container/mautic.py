"""A folder that looks like Mautic's, with a stand-in for its console; and the programs of the image that run in it."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import CONTAINER, LIBRARY, SECONDS, environment

CONSOLE = Path(__file__).with_name("console.php")


class Mautic:
    """The folder, and what was called in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.record = root / "calls"
        self.record.touch()
        for folder in ("bin", "config", "var/cache", "var/logs", "var/tmp", "docroot/app", "docroot/media"):
            (root / folder).mkdir(parents=True)
        shutil.copy(CONSOLE, root / "bin/console")
        shutil.copy(CONTAINER / "config/local.php", root / "config")
        (root / "docroot/app/release_metadata.json").write_text('{"version": "7.2.0"}')

    def variables(self, script: dict[str, Any] | None = None) -> dict[str, str]:
        """What a program needs to work here, with what the console's commands do."""
        calls = {"CONSOLE_CALLS": str(self.record), "CONSOLE": json.dumps(script or {})}
        return {"MAUTIC_ROOT": str(self.root), **calls}

    def calls(self) -> list[dict[str, Any]]:
        """Each command that was called, with the configuration that it saw."""
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def words(self) -> list[list[str]]:
        """The commands alone."""
        return [call["words"] for call in self.calls()]

    def begin(self, program: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start job.php or release.php."""
        return subprocess.Popen(
            ["php", str(LIBRARY / program), *arguments],
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Its exit code, its output, its errors."""
        try:
            out, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, out, errors

    def run(self, program: str, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Start it and wait."""
        return self.end(self.begin(program, *arguments, **variables))


def until(what: str, look: Callable[[], Any]) -> Any:
    """Look again and again for something true; what was seen."""
    deadline = time.monotonic() + SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {SECONDS} s")
        time.sleep(0.02)
    return seen
