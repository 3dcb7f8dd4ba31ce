<?php

declare(strict_types=1);

// One console command as a task: `job.php mautic:import [argument ...]`.
//
// With JOB_EXCLUSIVE it holds a lock of the command's name while the command runs; a run that finds it taken ends with 0 and says
// "skipped". After JOB_TIME_LIMIT seconds the command is told to stop. The last line is JSON: the alarms on jobs count these lines.

namespace MauticServer;

require_once __DIR__.'/command.php';
require_once __DIR__.'/lock.php';

/** Says, while a command runs, whether it may go on; and if not, why. */
final class Leash
{
    /** A database that fails over is away for a minute or so, for every other run as well. */
    private const WITHOUT_DATABASE_SECONDS = 90.0;

    public ?string $reason = null;

    private readonly float $started;

    /** Seconds between two looks at the lock. */
    private readonly float $interval;

    private float $checked;

    private float $held;

    public function __construct(private readonly ?Lock $lock, private readonly float $limit)
    {
        $this->started = $this->checked = $this->held = microtime(true);
        $this->interval = (float) (getenv('JOB_LOCK_CHECK_SECONDS') ?: 15);
    }

    public function mayGoOn(): bool
    {
        $now = microtime(true);
        if (null !== $this->lock && $now - $this->checked > $this->interval) {
            $this->checked = $now;
            $this->reason ??= $this->lookAtLock($now);
        }
        $this->reason ??= match (true) {
            Command::isStopping()                  => 'it was told to stop',
            $now - $this->started > $this->limit => sprintf('it has run longer than JOB_TIME_LIMIT, %d seconds', $this->limit),
            default                                => null,
        };

        return null === $this->reason;
    }

    private function lookAtLock(float $now): ?string
    {
        try {
            if (!$this->lock->keep()) {
                return 'the database gave its lock to another run';
            }
            $this->held = $now;
        } catch (\RuntimeException $error) {
            if ($now - $this->held > self::WITHOUT_DATABASE_SECONDS) {
                return 'its lock cannot be kept: '.$error->getMessage();
            }
        }

        return null;
    }
}

/**
 * @param list<string> $words the command and its arguments
 *
 * @return array{exit: int, skipped?: true}
 */
function job(array $words): array
{
    $lock = 'true' === getenv('JOB_EXCLUSIVE') ? new Lock($words[0]) : null;
    if (null !== $lock && !$lock->take(0)) {
        fwrite(\STDERR, "job: {$words[0]} runs already, in another task; nothing was done.\n");

        return ['exit' => 0, 'skipped' => true];
    }
    $leash = new Leash($lock, (float) (getenv('JOB_TIME_LIMIT') ?: \INF));
    $exit = Command::run($words, $leash->mayGoOn(...));
    if (null !== $leash->reason) {
        fwrite(\STDERR, "job: {$words[0]} was stopped: {$leash->reason}.\n");
        // Even a command that ends in good order when it is stopped has not done all of its work.
        $exit = 0 === $exit ? 128 + \SIGTERM : $exit;
    }

    return ['exit' => $exit];
}

if ($argc < 2) {
    fwrite(\STDERR, "job: no command given; example: job mautic:segments:update\n");
    exit(64);
}
Command::heedSignals();
$started = microtime(true);
try {
    $end = job(array_slice($argv, 1));
} catch (\Exception $error) {
    fwrite(\STDERR, 'job: '.$error->getMessage()."\n");
    $end = ['exit' => 1];
}
$line = ['job' => $argv[1], 'exit' => $end['exit'], 'seconds' => round(microtime(true) - $started, 1), ...$end];
fwrite(\STDOUT, json_encode($line, \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE | \JSON_PRESERVE_ZERO_FRACTION)."\n");
exit($end['exit']);
