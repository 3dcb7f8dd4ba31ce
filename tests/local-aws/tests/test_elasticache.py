"""Replication groups are real servers: TLS, users with two passwords, three shards."""

import os
import ssl
import unittest
from pathlib import Path
from typing import Any

from local_aws import cache, processes
from local_aws.cache.session import Refused, Session
from local_aws.state import DEFAULT_STATE
from support import Stack, TestCase, client, state, until

PASSWORD = "first-password-of-many"
SECOND = "second-password-of-many"


class ElastiCache(TestCase):
    """See the sentences."""

    @classmethod
    def setUpClass(cls):
        home = state().directory / "cache"
        home.mkdir(exist_ok=True)
        for installation in cache.fetch(say=lambda text: None):
            kept = DEFAULT_STATE / "cache" / installation.key
            if kept.exists() and not (home / installation.key).exists():
                (home / installation.key).symlink_to(kept)

    def session(self, stack: Stack, port: int = 0) -> Session:
        return self.connected(port or int(stack.outputs()["Port"]))

    def connected(self, port: int) -> Session:
        one = Session(port, state().directory / "cache/certificates/ca.pem")
        self.addCleanup(one.__exit__)
        return one

    def test_cache_speaks_tls_only_and_knows_the_stacks_users(self):
        stack = self.deployed("cache.yaml")
        self.assertEqual(stack.outputs()["Host"], "localhost")
        with self.assertRaises(ssl.SSLCertVerificationError):
            Session(int(stack.outputs()["Port"]), state().directory / "cache/certificates/wrong-ca.pem")
        with (
            self.assertRaises((ConnectionError, IndexError, ValueError)),
            Session(int(stack.outputs()["Port"]), None) as plain,
        ):
            plain("PING")
        session = self.session(stack)
        with self.assertRaisesRegex(Refused, "^NOAUTH"):
            session("PING")
        with self.assertRaisesRegex(Refused, "^WRONGPASS"):
            session("AUTH", "default", PASSWORD)
        self.assertEqual(session("AUTH", "mautic", PASSWORD), "OK")
        self.assertEqual(session("SET", "key", "value"), "OK")
        self.assertIn("maxmemory_policy:volatile-lru", session("INFO", "memory"))
        self.assertIn("redis_version:7.", session("INFO", "server"))
        with self.assertRaisesRegex(Refused, "^NOPERM"):
            session("FLUSHALL")

    def modified(self, user: str, *passwords: str) -> int:
        """Change the passwords, and wait until that is done; how many there are."""
        api = client("elasticache")
        self.assertEqual(api.modify_user(UserId=user, Passwords=[*passwords])["Status"], "modifying")

        def active() -> Any:
            [found] = api.describe_users(UserId=user)["Users"]
            return found if found["Status"] == "active" else None

        return until("the modification", active)["Authentication"]["PasswordCount"]

    def test_user_has_two_passwords_until_one_is_taken_away(self):
        stack = self.deployed("cache.yaml")
        user = stack.outputs()["User"]
        self.assertEqual(self.modified(user, PASSWORD, SECOND), 2)
        for password in (PASSWORD, SECOND):
            self.assertEqual(self.session(stack)("AUTH", "mautic", password), "OK")
        self.assertEqual(self.modified(user, SECOND), 1)
        with self.assertRaisesRegex(Refused, "^WRONGPASS"):
            self.session(stack)("AUTH", "mautic", PASSWORD)
        self.assertEqual(self.session(stack)("AUTH", "mautic", SECOND), "OK")

    def test_change_takes_a_moment_in_which_the_old_rule_holds_and_no_other_change_is_taken(self):
        stack = self.deployed("cache.yaml")
        out, api = stack.outputs(), client("elasticache")
        for _ in range(5):
            old, other, status = self.during_a_change(out["User"], int(out["Port"]))
            until("the change", lambda: api.describe_users(UserId=out["User"])["Users"][0]["Status"] == "active")
            if other and status == "modifying":
                break
            # A busy machine: the moment may have been over before all of it was seen.
            self.modified(out["User"], PASSWORD)
        self.assertEqual((old, other), ("OK", f"User {out['User']} is not in active state."))
        self.assertEqual(self.session(stack)("AUTH", "mautic", SECOND), "OK")

    def during_a_change(self, user: str, port: int) -> tuple[str, str, str]:
        """What a change of the password finds: what the old one gets, why another change is refused, and the state after both."""
        api, other, session = client("elasticache"), "", self.connected(port)
        api.modify_user(UserId=user, Passwords=[SECOND])
        try:
            old = str(session("AUTH", "mautic", PASSWORD))
        except Refused as error:
            old = str(error)
        try:
            api.modify_user(UserId=user, Passwords=[PASSWORD])
        except api.exceptions.InvalidUserStateFault as fault:
            other = fault.response["Error"]["Message"]
        return old, other, api.describe_users(UserId=user)["Users"][0]["Status"]

    def test_update_of_the_template_changes_rights_and_settings_in_the_server(self):
        stack = self.deployed("cache.yaml")
        self.assertEqual(stack.update(Access="on ~app:* +get", Policy="noeviction"), "UPDATE_COMPLETE", stack.story())
        session = self.session(stack)
        session("AUTH", "mautic", PASSWORD)
        self.assertEqual(session("GET", "app:1"), None)
        with self.assertRaisesRegex(Refused, "^NOPERM"):
            session("GET", "other")

    def test_cluster_has_three_shards_that_redirect_by_name(self):
        stack = self.deployed("cache.yaml", ClusterMode="enabled")
        session = self.session(stack)
        session("AUTH", "mautic", PASSWORD)
        self.assertIn("cluster_state:ok", session("CLUSTER", "INFO"))
        slots = session("CLUSTER", "SLOTS")
        self.assertEqual(sorted((one[0], one[1]) for one in slots), [(0, 5461), (5462, 10923), (10924, 16383)])
        moved = 0
        for number in range(20):
            try:
                session("SET", f"key{number}", "value")
            except Refused as error:
                moved += 1
                kind, _, place = str(error).split(" ")
                host, port = place.split(":")
                self.assertEqual((kind, host), ("MOVED", "localhost"))
                other = self.session(stack, int(port))
                other("AUTH", "mautic", PASSWORD)
                self.assertEqual(other("SET", f"key{number}", "value"), "OK")
        self.assertGreater(moved, 0)

    def test_valkey_is_valkey_and_a_change_of_the_engine_keeps_the_endpoint(self):
        stack = self.deployed("cache.yaml")
        port = stack.outputs()["Port"]
        self.assertEqual(stack.update(Engine="valkey"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.outputs()["Port"], port)
        session = self.session(stack)
        session("AUTH", "mautic", PASSWORD)
        self.assertIn("valkey_version:", session("INFO", "server"))

    def test_delete_ends_the_server_and_a_failed_one_leaves_none(self):
        stack = self.deployed("cache.yaml")
        groups = state().directory.resolve() / "cache/groups"
        place = groups / stack.outputs()["Id"]
        self.assertEqual(len(processes.running(place)), 1)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(processes.running(place), {})
        self.assertFalse(place.exists())
        before = processes.running(groups)
        broken = Stack("cache.yaml", "broken-access")
        self.assertEqual(broken.create(Access="on ~* +nonsense"), "ROLLBACK_COMPLETE", broken.story())
        self.assertIn("Unknown command or category name in ACL", broken.reason("Cache", "CREATE_FAILED"))
        self.assertEqual(processes.running(groups), before)

    def test_short_passwords_and_a_third_one_are_refused(self):
        api = client("elasticache")
        for passwords, words in (
            (["short"], "16 to 128"),
            ([PASSWORD, SECOND, "third-password-of-many"], "2 passwords"),
        ):
            with self.assertRaisesRegex(Exception, words):
                api.create_user(UserId="u", UserName="u", Engine="redis", AccessString="on", Passwords=passwords)

    def test_group_without_a_default_user_is_refused(self):
        api = client("elasticache")
        api.create_user(UserId="lonely", UserName="lonely", Engine="redis", AccessString="on", Passwords=[PASSWORD])
        with self.assertRaisesRegex(Exception, "DefaultUserRequired"):
            api.create_user_group(UserGroupId="lonely", Engine="redis", UserIds=["lonely"])

    def test_servers_know_nothing_of_the_emulators_keys(self):
        stack = self.deployed("cache.yaml")
        [pid] = processes.running(state().directory.resolve() / "cache/groups" / stack.outputs()["Id"])
        names = {one.split("=")[0] for one in Path(f"/proc/{pid}/environ").read_text().split("\0") if one}
        self.assertLessEqual(names, {"PATH", processes.MARK})
        self.assertTrue(processes.is_ours(pid, state().emulator().instance))
        self.assertNotEqual(pid, os.getpid())


if __name__ == "__main__":
    unittest.main()
