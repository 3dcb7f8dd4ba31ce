<?php

// Stands in for Mautic's bin/console in the tests of what the image does around it: Mautic itself needs Composer's whole world. Its
// commands do what CONSOLE says, a JSON object from a command's name to instructions: SQL to run, seconds to work, a file that ends the work
// when it appears, an exit code, whether SIGTERM is heeded. What was called, with which configuration, is a line of JSON in CONSOLE_CALLS;
// whoever has read it can count on what the command does with a signal.

$name = $argv[1];
$script = json_decode((string) getenv('CONSOLE'), true)[$name] ?? [];
$parameters = [];
include __DIR__.'/../config/local.php';
$told = false;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, ($script['heeds'] ?? true) ? static function () use (&$told): void { $told = true; } : SIG_IGN);
file_put_contents(getenv('CONSOLE_CALLS'), json_encode(['words' => array_slice($argv, 1), 'pid' => getmypid(), 'parameters' => $parameters])."\n", FILE_APPEND);
echo "console: $name\n";
if ($script['sql'] ?? []) {
    $pdo = new PDO(
        sprintf('mysql:host=%s;port=%s;dbname=%s', getenv('MAUTIC_DB_HOST'), getenv('MAUTIC_DB_PORT'), getenv('MAUTIC_DB_NAME')),
        getenv('MAUTIC_DB_USER'),
        getenv('MAUTIC_DB_PASSWORD'),
        [PDO::MYSQL_ATTR_SSL_CA => getenv('DATABASE_CA_FILE')]
    );
    foreach ($script['sql'] as $statement) {
        $pdo->exec($statement);
    }
}
$end = microtime(true) + ($script['seconds'] ?? 0);
while (!$told && microtime(true) < $end && !file_exists($script['until'] ?? '')) {
    usleep(20_000);
}
if ($told) {
    echo "console: told to stop\n";
}
exit($script['exit'] ?? 0);
