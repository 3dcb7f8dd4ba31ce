"""A package in small, and `make deploy` of it: what the user of a real one sees, in seconds."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from fixtures import TEMPLATES
from local_aws.state import REGION
from world import AWS_CLI, DRIVER, ROOT, STATE, client, once, run, world

BUCKET = "deployments"


@once
def bucket() -> str:
    """The bucket that packages go to."""
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return BUCKET


def answered(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`tools/deploy`, which `make deploy` calls, with these variables."""
    given = [f"{name}={value}" for name, value in {"DRIVER": str(DRIVER), **variables}.items()]
    return run("env", *given, ROOT / "tools" / "deploy", *words, check=False)


class Package:
    """A folder as `make package` leaves it, of a stack with one module that holds data and one that does not."""

    def __init__(self, name: str, environment: str = "test", **parameters: str) -> None:
        self.name, self.environment = name, environment
        self.folder = STATE.directory / "deployments" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(TEMPLATES / "deployment", self.folder)
        (self.folder / "environments").mkdir()
        for known in ("dev", "test", "prod", "local"):
            self._write(known, {"Environment": known})
        self.values = {"Environment": environment, **parameters}
        self._write(environment, self.values)
        self.pack()

    @property
    def parameters(self) -> Path:
        """The parameter file."""
        return self.folder / "environments" / f"{self.environment}.json"

    def _write(self, environment: str, values: dict[str, str]) -> None:
        text = json.dumps({"Parameters": values}, indent=2)
        (self.folder / "environments" / f"{environment}.json").write_text(text)

    def set(self, **parameters: str) -> None:
        """Change the parameter file, as the user does."""
        self.values.update(parameters)
        self._write(self.environment, self.values)

    def pack(self) -> None:
        """Write the checksums."""
        made = ("SHA256SUMS", "packaged.yaml")
        files = sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name not in made)
        lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.relative_to(self.folder)}\n" for one in files]
        (self.folder / "SHA256SUMS").write_text("".join(lines))

    def variables(self, **variables: str) -> dict[str, str]:
        """What `make deploy` is told."""
        path = f"{AWS_CLI.parent}:{os.environ['PATH']}"
        own = {"DIST": str(self.folder), "STACK": self.name, "YES": "1", "PATH": path, "DRIVER": str(DRIVER)}
        return {**own, "BUCKET": bucket(), **variables}

    def deploy(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Deploy, and wait for the end."""
        return answered(self.environment, **self.variables(**variables))

    def begin(self) -> subprocess.Popen[str]:
        """Start a deployment as a terminal does: in a process group of its own, which Ctrl-C reaches as a whole."""
        return subprocess.Popen(
            [ROOT / "tools" / "deploy", self.environment],
            env={**world().environment, **self.variables()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Interrupt the whole process group; what it printed."""
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    return printed


def look(package: Package, *words: str) -> subprocess.CompletedProcess[str]:
    """Only look at the account."""
    where: tuple[Any, ...] = ("--template", package.folder / "mautic.yaml", "--parameters", package.parameters)
    options = ("--stack", package.name, *where, "--s3-bucket", bucket(), "--aws", AWS_CLI, *words)
    return run(DRIVER, "preflight", *options, check=False)
