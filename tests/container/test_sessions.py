"""Sessions in a real Redis and Valkey with TLS and users, alone and as three shards; and the check before a task takes traffic."""

import re
import string
import unittest

from support import CONTAINER, LIBRARY, TestCase, on_each_cache, run

WRITE = "session_id('0123456789abcdef0123456789abcdef'); session_start(); $_SESSION['name'] = 'value'; session_write_close(); echo 'written';"
READ = "session_id('0123456789abcdef0123456789abcdef'); session_start(); echo $_SESSION['name'] ?? 'nothing';"
# As Apache has them; the tests' PHP is one for the command line, which would send no cookie anyhow.
OPTIONS = ("-d", "session.use_strict_mode=0", "-d", "session.use_cookies=0", "-d", "session.cache_limiter=")


def session(code: str, check: bool = True, **variables: str):
    """Run PHP with the session settings that the entrypoint gives Apache."""
    settings = {
        f"SESSION_{name.upper()}": run("php", str(LIBRARY / "sessions.php"), name, **variables).stdout
        for name in ("handler", "path")
    }
    return run("php", *OPTIONS, "-r", code, check=check, **variables, **settings)


def checked(**variables: str) -> tuple[int, str]:
    """What the check of the cache says."""
    done = run("php", str(LIBRARY / "cache-check.php"), check=False, **variables)
    return done.returncode, done.stderr


class Sessions(TestCase):
    @on_each_cache
    def test_another_task_finds_the_session(self, cache):
        self.assertEqual(session(WRITE, **cache.variables()).stdout, "written")
        self.assertEqual(session(READ, **cache.variables()).stdout, "value")
        self.assertEqual(cache.keys(), ["session:0123456789abcdef0123456789abcdef"])

    @on_each_cache
    def test_the_cache_forgets_it_after_four_hours(self, cache):
        session(WRITE, **cache.variables())
        seconds = max(self.expiry(cache, port) for port in cache.server["ports"])
        self.assertTrue(14_390 < seconds <= 14_400, seconds)

    def expiry(self, cache, port: int) -> int:
        with cache.session(port) as one:
            keys = one("KEYS", "*")
            return one("TTL", keys[0]) if keys else -1

    @on_each_cache
    def test_sessions_are_spread_over_all_shards_and_none_is_lost(self, cache):
        many = """
            foreach (range(1, 60) as $number) { session_id("session$number"); session_start(); $_SESSION = ['n' => $number]; session_write_close(); }
            foreach (range(1, 60) as $number) { session_id("session$number"); session_start(); echo $_SESSION['n'], ' '; session_write_close(); }
        """
        self.assertEqual(session(many, **cache.variables()).stdout.split(), [str(number) for number in range(1, 61)])
        for port in cache.server["ports"]:
            with cache.session(port) as one:
                self.assertGreater(one("DBSIZE"), 0)

    @on_each_cache
    def test_a_cache_that_another_authority_vouches_for_is_refused(self, cache):
        variables = {**cache.variables(), "TLS_CA_FILE": cache.server["wrong_ca_file"]}
        done = session(WRITE, check=False, **variables)
        self.assertIn("certificate verify failed", done.stderr)
        self.assertEqual(cache.keys(), [])

    @on_each_cache
    def test_a_wrong_password_is_refused(self, cache):
        done = session(WRITE, check=False, **{**cache.variables(), "CACHE_PASSWORD": "not-the-password"})
        self.assertRegex(
            done.stderr, "Failed to read session data: redis|RedisClusterException: Couldn't map cluster keyspace"
        )
        self.assertEqual(cache.keys(), [])

    @on_each_cache
    def test_a_password_may_hold_any_character_but_those_that_no_secret_holds(self, cache):
        cache.PASSWORD = string.punctuation + "aZ09"
        for port in cache.server["ports"]:
            with cache.session(port) as one:
                one("ACL", "SETUSER", cache.USER, "resetpass", f">{cache.PASSWORD}")
        self.assertEqual(session(WRITE, **cache.variables()).stdout, "written")


class TheCheckBeforeTraffic(TestCase):
    @on_each_cache
    def test_a_good_cache_passes(self, cache):
        self.assertEqual(checked(**cache.variables()), (0, ""))

    @on_each_cache
    def test_a_wrong_password_is_told(self, cache):
        code, said = checked(**{**cache.variables(), "CACHE_PASSWORD": "not-the-password"}, CACHE_CHECK_TRIES="1")
        self.assertEqual(code, 1)
        self.assertRegex(said, rf"^cache at tls://localhost:{cache.server['port']}: .*WRONGPASS")
        self.assertNotIn("not-the-password", said)

    @on_each_cache
    def test_a_wrong_authority_is_told(self, cache):
        variables = {**cache.variables(), "TLS_CA_FILE": cache.server["wrong_ca_file"], "CACHE_CHECK_TRIES": "1"}
        code, said = checked(**variables)
        self.assertEqual(code, 1)
        self.assertIn("certificate verify failed", said)

    def test_php_s_settings_are_those_of_the_image(self):
        text = (CONTAINER / "php.ini").read_text()
        self.assertEqual(re.findall(r"^openssl.cafile = (.*)$", text, re.MULTILINE), ["${TLS_CA_FILE}"])


if __name__ == "__main__":
    unittest.main()
