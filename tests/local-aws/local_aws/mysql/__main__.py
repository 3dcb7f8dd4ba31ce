"""`python -m local_aws.mysql fetch|start|stop`."""

import argparse
import sys
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.state import DEFAULT_STATE

from . import fetch, start, stop


def main() -> int:
    """Runs one command; a failure is one message, not a stack trace."""
    parser = argparse.ArgumentParser(
        prog="local_aws.mysql", description="Real MySQL servers for the tests and the local AWS."
    )
    parser.add_argument("command", choices=["fetch", "start", "stop"])
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="the directory that holds everything; default: %(default)s"
    )
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "fetch":
                for installation in fetch(arguments.state):
                    print(f"MySQL {installation.version} ({installation.origin})")
            case "start":
                start(arguments.state)
            case "stop":
                stop(arguments.state)
    except LocalAwsError as error:
        print(f"local_aws.mysql: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
