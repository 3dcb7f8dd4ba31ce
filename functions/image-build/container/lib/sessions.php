<?php

declare(strict_types=1);

// Where PHP keeps sessions, for php.ini: `sessions.php handler` prints the handler of phpredis, `sessions.php path` where the cache is.

namespace MauticServer;

/** The value of session.save_handler. */
function sessionHandler(): string
{
    return 'true' === getenv('CACHE_CLUSTER') ? 'rediscluster' : 'redis';
}

/** The value of session.save_path; user and password are part of it. */
function sessionPath(): string
{
    $server = sprintf('tls://%s:%s', getenv('CACHE_HOST'), getenv('CACHE_PORT') ?: '6379');
    $authority = rawurlencode((string) getenv('TLS_CA_FILE'));
    $options = implode('&', [
        'auth[user]='.rawurlencode((string) getenv('CACHE_USERNAME')),
        'auth[pass]='.rawurlencode((string) getenv('CACHE_PASSWORD')),
        // Seconds: a visitor waits for it, and a cache that fails over is back after some.
        'timeout=2',
        'read_timeout=2',
        // phpredis 5 overlooks these for a single server, where php.ini's openssl.cafile holds.
        "stream[cafile]=$authority",
        'stream[verify_peer]=1',
        'stream[verify_peer_name]=1',
        'prefix=session:',
    ]);

    return 'true' === getenv('CACHE_CLUSTER') ? "seed[]=$server&failover=error&$options" : "$server?$options";
}

if (isset($argv) && realpath($argv[0]) === __FILE__) {
    echo 'handler' === ($argv[1] ?? '') ? sessionHandler() : sessionPath();
}
