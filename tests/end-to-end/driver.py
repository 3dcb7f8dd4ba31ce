"""The stack driver, the very program behind `make up` and `make deploy`."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from stacks import Stack
from world import ARCHITECTURE, AWS_CLI, BUCKET, DRIVER, packaged, run, started

# No image is pulled on the local AWS.
IMAGE = "example.org/mautic:7.2"


def deploy(stack: str, **parameters: str) -> subprocess.CompletedProcess[str]:
    """Deploy the root template; the exit code and what it printed."""
    own = {"FunctionArchitecture": ARCHITECTURE, "ImageUri": IMAGE}
    return run(*_deployment(stack, packaged(), {**own, **parameters}), check=False)


def watched(stack: str, template: Path, **parameters: str) -> Iterator[tuple[float, str]]:
    """Deploy a template; each line that it prints, with the seconds after which it came."""
    began = time.monotonic()
    with started(*_deployment(stack, template, parameters), stderr=subprocess.STDOUT) as child:
        for line in child.stdout:
            yield time.monotonic() - began, line.rstrip()


def _deployment(stack: str, template: Path, parameters: dict[str, str]) -> list[object]:
    pairs = [word for name, value in parameters.items() for word in ("--override", f"{name}={value}")]
    where = ["--template", template, "--s3-bucket", BUCKET, "--aws", AWS_CLI]
    return [DRIVER, "deploy", "--stack", stack, *where, *pairs, "--yes"]


def delete(stack: Stack) -> subprocess.CompletedProcess[str]:
    """Delete the stack and follow it to its end."""
    return run(DRIVER, "delete", "--stack", stack.name, "--wait", "--yes", check=False)


def why(stack: Stack) -> str:
    """What it says of the last failure."""
    return run(DRIVER, "why", "--stack", stack.name).stdout
