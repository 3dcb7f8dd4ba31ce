"""The AWS CLI, loaded once: a server that forks for every call, and a command `aws` that asks it.

Half a second of processor time a call goes into importing the CLI's modules, and end to end makes hundreds of calls. What runs
is the pinned CLI's own code, in a process of its own that has its caller's arguments, environment, working directory and
standard streams; it ends with its caller, and gets the signals that its caller gets.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from local_aws.errors import LocalAwsError

CLIENT = Path(__file__).with_name("client.py")


@contextlib.contextmanager
def served(directory: Path) -> Iterator[Path]:
    """The path of a command `aws` in this directory that works until the end."""
    directory.mkdir(parents=True, exist_ok=True)
    command, address = directory / "aws", directory / "socket"
    # -I and -S: nothing of the site's packages, which would cost more than the call.
    command.write_text(f"#!{sys.executable} -IS\nADDRESS = {str(address)!r}\n{CLIENT.read_text()}")
    command.chmod(0o755)
    address.unlink(missing_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "local_aws.aws_cli.server", address.name],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as server:
        try:
            if server.stdout.read(1) != b"\n":
                raise LocalAwsError(f"the AWS CLI's server ended with {server.wait()} before it listened")
            yield command
        finally:
            server.terminate()
