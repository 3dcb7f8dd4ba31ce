<?php

declare(strict_types=1);

// Signs in to the cache and asks it for its name, before a task takes traffic. Without sessions nobody can sign in, and Mautic says little of
// a cache that it cannot reach: only warnings, and then it is slow.

namespace MauticServer;

const SECONDS_BETWEEN = 3;
$tries = (int) (getenv('CACHE_CHECK_TRIES') ?: 5);

$server = sprintf('tls://%s', getenv('CACHE_HOST'));
$port = (int) (getenv('CACHE_PORT') ?: 6379);
$auth = [(string) getenv('CACHE_USERNAME'), (string) getenv('CACHE_PASSWORD')];
$stream = ['cafile' => (string) getenv('TLS_CA_FILE'), 'verify_peer' => true, 'verify_peer_name' => true];

$warnings = [];
set_error_handler(static function (int $level, string $text) use (&$warnings): bool {
    $warnings[] = trim((string) preg_replace('/\s+/', ' ', $text));

    return true;
});
for ($try = 1;; ++$try) {
    $warnings = [];
    try {
        // Of a cluster, too, one server says best what is wrong.
        $cache = new \Redis();
        $cache->connect($server, $port, 2.0, null, 0, 2.0, ['stream' => $stream]);
        $cache->auth($auth);
        $cache->ping();
        if ('true' === getenv('CACHE_CLUSTER')) {
            (new \RedisCluster(null, ["$server:$port"], 2.0, 2.0, false, $auth, $stream))->ping('session:');
        }
        exit(0);
    } catch (\RedisException|\RedisClusterException $error) {
        $reasons = implode('; ', array_unique([...$warnings, trim($error->getMessage())]));
    }
    if ($try >= $tries) {
        fwrite(\STDERR, "cache at $server:$port: $reasons\n");
        exit(1);
    }
    sleep(SECONDS_BETWEEN);
}
