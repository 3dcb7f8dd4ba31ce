"""Real Redis and Valkey servers, started and stopped in a state directory of the test's own; what was fetched is borrowed."""

import os
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from local_aws import cache, processes
from local_aws.cache import fetching
from local_aws.cache.installation import from_prefix, from_system
from local_aws.cache.session import Refused, Session
from local_aws.errors import LocalAwsError
from local_aws.state import DEFAULT_STATE
from support import killed_half_way


def quiet(_: str) -> None:
    """What a start says is no part of these tests."""


def borrow(state: Path) -> None:
    """Lends the fetched servers to another state directory."""
    (state / "cache").mkdir(parents=True)
    for installation in cache.fetch(say=quiet):
        kept = DEFAULT_STATE / "cache" / installation.key
        if kept.exists():
            (state / "cache" / installation.key).symlink_to(kept)


def start_by_itself(state: Path) -> subprocess.Popen:
    """`cache start` in a process of its own."""
    command = [sys.executable, "-m", "local_aws", "--state", str(state), "cache", "start"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="cache-")
        cls.addClassCleanup(directory.cleanup)
        cls.state = Path(directory.name)
        borrow(cls.state)
        cls.addClassCleanup(cache.stop, cls.state, quiet)
        cls.entries = cache.start(cls.state, quiet)
        print(
            "tested on", ", ".join(f"{one['engine']} {one['version']}" for one in cls.entries if not one["is_cluster"])
        )

    def each(self):
        for entry in self.entries:
            with self.subTest(engine=entry["engine"], is_cluster=entry["is_cluster"]):
                yield entry

    def admin(self, entry, port=0) -> Session:
        session = Session(port or entry["port"], entry["ca_file"])
        self.addCleanup(session.__exit__)
        session("AUTH", entry["admin_user"], entry["admin_password"])
        return session

    def test_each_engine_runs_alone_and_as_three_shards(self):
        shapes = {(one["engine"], len(one["ports"])) for one in self.entries}
        engines = {one["engine"] for one in self.entries}
        self.assertEqual(shapes, {(engine, count) for engine in engines for count in (1, 3)})
        for entry in self.each():
            self.assertIn(f"_version:{entry['version']}", self.admin(entry)("INFO", "server"))

    def test_shards_are_one_cluster_without_a_hole(self):
        for entry in self.each():
            if entry["is_cluster"]:
                for port in entry["ports"]:
                    info = self.admin(entry, port)("CLUSTER", "INFO")
                    self.assertIn("cluster_state:ok\r\ncluster_slots_assigned:16384", info)

    def test_the_certificate_is_good_for_name_and_address_and_another_authority_is_refused(self):
        for entry in self.each():
            for host in ("localhost", "127.0.0.1"):
                Session(entry["port"], entry["ca_file"], host).__exit__()
            with self.assertRaises(ssl.SSLCertVerificationError):
                Session(entry["port"], entry["wrong_ca_file"])

    def test_nobody_comes_in_without_a_password(self):
        for entry in self.each():
            with Session(entry["port"], entry["ca_file"]) as session, self.assertRaisesRegex(Refused, "^NOAUTH"):
                session("PING")

    def test_a_user_s_password_is_rotated_with_an_overlap(self):
        for entry in self.each():
            if entry["is_cluster"]:
                continue
            admin = self.admin(entry)
            admin("ACL", "SETUSER", "app", "reset", "on", "~*", "+@all", ">old")
            admin("ACL", "SETUSER", "app", ">new")
            for password in ("old", "new"):
                self.assertEqual(self.admin(entry)("AUTH", "app", password), "OK")
            admin("ACL", "SETUSER", "app", "<old")
            with self.assertRaisesRegex(Refused, "^WRONGPASS"):
                self.admin(entry)("AUTH", "app", "old")
            admin("ACL", "DELUSER", "app")

    def test_the_password_is_in_no_file_but_servers_json_and_on_no_command_line(self):
        for entry in self.each():
            lines = processes.running(self.state.resolve())
            self.assertFalse([line for line in lines.values() if entry["admin_password"] in line])
            for path in (self.state / "cache/run").rglob("*"):
                if path.is_file():
                    self.assertNotIn(entry["admin_password"], path.read_text(errors="replace"), path)

    def test_a_second_start_leaves_running_servers_alone(self):
        before = set(processes.running(self.state.resolve()))
        self.assertEqual(cache.start(self.state, quiet), self.entries)
        self.assertEqual(set(processes.running(self.state.resolve())), before)


