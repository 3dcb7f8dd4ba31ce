<?php

declare(strict_types=1);

namespace MauticServer;

/** A console command of Mautic's in a process of its own: its output is ours, and so are the signals that tell it to stop. */
final class Command
{
    /** Seconds between being told to stop and being killed, unless COMMAND_GRACE says otherwise: within the 120 that ECS leaves a job. */
    private const GRACE = 100.0;

    private const LOOK_EVERY_MICROSECONDS = 50_000;

    private static bool $isStopping = false;

    /** @var resource */
    private $process;

    private int $pid;

    private ?float $toldAt = null;

    /** @param list<string> $words the command's name and its arguments */
    private function __construct(array $words)
    {
        $streams = [\STDIN, \STDOUT, \STDERR];
        $process = proc_open(['php', self::root().'/bin/console', ...$words], $streams, $pipes, self::root());
        if (false === $process) {
            throw new \RuntimeException('php '.self::root().'/bin/console could not be started.');
        }
        $this->process = $process;
        $this->pid = proc_get_status($process)['pid'];
    }

    /** From here on SIGTERM and SIGINT end us in good order: see `run`. */
    public static function heedSignals(): void
    {
        pcntl_async_signals(true);
        foreach ([\SIGTERM, \SIGINT] as $signal) {
            pcntl_signal($signal, static function (): void {
                self::$isStopping = true;
            });
        }
    }

    public static function isStopping(): bool
    {
        return self::$isStopping;
    }

    public static function root(): string
    {
        return getenv('MAUTIC_ROOT') ?: '/var/www/html';
    }

    /**
     * Runs it to its end and returns its exit code, or 128 and its signal's number.
     *
     * @param list<string>           $words    the command's name and its arguments
     * @param null|callable(): bool  $mayGoOn  asked again and again; false tells the command to stop
     */
    public static function run(array $words, ?callable $mayGoOn = null): int
    {
        $command = new self($words);
        while (($status = proc_get_status($command->process))['running']) {
            if (null !== $mayGoOn && !$mayGoOn()) {
                $command->stop();
            }
            usleep(self::LOOK_EVERY_MICROSECONDS);
        }

        return $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
    }

    /** Tells it once, and kills it when that did not help. */
    private function stop(): void
    {
        if (null === $this->toldAt) {
            $this->toldAt = microtime(true);
            posix_kill($this->pid, \SIGTERM);
        } elseif (microtime(true) - $this->toldAt > (float) (getenv('COMMAND_GRACE') ?: self::GRACE)) {
            posix_kill($this->pid, \SIGKILL);
        }
    }
}
