"""The real MySQL behind the emulated RDS, seen by its administrator and by the user that the stack made."""

import contextlib
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pymysql
from world import client, world


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
