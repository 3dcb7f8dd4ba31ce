"""What the tests of the container share: its PHP under the distribution's own PHP, and the real servers that `make servers` started."""

import contextlib
import functools
import json
import os
import random
import re
import socket
import subprocess
import tempfile
import unittest
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql
from local_aws import php, servers_file
from local_aws.cache.session import Session
from local_aws.state import DEFAULT_STATE

REPOSITORY = Path(__file__).resolve().parents[2]
CONTAINER = REPOSITORY / "functions/image-build/container"
LIBRARY = CONTAINER / "lib"
SECONDS = 60
"""Patience with a program that should end by itself."""


@functools.cache
def installation() -> php.Installation:
    """The PHP; fetched if it is not there yet."""
    return php.fetch(say=lambda text: None)


@functools.cache
def programs() -> Path:
    """A folder with `php` and `apache2`, with the image's own php.ini."""
    # Below /var/tmp, for a user who is not root.
    directory = Path(tempfile.mkdtemp(prefix="container-programs-"))
    directory.chmod(0o755)
    installation().write_programs(directory, (CONTAINER / "php.ini").read_text())
    print(f"tested with PHP {installation().version} ({installation().origin})")
    return directory


def environment(**variables: str) -> dict[str, str]:
    """What the image sets, and these; nothing of ours but PATH."""
    return {
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "MAUTIC_SERVER": str(CONTAINER),
        "MAUTIC_LOG_LEVEL": "notice",
        "TLS_CA_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "PHP_MEMORY_LIMIT": "256M",
        "SESSION_HANDLER": "files",
        "SESSION_PATH": tempfile.gettempdir(),
        **variables,
    }


def run(*command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program with these variables; a failure shows what it said."""
    done = subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=SECONDS)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def evaluate(code: str, **variables: str) -> Any:
    """The value that a piece of PHP leaves in $result."""
    done = run("php", "-r", f"{code}; echo json_encode($result, JSON_THROW_ON_ERROR);", **variables)
    if done.stderr:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def servers(kind: str) -> list[dict[str, Any]]:
    """The servers that run; an error that says how to start them."""
    found = servers_file.read(DEFAULT_STATE).get(kind)
    if not found:
        raise AssertionError(f"no {kind} servers run: make servers")
    return found


def free_port() -> int:
    """A port for a server, below those that the kernel gives away: none of them is some connection's a moment later."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with contextlib.suppress(OSError), socket.create_server(("", port := random.randrange(first // 2, first))):
            return port


class MySql:
    """One server, with a schema of the test's own and a user who may enter it as Mautic's does."""

    def __init__(self, server: dict[str, Any]) -> None:
        self.server = server
        self.schema = f"container_{uuid.uuid4().hex[:12]}"
        self.password = "".join(uuid.uuid4().hex for _ in range(2))
        with self.admin() as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
            cursor.execute(f"CREATE USER '{self.schema}'@'%' IDENTIFIED BY '{self.password}' REQUIRE SSL")
            # Those of functions/database-init.
            cursor.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE TEMPORARY TABLES "
                f"ON {self.schema}.* TO '{self.schema}'@'%'"
            )

    def admin(self) -> pymysql.Connection:
        """A connection of the administrator's."""
        return pymysql.connect(
            host="localhost",
            port=self.server["port"],
            user=self.server["admin_user"],
            password=self.server["admin_password"],
            ssl_ca=self.server["ca_file"],
            ssl_verify_identity=True,
            autocommit=True,
        )

    def session(self) -> pymysql.Connection:
        """A connection of Mautic's own user, who may end connections of its own."""
        return pymysql.connect(
            host="localhost",
            port=self.server["port"],
            user=self.schema,
            password=self.password,
            database=self.schema,
            ssl_ca=self.server["ca_file"],
            ssl_verify_identity=True,
            autocommit=True,
        )

    def query(self, text: str) -> list[tuple]:
        """What a query in the schema answers."""
        with self.admin() as admin, admin.cursor() as cursor:
            cursor.execute(f"USE {self.schema}")
            cursor.execute(text)
            return list(cursor.fetchall())

    def tables(self) -> list[str]:
        """The schema's tables."""
        return sorted(row[0] for row in self.query("SHOW TABLES"))

    def close(self) -> None:
        """Schema and user go."""
        with self.admin() as admin, admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {self.schema}")
            cursor.execute(f"DROP USER '{self.schema}'@'%'")

    def variables(self) -> dict[str, str]:
        """As the task definition gives them."""
        return {
            # Not by name: to PHP "localhost" is a socket in the file system.
            "MAUTIC_DB_HOST": "127.0.0.1",
            "MAUTIC_DB_PORT": str(self.server["port"]),
            "MAUTIC_DB_NAME": self.schema,
            "MAUTIC_DB_USER": self.schema,
            "MAUTIC_DB_PASSWORD": self.password,
            "DATABASE_CA_FILE": self.server["ca_file"],
        }


