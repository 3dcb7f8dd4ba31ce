"""The process of the stand-in."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql

from local_aws.release import bcrypt

SCHEMA = Path(__file__).with_name("schema.sql")
MARKER, RECORDS = "aws_installation", "aws_releases"
ENDED = (
    f"CREATE TABLE IF NOT EXISTS {RECORDS} (release_id VARCHAR(64) NOT NULL PRIMARY KEY, command VARCHAR(16) NOT NULL, "
    "mautic_version VARCHAR(32) NOT NULL, finished_at DATETIME NOT NULL)"
)


class Refused(Exception):
    """What the schema holds does not fit the command."""


def main(command: str, environment: Mapping[str, str]) -> None:
    """Carry out one command on the schema that the environment names."""
    print(
        "Stand-in for Mautic: no container engine runs here, only the tables that the stack knows are made", flush=True
    )
    with closing(connected(environment)) as connection, connection.cursor() as cursor:
        COMMANDS[command](cursor, environment)
        record(cursor, command, environment)
    print(f"release {command}: finished", flush=True)


def connected(environment: Mapping[str, str]) -> Any:
    """A connection as Mautic has it: its own user, TLS, the server's certificate verified."""
    return pymysql.connect(
        host=environment["MAUTIC_DB_HOST"],
        port=int(environment["MAUTIC_DB_PORT"]),
        user=environment["MAUTIC_DB_USER"],
        password=environment["MAUTIC_DB_PASSWORD"],
        database=environment["MAUTIC_DB_NAME"],
        ssl={"ca": environment["DATABASE_CA_BUNDLE"], "check_hostname": True},
        autocommit=True,
        charset="utf8mb4",
    )


def install(cursor: Any, environment: Mapping[str, str]) -> None:
    """Make the tables, the administrator and the list of migrations; refuse where there is anything."""
    found = tables(cursor) - {MARKER, RECORDS}
    if found:
        raise Refused(f"the schema holds {len(found)} tables already: nothing is installed over them")
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {MARKER} (started_at DATETIME NOT NULL)")
    for statement in statements(SCHEMA.read_text()):
        cursor.execute(statement)
        if made := re.match(r"CREATE TABLE (\w+)", statement):
            print(f"made {made[1]}", flush=True)
        if environment.get("STAND_IN_DIES") == "half-way" and "CREATE TABLE leads " in statement:
            raise SystemExit("killed half-way, as the image's tag asks for")
    cursor.execute(
        "INSERT INTO users (username, password, email) VALUES (%s, %s, %s)",
        (environment["ADMIN_USERNAME"], bcrypt.hashed(environment["ADMIN_PASSWORD"]), environment["ADMIN_EMAIL"]),
    )
    migrations(cursor, environment)
    cursor.execute(f"DROP TABLE {MARKER}")


def migrate(cursor: Any, environment: Mapping[str, str]) -> None:
    """Record the migrations of this version that are not yet recorded."""
    if "migrations" not in tables(cursor):
        raise Refused("the schema holds no Mautic: there is nothing to migrate")
    migrations(cursor, environment)


COMMANDS = {"install": install, "migrate": migrate}


def migrations(cursor: Any, environment: Mapping[str, str]) -> None:
    """One migration for each version: that of 7.2 is called Version20260702000000."""
    numbers = [int(part) for part in version(environment).split(".")]
    major, minor, patch = [*numbers, 0, 0][:3]
    name = f"Mautic\\Migrations\\Version2026{major:02}{minor:02}{patch:02}0000"
    cursor.execute("INSERT IGNORE INTO migrations VALUES (%s, UTC_TIMESTAMP(), 1)", (name,))
    print(f"{'executed' if cursor.rowcount else 'nothing to do after'} {name}", flush=True)


def version(environment: Mapping[str, str]) -> str:
    """The version in the image's tag."""
    found = re.search(r":(\d+(?:\.\d+){0,2})", environment["STAND_IN_IMAGE"].split("@")[0])
    return found[1] if found else "7.2"


def record(cursor: Any, command: str, environment: Mapping[str, str]) -> None:
    """The last step: that this release reached its end."""
    cursor.execute(ENDED)
    cursor.execute(
        f"REPLACE INTO {RECORDS} VALUES (%s, %s, %s, UTC_TIMESTAMP())",
        (environment.get("RELEASE_ID", "by-hand"), command, version(environment)),
    )


def tables(cursor: Any) -> set[str]:
    """The names of the schema's tables."""
    cursor.execute("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
    return {row[0] for row in cursor.fetchall()}


def statements(text: str) -> list[str]:
    """The statements of a file whose lines end a statement with a semicolon and nowhere else."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [one.strip() for one in plain.split(";\n") if one.strip()]


if __name__ == "__main__":
    try:
        main(sys.argv[1], os.environ)
    except Refused as error:
        sys.exit(f"release {sys.argv[1]}: {error}")
