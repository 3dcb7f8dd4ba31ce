"""`python -m local_aws`: the commands."""

import argparse
import shlex
import sys
from pathlib import Path
from types import ModuleType

from local_aws import cache, mysql, php, servers_file, service, unwanted_mail
from local_aws.errors import LocalAwsError
from local_aws.rotate import rotate
from local_aws.seed import seed
from local_aws.state import DEFAULT_STATE, State


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a failure is one message, not a stack trace."""
    chosen = _parser().parse_args(arguments)
    state = State(chosen.state)
    try:
        match chosen.command:
            case "mysql":
                _servers(mysql, chosen.action, chosen.state)
            case "cache":
                _servers(cache, chosen.action, chosen.state)
            case "php":
                found = php.fetch(chosen.state)
                print(f"PHP {found.version} ({found.origin})")
                for library in php.fetch_libraries(chosen.state):
                    print(f"Predis {library.version} ({library.origin})")
            case "start":
                service.start(state)
            case "stop":
                service.stop(state)
            case "status":
                return _status(state)
            case "env":
                print(_exports(state))
            case "seed":
                seed(_running(state), chosen.zone, chosen.bucket)
            case "bounce":
                unwanted_mail.demonstrate(state, _running(state), chosen.stack)
            case "rotate":
                rotate(_running(state), chosen.state, chosen.stack)
    except LocalAwsError as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local_aws", description="The local AWS: an emulator and a real MySQL.")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="where everything is kept: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    databases = commands.add_parser("mysql", help="the real MySQL servers")
    caches = commands.add_parser("cache", help="the real Redis and Valkey servers")
    for servers in (databases, caches):
        servers.add_argument("action", choices=["fetch", "start", "stop"])
    interpreter = commands.add_parser("php", help="PHP, Apache and Predis, for the tests of the container")
    interpreter.add_argument("action", choices=["fetch"])
    commands.add_parser("start", help="start the emulator; do nothing if it runs")
    commands.add_parser("stop", help="stop exactly what start has started")
    commands.add_parser("status", help="say what runs; exit code 0 if the emulator does")
    commands.add_parser("env", help="print exports for a shell")
    seeding = commands.add_parser("seed", help="create a hosted zone with records of its own, and a bucket")
    seeding.add_argument("--zone", default="example.org", help="default: %(default)s")
    seeding.add_argument("--bucket", default="local-packages", help="default: %(default)s")
    bouncing = commands.add_parser(
        "bounce", help="send a mail that bounces and one that is complained about, show the rows"
    )
    bouncing.add_argument("--stack", default="mautic", help="default: %(default)s")
    rotating = commands.add_parser("rotate", help="rotate a stack's database password, and show what clients see of it")
    rotating.add_argument("--stack", default="mautic", help="default: %(default)s")
    return parser


def _servers(kind: ModuleType, action: str, directory: Path) -> None:
    match action:
        case "fetch":
            kind.fetch(directory)
        case "start":
            kind.start(directory)
        case "stop":
            kind.stop(directory)


def _running(state: State) -> dict[str, str]:
    emulator, published = state.emulator(), state.published()
    if emulator is None or not emulator.is_running or not published:
        raise LocalAwsError("the local AWS is not running: run `python -m local_aws start`")
    return published


def _status(state: State) -> int:
    emulator = state.emulator()
    if emulator is None:
        print("local AWS is not running")
        return 1
    if not emulator.is_running:
        print(f"local AWS has died (process {emulator.pid}); its log: {state.log}")
        return 1
    print(f"local AWS runs at {emulator.endpoint} (process {emulator.pid}, log: {state.log})")
    mail = servers_file.read(state.directory).get("smtp")
    if mail:
        print(f"SMTP at {mail['host']}:{mail['port']} (authority: {mail['ca_file']}, mail: {mail['mail']})")
    site = servers_file.read(state.directory).get("site")
    if site:
        print(f"sites at {site['host']}:{site['port']} (authority: {site['ca_file']})")
    return 0


def _exports(state: State) -> str:
    """Lines for `eval`; the service-specific variables of a real account must not shine through."""
    published = _running(state)
    values = {
        "AWS_ENDPOINT_URL": published["endpoint"],
        "AWS_ACCESS_KEY_ID": published["access_key"],
        "AWS_SECRET_ACCESS_KEY": published["secret_key"],
        "AWS_REGION": published["region"],
        "AWS_DEFAULT_REGION": published["region"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    site = servers_file.read(state.directory).get("site")
    if site:
        values |= {"SITE_CONNECT_TO": f"{site['host']}:{site['port']}", "SITE_CA_FILE": site["ca_file"]}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join(["unset AWS_SESSION_TOKEN AWS_PROFILE", *lines])
