"""Mautic's cache as Mautic 6 and 7 reach it: Predis and Symfony, with the settings of local.php, on a real Redis and Valkey."""

import functools
import json
import string
import unittest

from local_aws import php
from support import Cache, TestCase, on_each_cache, run

# As Mautic's own adapter makes them, which is not here: Predis gets "dsn" and "options", Symfony's cache that client. A list of one is one
# server: Mautic 7 takes it apart first, since Predis 2 refuses it.
OPEN = """
    require 'Predis/autoload.php';
    require 'Symfony/Component/Cache/autoload.php';
    include getenv('MAUTIC_SERVER').'/config/local.php';
    // Composer loads this file always, Debian's list of classes lacks it; Symfony 5 has none.
    @include 'Symfony/Component/Cache/Traits/ValueWrapper.php';
    // Mautic hands settings to Symfony, where pairs of percent signs become one.
    array_walk_recursive($parameters, static function (&$value) { $value = is_string($value) ? str_replace('%%', '%', $value) : $value; });
    ['dsn' => $servers, 'options' => $options] = $parameters['cache_adapter_redis'];
    $isOld = str_starts_with(Predis\Client::VERSION, '1.');
    $client = new Predis\Client($isOld || count($servers) > 1 ? $servers : $servers[0], $options);
    $adapter = fn (string $space) => new Symfony\Component\Cache\Adapter\RedisAdapter($client, $parameters['cache_prefix'].$space, 86400);
    $cache = new Symfony\Component\Cache\Adapter\TagAwareAdapter($adapter(''), $adapter('.tags.'));
"""
WRITE = """
    foreach (range(1, 60) as $n) { $saved[] = $cache->save($cache->getItem("item.$n")->set("value $n")->tag(["tag$n"])); }
    $result = count(array_filter($saved));
"""
READ = """
    foreach ($cache->getItems(array_map(fn ($n) => "item.$n", range(1, 60))) as $item) { if ($item->isHit()) { $found[] = $item->get(); } }
    $result = $found ?? [];
"""
VALUES = [f"value {number}" for number in range(1, 61)]


@functools.cache
def libraries() -> list[php.Libraries]:
    """Each Predis; fetched if it is not there yet."""
    found = php.fetch_libraries(say=lambda text: None)
    print(f"tested with Predis {', '.join(one.version for one in found)}")
    return found


class TheCache(TestCase):
    def on_each_predis(self, test, *arguments) -> None:
        for library in libraries():
            with self.subTest(predis=library.version):
                test(library, *arguments)

    def ask(self, library: php.Libraries, code: str, cache: Cache, opening: str = OPEN, **changes: str):
        """What a process of Mautic's has of its cache."""
        # Deprecations of an older Predis on a newer PHP are not what is tried here; Mautic, too, shows none.
        options = ("-d", f"include_path={library.include_path}", "-d", "error_reporting=E_ALL & ~E_DEPRECATED")
        program = f"{opening}{code}; echo json_encode($result, JSON_THROW_ON_ERROR);"
        return json.loads(run("php", *options, "-r", program, **{**cache.variables(), **changes}).stdout)

    @on_each_cache
    def test_what_one_task_writes_another_reads_and_clears(self, cache):
        self.on_each_predis(self.write_read_and_clear, cache)

    def write_read_and_clear(self, library, cache):
        self.assertEqual(self.ask(library, WRITE, cache), 60)
        self.assertEqual(self.ask(library, READ, cache), VALUES)
        keys = cache.keys()
        self.assertGreaterEqual(len(keys), 60)
        self.assertEqual([key for key in keys if not key.startswith("mautic")], [])
        for port in cache.server["ports"]:
            with cache.session(port) as one:
                self.assertGreater(one("DBSIZE"), 0, "every shard has its part")
        self.assertIs(self.ask(library, "$result = $cache->invalidateTags(['tag1', 'tag60'])", cache), True)
        self.assertEqual(self.ask(library, READ, cache), VALUES[1:-1])
        # By INFO, SCAN and EVAL, as far as the template lets Mautic's user.
        self.assertIs(self.ask(library, "$result = $cache->clear()", cache), True)
        self.assertEqual(self.ask(library, READ, cache), [])

    @on_each_cache
    def test_a_password_may_hold_any_character(self, cache):
        cache.PASSWORD = string.punctuation + "aZ09"
        for port in cache.server["ports"]:
            with cache.session(port) as one:
                one("ACL", "SETUSER", cache.USER, "resetpass", f">{cache.PASSWORD}")
        self.on_each_predis(lambda library: self.assertEqual(self.ask(library, WRITE, cache), 60))

    @on_each_cache
    def test_another_authority_s_cache_and_a_wrong_password_get_nothing(self, cache):
        self.on_each_predis(self.refused, cache)

    def refused(self, library, cache):
        # Nothing is thrown: Mautic goes on without a cache. Hence the entrypoint's own check before a task takes traffic.
        for change in ({"TLS_CA_FILE": cache.server["wrong_ca_file"]}, {"CACHE_PASSWORD": "not-the-password"}):
            self.assertIs(
                self.ask(library, "$result = $cache->save($cache->getItem('one')->set('x'))", cache, **change), False
            )
        self.assertEqual(cache.keys(), [])

    @on_each_cache
    def test_a_cluster_that_is_named_once_would_lose_what_other_shards_hold(self, cache):
        once = OPEN.replace("$isOld =", "$servers = [$servers[0]]; $isOld =")
        newest = max(libraries(), key=lambda one: one.version)
        if cache.server["is_cluster"] and not newest.version.startswith("1."):
            self.assertLess(self.ask(newest, WRITE, cache, once), 60)


if __name__ == "__main__":
    unittest.main()
