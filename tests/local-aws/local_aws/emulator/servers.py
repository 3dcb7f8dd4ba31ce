"""The real servers that stand behind the emulated services, as `.local/servers.json` lists them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.emulator.settings import SETTINGS


class NoDatabaseServer(RuntimeError):
    """A template asked for a database and no MySQL is running."""


@dataclass(frozen=True, repr=False)
class MySql:
    """One running MySQL server."""

    version: str
    host: str
    port: int
    ca_file: str
    admin_user: str
    admin_password: str


def mysql_servers() -> list[MySql]:
    """The running MySQL servers; read each time, for they may be started after the emulator."""
    try:
        listed = json.loads(SETTINGS.servers_file.read_text()).get("mysql", [])
    except FileNotFoundError:
        return []
    return [_mysql(entry) for entry in listed]


def _mysql(entry: dict[str, Any]) -> MySql:
    return MySql(
        version=str(entry["version"]),
        host=entry["host"],
        port=int(entry["port"]),
        ca_file=entry["ca_file"],
        admin_user=entry["admin_user"],
        admin_password=entry["admin_password"],
    )


def mysql_for(engine_version: str) -> MySql:
    """The server that stands in for this engine version: the same major.minor, else the nearest newer, else any."""
    servers = sorted(mysql_servers(), key=lambda server: _number(server.version))
    if not servers:
        raise NoDatabaseServer("no MySQL is running for AWS::RDS::DBInstance: run `python -m local_aws mysql start`")
    wanted = _number(engine_version)[:2]
    for server in servers:
        if _number(server.version)[:2] >= wanted:
            return server
    return servers[-1]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def database_environment() -> dict[str, str]:
    """`DATABASE_CA_BUNDLE` for functions: one file that holds the certificate authority of every running server."""
    authorities = sorted({server.ca_file for server in mysql_servers()})
    if not authorities:
        return {}
    if len(authorities) == 1:
        return {"DATABASE_CA_BUNDLE": authorities[0]}
    bundle = SETTINGS.servers_file.parent / "aws" / "database-ca.pem"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(Path(name).read_text() for name in authorities))
    return {"DATABASE_CA_BUNDLE": str(bundle)}


def cache_environment() -> dict[str, str]:
    """`CACHE_CA_BUNDLE` for functions: the authority of every cache that the emulator starts."""
    authority = SETTINGS.servers_file.parent / "cache" / "certificates" / "ca.pem"
    return {"CACHE_CA_BUNDLE": str(authority)} if authority.is_file() else {}