def rights() -> list[str]:
    """What the template lets Mautic's cache user do."""
    template = (REPOSITORY / "cloudformation/modules/cache.yaml").read_text()
    [words] = re.findall(r"AccessString: (on .+)", template)
    return words.split()


class Cache:
    """One cache, alone or of three shards, with a user as the template makes one for Mautic."""

    USER = "container"
    PASSWORD = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123"

    def __init__(self, server: dict[str, Any]) -> None:
        self.server = server
        for port in server["ports"]:
            with self.session(port) as session:
                session("ACL", "SETUSER", self.USER, "reset", f">{self.PASSWORD}", *rights())

    def session(self, port: int) -> Session:
        """A session of the administrator's with one shard."""
        session = Session(port, self.server["ca_file"])
        session("AUTH", self.server["admin_user"], self.server["admin_password"])
        return session

    def keys(self) -> list[str]:
        """Every key of every shard."""
        found = []
        for port in self.server["ports"]:
            with self.session(port) as session:
                found += session("KEYS", "*")
        return sorted(found)

    def close(self) -> None:
        """The user and all keys go."""
        for port in self.server["ports"]:
            with self.session(port) as session:
                session("FLUSHALL")
                session("ACL", "DELUSER", self.USER)

    def variables(self) -> dict[str, str]:
        """As the task definition gives them."""
        return {
            "CACHE_HOST": "localhost",
            "CACHE_PORT": str(self.server["port"]),
            "CACHE_CLUSTER": "true" if self.server["is_cluster"] else "false",
            "CACHE_USERNAME": self.USER,
            "CACHE_PASSWORD": self.PASSWORD,
            "TLS_CA_FILE": self.server["ca_file"],
        }


class TestCase(unittest.TestCase):
    """Whole values are compared, and shown in full."""

    maxDiff = None

    def folder(self) -> Path:
        """A directory that goes with the test."""
        directory = tempfile.TemporaryDirectory(prefix="container-")
        self.addCleanup(directory.cleanup)
        Path(directory.name).chmod(0o755)
        return Path(directory.name)


def on_each_mysql(test: Callable[[Any, MySql], None]) -> Callable[[Any], None]:
    """A test of a database: once on each MySQL, with a fresh schema."""

    @functools.wraps(test)
    def on_each(self: unittest.TestCase) -> None:
        for server in servers("mysql"):
            with self.subTest(mysql=server["version"]), contextlib.closing(MySql(server)) as database:
                test(self, database)

    return on_each


def on_each_cache(test: Callable[[Any, Cache], None]) -> Callable[[Any], None]:
    """A test of a cache: once on each engine, alone and as three shards."""

    @functools.wraps(test)
    def on_each(self: unittest.TestCase) -> None:
        for server in servers("cache"):
            shape = f"{server['engine']} {server['version']}, {len(server['ports'])} shards"
            with self.subTest(cache=shape), contextlib.closing(Cache(server)) as one:
                test(self, one)

    return on_each
