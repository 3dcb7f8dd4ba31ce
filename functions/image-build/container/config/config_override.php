<?php

// What no setting of Mautic's reaches, changed in Symfony's own configuration. Compiled once: so nothing of a task is read here by
// getenv(), which would be frozen; %env(...)% is read when it is needed.

$tls = [
    // With both of them a server is refused unless an authority that we know vouches for its name. The CA alone would encrypt to anybody.
    PDO::MYSQL_ATTR_SSL_CA                 => '%env(DATABASE_CA_FILE)%',
    PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true,
    PDO::ATTR_STRINGIFY_FETCHES            => true, // Mautic's own
];

$container->loadFromExtension('doctrine', ['dbal' => ['connections' => [
    'default'    => ['options' => $tls],
    'unbuffered' => ['options' => $tls + [PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]],
]]]);

// Logs go to the container's own output, not into files that end with the task. Mautic's level is what the task says; Symfony's
// "nested" holds what went wrong outside of Mautic's own code, such as an exception that nobody caught.
$container->register('mautic_server.log', Monolog\Handler\StreamHandler::class)
    ->setArguments(['php://stderr', '%env(MAUTIC_LOG_LEVEL)%']);
$container->loadFromExtension('monolog', ['handlers' => [
    'mautic' => ['type' => 'service', 'id' => 'mautic_server.log'],
    'nested' => ['type' => 'stream', 'path' => 'php://stderr', 'level' => 'error'],
]]);
