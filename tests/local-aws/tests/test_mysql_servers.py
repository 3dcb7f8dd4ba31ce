"""Real servers, started and stopped in a state directory of the test's own; what was fetched and initialised is borrowed."""

import os
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import pymysql
from local_aws import mysql, processes
from local_aws.errors import LocalAwsError
from support import killed_half_way

ACCESS_DENIED, MUST_USE_TLS, NOT_PRIVILEGED = 1045, 3159, 1227


def quiet(_: str) -> None:
    """What a start says is no part of these tests."""


def borrow(state: Path) -> None:
    """Lends the fetched servers and their templates to another state directory."""
    mysql.fetch(say=quiet)
    mysql.borrow(state)


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="mysql-")
        cls.addClassCleanup(cls.directory.cleanup)
        os.chmod(cls.directory.name, 0o755)  # noqa: S103 - so that root's servers may run as nobody
        cls.state = Path(cls.directory.name)
        borrow(cls.state)
        cls.addClassCleanup(mysql.stop, cls.state, quiet)
        cls.entries = mysql.start(cls.state, quiet)
        print("tested on MySQL", ", ".join(entry["version"] for entry in cls.entries))

    def connect(self, entry, *, authority="ca_file", host=None, user=None, password=None):
        context = ssl.create_default_context(cafile=entry[authority]) if authority else None
        return pymysql.connect(
            host=host or entry["host"],
            port=entry["port"],
            user=user or entry["admin_user"],
            password=entry["admin_password"] if password is None else password,
            ssl=context,
            ssl_disabled=context is None,
        )

    def value(self, connection, statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    def each(self):
        for entry in self.entries:
            with self.subTest(version=entry["version"]):
                yield entry

    def test_at_least_one_real_server_of_8_0_or_later_runs(self):
        self.assertGreaterEqual(len(self.entries), 1)
        for entry in self.each():
            with self.connect(entry) as connection:
                version = self.value(connection, "SELECT VERSION()")
                self.assertTrue(version.startswith(entry["version"]), version)
                self.assertNotIn("MariaDB", version)

    def test_its_certificate_is_good_for_the_name_and_for_the_address(self):
        for entry in self.each():
            for host in ("localhost", "127.0.0.1"):
                with self.connect(entry, host=host) as connection:
                    self.assertNotEqual(self.value(connection, "SHOW STATUS LIKE 'Ssl_cipher'"), "")

    def test_the_wrong_authority_is_refused(self):
        for entry in self.each():
            with self.assertRaises(pymysql.err.OperationalError) as caught:
                self.connect(entry, authority="wrong_ca_file")
            self.assertIn("CERTIFICATE_VERIFY_FAILED", str(caught.exception))

    def test_a_connection_without_tls_is_refused(self):
        for entry in self.each():
            with self.assertRaises(pymysql.err.OperationalError) as caught:
                self.connect(entry, authority=None)
            self.assertIn(caught.exception.args[0], (MUST_USE_TLS, ACCESS_DENIED))

    def test_root_without_a_password_is_refused(self):
        for entry in self.each():
            with self.assertRaises(pymysql.err.OperationalError):
                self.connect(entry, user="root", password="")

    def test_the_administrator_may_make_users_but_not_change_the_server(self):
        for entry in self.each():
            with self.connect(entry) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE USER 'made'@'%' IDENTIFIED BY 'for-the-test' REQUIRE SSL")
                cursor.execute("GRANT SELECT ON *.* TO 'made'@'%'")
                cursor.execute("DROP USER 'made'@'%'")
                with self.assertRaises(pymysql.err.OperationalError) as caught:
                    cursor.execute("SET GLOBAL sql_mode = ''")
                self.assertEqual(caught.exception.args[0], NOT_PRIVILEGED)

    def test_one_administrator_has_backslash_escapes_and_the_other_has_not(self):
        for entry in self.each():
            for user, without in ((entry["admin_user"], False), (entry["no_backslash_admin_user"], True)):
                with self.connect(entry, user=user) as connection:
                    mode = self.value(connection, "SELECT @@SESSION.sql_mode")
                    self.assertEqual("NO_BACKSLASH_ESCAPES" in mode, without, mode)
                    self.assertIn("STRICT_TRANS_TABLES", mode)

    def test_nothing_secret_stays_behind_in_the_server_s_directory(self):
        for entry in self.each():
            run = self.state / "mysql" / entry["version"] / "run"
            self.assertFalse((run / "init.sql").exists())
            self.assertNotIn(entry["admin_password"], (run / "error.log").read_text())

    @unittest.skipUnless(os.geteuid() == 0, "only root has something to give up")
    def test_no_server_runs_as_root(self):
        for pid in processes.running(self.state):
            self.assertNotEqual(Path(f"/proc/{pid}").stat().st_uid, 0)

    def test_a_second_start_leaves_running_servers_alone(self):
        before = set(processes.running(self.state))
        self.assertEqual(mysql.start(self.state, quiet), self.entries)
        self.assertEqual(set(processes.running(self.state)), before)


class Interruptions(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mysql-")
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)  # noqa: S103 - as above
        self.state = Path(directory.name)
        borrow(self.state)
        self.addCleanup(mysql.stop, self.state, quiet)

    def test_a_start_killed_half_way_is_completed_by_the_next_one(self):
        command = [sys.executable, "-m", "local_aws.mysql", "start", "--state", str(self.state)]
        killed_half_way(
            self.state,
            lambda: subprocess.Popen(command, stdout=subprocess.DEVNULL),
            lambda: mysql.stop(self.state, quiet),
        )
        entries = mysql.start(self.state, quiet)
        self.assertEqual(len(processes.running(self.state)), len(entries))

    def committed_outlives(self, entries, *, crash):
        for entry in entries:
            with self.subTest(version=entry["version"]):
                where = {"host": entry["host"], "port": entry["port"], "user": entry["admin_user"]}
                secret = {
                    "password": entry["admin_password"],
                    "ssl": ssl.create_default_context(cafile=entry["ca_file"]),
                }
                with pymysql.connect(**where, **secret) as before, before.cursor() as cursor:
                    cursor.execute("CREATE DATABASE IF NOT EXISTS kept")
                    cursor.execute("CREATE TABLE IF NOT EXISTS kept.numbers (n INT PRIMARY KEY)")
                    cursor.execute("DELETE FROM kept.numbers")
                    cursor.execute("INSERT INTO kept.numbers VALUES (1)")
                    before.commit()
                    cursor.execute("INSERT INTO kept.numbers VALUES (2)")
                    mysql.restart(entry["version"], self.state, quiet, crash=crash)
                    with self.assertRaises(pymysql.err.OperationalError):
                        cursor.execute("COMMIT")
                with pymysql.connect(**where, **secret) as after, after.cursor() as cursor:
                    cursor.execute("SELECT n FROM kept.numbers")
                    self.assertEqual(cursor.fetchall(), ((1,),))

    def test_what_was_committed_outlives_a_restart_and_nothing_else_does(self):
        self.committed_outlives(mysql.start(self.state, quiet), crash=False)

    def test_what_was_committed_outlives_a_crash_where_the_server_is_durable(self):
        self.committed_outlives(mysql.start(self.state, quiet, durable=True), crash=True)

    def test_a_server_that_is_not_durable_refuses_to_crash_and_one_that_is_not_there_to_restart(self):
        version = mysql.start(self.state, quiet)[0]["version"]
        with self.assertRaisesRegex(
            LocalAwsError, f"^MySQL {version} would lose what it has committed: only a durable"
        ):
            mysql.restart(version, self.state, quiet, crash=True)
        with self.assertRaisesRegex(LocalAwsError, r"^no MySQL 5\.7 was started in .*, but .*; start it first\.$"):
            mysql.restart("5.7", self.state, quiet)

    def test_a_stop_ends_what_a_start_began_and_nothing_else(self):
        stranger = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)", f"--datadir={self.state}-other/data"]
        )
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        entries = mysql.start(self.state, quiet)
        self.assertEqual(mysql.stop(self.state, quiet), len(entries))
        self.assertEqual(processes.running(self.state), {})
        self.assertIsNone(stranger.poll())
        self.assertFalse((self.state / "servers.json").exists())
        self.assertEqual(mysql.stop(self.state, quiet), 0)


if __name__ == "__main__":
    unittest.main()
