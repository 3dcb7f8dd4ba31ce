"""`python -m local_aws.mysql fetch|start|restart|stop`."""

import argparse
import sys
from pathlib import Path

from local_aws.errors import LocalAwsError
from local_aws.state import DEFAULT_STATE

from . import borrow, fetch, restart, start, stop


def main() -> int:
    """Runs one command; a failure is one message, not a stack trace."""
    parser = argparse.ArgumentParser(
        prog="local_aws.mysql", description="Real MySQL servers for the tests and the local AWS."
    )
    parser.add_argument("command", choices=["fetch", "start", "restart", "stop"])
    parser.add_argument("version", nargs="?", default="", help="restart: which server")
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="the directory that holds everything; default: %(default)s"
    )
    parser.add_argument("--borrow", action="store_true", help="start: use what the default directory has fetched")
    parser.add_argument("--durable", action="store_true", help="start: what is committed outlives a crash")
    parser.add_argument("--crash", action="store_true", help="restart: after a crash, not in order")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "fetch":
                for installation in fetch(arguments.state):
                    print(f"MySQL {installation.version} ({installation.origin})")
            case "start":
                if arguments.borrow:
                    borrow(arguments.state)
                start(arguments.state, durable=arguments.durable)
            case "restart":
                restart(arguments.version, arguments.state, crash=arguments.crash)
            case "stop":
                stop(arguments.state)
    except LocalAwsError as error:
        print(f"local_aws.mysql: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
