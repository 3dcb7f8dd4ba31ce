"""One server: initialised once into a template, started from a copy of it with TLS required and an administrator as RDS gives one."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from local_aws import processes
from local_aws.certificates import Certificates
from local_aws.errors import LocalAwsError

from .installation import Installation

READY_WITHIN = 90.0
"""Seconds; two servers on two busy cores start in about three."""

ADMIN = "admin"
# The same rights; but its sessions run with NO_BACKSLASH_ESCAPES, for tests of quoting.
ADMIN_WITHOUT_ESCAPES = "admin_no_backslash"

# What RDS gives its master user, by its documentation ("Master user account privileges"): no SUPER, no SYSTEM_VARIABLES_ADMIN.
STATIC_PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, "
    "LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, "
    "EVENT, TRIGGER, CREATE ROLE, DROP ROLE"
)
DYNAMIC_PRIVILEGES = "APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN, XA_RECOVER_ADMIN"

# Small rather than fast with much: the tests' tables are small, too.
SIZES = (
    "--loose-mysqlx=OFF",
    "--secure-file-priv=NULL",
    "--disable-log-bin",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=32M",
    "--loose-innodb-redo-log-capacity=8M",
)
# Quick rather than durable, for all of it is thrown away at the stop.
FLEETING = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0")

# Kept, so that Python does not warn of processes that are meant to outlive it.
_outliving: list[subprocess.Popen] = []


def start(
    state: Path,
    installation: Installation,
    certificates: Certificates,
    before: dict[str, Any] | None,
    *,
    durable: bool = False,
) -> dict[str, Any]:
    """Starts the server, unless it runs as `before` says; returns its entry for `servers.json`.

    What a durable one has committed outlives even a crash of it, as with RDS.
    """
    home = state / installation.version
    run = home / "run"
    if before and processes.running(run) and _greets(before["port"]):
        return before
    processes.stop_below(home)
    shutil.rmtree(run, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    _template(home, installation)
    try:
        return _start(home, installation, certificates, durable)
    except PortTaken:
        return _start(home, installation, certificates, durable)


def again(state: Path, installation: Installation, entry: dict[str, Any], *, crash: bool) -> None:
    """Ends the server and starts it with its data and its port: as an operator reboots an instance, or as one dies."""
    if crash and not entry["durable"]:
        raise LocalAwsError(
            f"MySQL {installation.version} would lose what it has committed: only a durable one may crash; start it with --durable."
        )
    run = state / installation.version / "run"
    if crash:
        processes.kill_below(run)
        # It names the dead server by a number that another process may have by now.
        (run / "data" / "mysql.sock.lock").unlink(missing_ok=True)
    else:
        processes.stop_below(run)
    options = _options(run, entry["port"], entry["durable"])
    process = _call(run, installation, run / "data", run / "error.log", *options)
    _wait(process, installation, entry["port"], run / "error.log")


class PortTaken(LocalAwsError):
    """Another process took the free port before the server did."""


def _template(home: Path, installation: Installation) -> None:
    """Initialises a data directory once; five seconds that no later start pays again."""
    template, new = home / "template", home / "template.new"
    if template.is_dir():
        return
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    log = home / "initialise.log"
    done = _call(new, installation, new, log, "--initialize-insecure", "--loose-innodb-redo-log-capacity=8M").wait()
    if done != 0:
        raise LocalAwsError(f"MySQL {installation.version} could not initialise {new}: {_tail(log)}")
    # Every server must have an identity of its own.
    (new / "auto.cnf").unlink(missing_ok=True)
    new.rename(template)


def _start(home: Path, installation: Installation, certificates: Certificates, durable: bool) -> dict[str, Any]:
    run = home / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    shutil.copytree(home / "template", run / "data")
    for source in (certificates.authority, certificates.server, certificates.key):
        shutil.copy(source, run)
    password, port = secrets.token_urlsafe(24), _free_port()
    (run / "init.sql").touch(mode=0o600)
    (run / "init.sql").write_text(_accounts(installation, password))
    options = (*_options(run, port, durable), f"--init-file={run}/init.sql")
    process = _call(run, installation, run / "data", run / "error.log", *options)
    _wait(process, installation, port, run / "error.log")
    (run / "init.sql").unlink()
    return {
        "version": installation.version,
        "host": "localhost",
        "port": port,
        "ca_file": str(certificates.authority),
        "wrong_ca_file": str(certificates.wrong_authority),
        "admin_user": ADMIN,
        "no_backslash_admin_user": ADMIN_WITHOUT_ESCAPES,
        "admin_password": password,
        "plaintext_forbidden": True,
        "durable": durable,
    }


def _options(run: Path, port: int, durable: bool) -> list[str]:
    mode = f"CONCAT(@@sql_mode, IF(CURRENT_USER() LIKE '{ADMIN_WITHOUT_ESCAPES}@%', ',NO_BACKSLASH_ESCAPES', ''))"
    return [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        # Relative to the data directory: a whole path may be longer than the 107 bytes that a socket's name may have.
        "--socket=mysql.sock",
        f"--pid-file={run}/mysqld.pid",
        f"--init-connect=SET SESSION sql_mode = {mode}",
        "--require-secure-transport=ON",
        f"--ssl-ca={run}/ca.pem",
        f"--ssl-cert={run}/server.pem",
        f"--ssl-key={run}/server.key",
        *SIZES,
        *(() if durable else FLEETING),
    ]


def _accounts(installation: Installation, password: str) -> str:
    """The init file: a statement a line; run before the server listens, written to no log."""
    dynamic = DYNAMIC_PRIVILEGES + (", SET_ANY_DEFINER" if installation.number >= (8, 2) else ", SET_USER_ID")
    lines = ["ALTER USER 'root'@'localhost' ACCOUNT LOCK;"]
    for name in (ADMIN, ADMIN_WITHOUT_ESCAPES):
        lines += [
            f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}';",
            f"GRANT {STATIC_PRIVILEGES} ON *.* TO '{name}'@'%' WITH GRANT OPTION;",
            f"GRANT {dynamic} ON *.* TO '{name}'@'%' WITH GRANT OPTION;",
        ]
    return "\n".join([*lines, ""])


def _call(tree: Path, installation: Installation, data: Path, log: Path, *options: str) -> subprocess.Popen:
    """Starts mysqld on a data directory; where we are root as nobody, who then owns `tree`, all that the server may write."""
    prefix, account = processes.lesser_account(tree)
    if account:
        processes.give(tree, account)
    user = ["--user=root"] if os.geteuid() == 0 and not account else []
    command = [
        *prefix,
        *installation.command,
        "--no-defaults",
        *installation.options,
        f"--datadir={data}",
        *user,
        *options,
    ]
    log.touch(mode=0o600)
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True
        )
    _outliving.append(process)
    return process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _greets(port: int) -> bool:
    """Whether a MySQL server answers at the port: its greeting begins with the protocol's version, 10."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(5)[4:] == b"\x0a"
    except OSError:
        return False


def _wait(process: subprocess.Popen, installation: Installation, port: int, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN
    while True:
        ended = process.poll() is not None
        text = log.read_text(errors="replace")
        # Another program could answer at that port; only our own server's log says that it is this one.
        if not ended and "ready for connections" in text and _greets(port):
            return
        if ended and "Address already in use" in text:
            raise PortTaken(f"port {port} was taken before MySQL {installation.version} could listen; start again.")
        if ended or time.monotonic() > end:
            process.kill()
            raise LocalAwsError(f"MySQL {installation.version} did not start: {_tail(log)}. All of it: {log}")
        time.sleep(0.05)


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "[ERROR]" in line]
    return " / ".join(lines[-3:]) or "the log names no error"