class Interruptions(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="cache-")
        self.addCleanup(directory.cleanup)
        self.state = Path(directory.name).resolve()
        borrow(self.state)
        self.addCleanup(cache.stop, self.state, quiet)

    def test_a_start_killed_half_way_is_completed_by_the_next_one(self):
        killed_half_way(self.state, lambda: start_by_itself(self.state), lambda: cache.stop(self.state, quiet))
        entries = cache.start(self.state, quiet)
        self.assertEqual(len(processes.running(self.state)), sum(len(one["ports"]) for one in entries))

    def test_a_stop_ends_what_a_start_began_and_nothing_else(self):
        words = [sys.executable, "-c", "import time; time.sleep(60)", "--dir", f"{self.state}-other/data"]
        stranger = subprocess.Popen(words)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        entries = cache.start(self.state, quiet)
        self.assertEqual(cache.stop(self.state, quiet), sum(len(one["ports"]) for one in entries))
        self.assertEqual(processes.running(self.state), {})
        self.assertIsNone(stranger.poll())
        self.assertFalse((self.state / "servers.json").exists())
        self.assertFalse((self.state / "cache/run").exists())
        self.assertEqual(cache.stop(self.state, quiet), 0)


class WhichServerIsFound(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def server(self, says: str) -> Path:
        """A program that reports a version as a server does; only what it says about itself matters here."""
        path = self.directory / "redis-server"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
        path.chmod(0o755)
        return path

    def error(self, says: str) -> str:
        with self.assertRaises(LocalAwsError) as caught:
            from_system("redis", self.server(says))
        return str(caught.exception).replace(str(self.directory), "DIR")

    def test_a_server_of_the_machine_s_own_is_taken_with_the_client_beside_it(self):
        path = self.server("Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0")
        with mock.patch.dict(os.environ, {"LOCAL_REDIS": str(path), "LOCAL_VALKEY": str(path)}):
            with self.assertRaisesRegex(LocalAwsError, "says no version of Valkey"):
                fetching.find(self.directory, quiet)
        installation = from_system("redis", path)
        self.assertEqual((installation.version, installation.key), ("7.2.4", "redis-7.2.4"))
        self.assertEqual(installation.client, (str(self.directory / "redis-cli"),))

    def test_an_older_server_is_refused(self):
        self.assertEqual(
            self.error("Redis server v=6.0.16 sha=0"), "DIR/redis-server is Redis 6.0; 7.0 or later is needed."
        )

    def test_another_program_is_refused(self):
        self.assertEqual(self.error("hello"), "DIR/redis-server --version says no version of Redis: hello")

    def test_a_missing_program_is_named(self):
        with self.assertRaises(LocalAwsError) as caught:
            from_system("valkey", self.directory / "none")
        self.assertEqual(
            str(caught.exception),
            f"{self.directory}/none cannot be run: No such file or directory. "
            "Name a valkey-server that can by LOCAL_VALKEY.",
        )

    def test_a_prefix_without_a_server_says_so(self):
        with self.assertRaises(LocalAwsError) as caught:
            from_prefix(self.directory, "redis of test")
        self.assertEqual(
            str(caught.exception),
            f"{self.directory} holds no redis-server with its C library; remove that directory and fetch again.",
        )

    def test_an_unknown_distribution_is_told_what_to_install(self):
        with (
            mock.patch.object(fetching.machine, "distribution", return_value=("plan9", "")),
            self.assertRaises(LocalAwsError) as caught,
        ):
            fetching.recipes(["redis"])
        self.assertEqual(str(caught.exception), fetching.REMEDY)


if __name__ == "__main__":
    unittest.main()
