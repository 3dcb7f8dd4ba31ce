"""The real MySQL behind the emulated RDS, seen by its administrator and by the user that the stack made."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
from world import client, world

_taken: dict[int, threading.Lock] = {}
_taking = threading.Lock()


def take(release: str) -> Callable[[], None]:
    """Wait until no other installation uses the server that this release leads to; call the answer to let go of it.

    The root template knows one schema and one user, as there is one Mautic on a server; here stacks may meet on one.
    """
    with _taking:
        lock = _taken.setdefault(server_for(release)["port"], threading.Lock())
    lock.acquire()
    return lock.release


def server_for(release: str) -> dict[str, Any]:
    """The server that stands in for a release: its own, else the next newer, else any."""
    servers = sorted(world().mysql, key=lambda one: _number(one["version"]))
    newer = (one for one in servers if _number(one["version"])[:2] >= _number(release))
    return next(newer, servers[-1])


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def forget(server: dict[str, Any], schema: str, user: str) -> None:
    """Drop what a deleted installation has left, so that another one finds nothing of it: Mautic's, and bounce-handler's."""
    with connected(server, server["admin_user"], server["admin_password"]) as cursor:
        for suffix in ("", "_bounces"):
            cursor.execute(f"DROP DATABASE IF EXISTS `{schema}{suffix}`")
            cursor.execute(f"DROP USER IF EXISTS '{user}{suffix}'@'%'")


def server_of(instance: str) -> dict[str, Any]:
    """The server that an RDS instance leads to."""
    endpoint = client("rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]["Endpoint"]
    return next(one for one in world().mysql if one["port"] == endpoint["Port"])


def secret(arn: str) -> dict[str, Any]:
    """The content of a secret."""
    return json.loads(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


@contextlib.contextmanager
def connected(server: dict[str, Any], user: str, password: str, schema: str = "", tls: bool = True) -> Iterator[Any]:
    """A cursor; the certificate is verified unless there is no TLS at all."""
    context = ssl.create_default_context(cafile=server["ca_file"]) if tls else None
    connection = pymysql.connect(
        host=server["host"],
        port=server["port"],
        user=user,
        password=password,
        database=schema or None,
        ssl=context,
        ssl_disabled=not tls,
        autocommit=True,
        charset="utf8mb4",
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def rows(server: dict[str, Any], query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """What the administrator sees."""
    with connected(server, server["admin_user"], server["admin_password"]) as cursor:
        cursor.execute(query, arguments or None)
        return list(cursor.fetchall())


def grants(server: dict[str, Any], user: str) -> list[str]:
    """SHOW GRANTS."""
    return [row[0] for row in rows(server, f"SHOW GRANTS FOR '{user}'@'%'")]


def picture(server: dict[str, Any], schema: str, user: str) -> dict[str, Any]:
    """Everything of a schema and a user that an update or a delete must leave alone."""
    account = rows(server, "SELECT ssl_type, plugin, authentication_string, User_attributes, account_locked"
                           " FROM mysql.user WHERE User = %s", user)  # fmt: skip
    return {
        "schema": rows(server, "SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", schema),
        "tables": rows(
            server, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY 1", schema
        ),
        "account": account,
        "grants": grants(server, user),
    }
