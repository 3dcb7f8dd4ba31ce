"""The stack driver, the very program behind `make up` and `make deploy`."""

import subprocess

from stacks import Stack
from world import ARCHITECTURE, AWS_CLI, BUCKET, DRIVER, packaged, run


def deploy(stack: str, **parameters: str) -> subprocess.CompletedProcess[str]:
    """Deploy the root template; the exit code and what it printed."""
    overrides = {"FunctionArchitecture": ARCHITECTURE, **parameters}
    pairs = [word for name, value in overrides.items() for word in ("--override", f"{name}={value}")]
    where = ("--template", packaged(), "--s3-bucket", BUCKET, "--aws", AWS_CLI)
    return run(DRIVER, "deploy", "--stack", stack, *where, *pairs, "--yes", check=False)


def delete(stack: Stack) -> subprocess.CompletedProcess[str]:
    """Delete the stack and follow it to its end."""
    return run(DRIVER, "delete", "--stack", stack.name, "--wait", "--yes", check=False)


def why(stack: Stack) -> str:
    """What it says of the last failure."""
    return run(DRIVER, "why", "--stack", stack.name).stdout
