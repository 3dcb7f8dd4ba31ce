<?php

declare(strict_types=1);

namespace MauticServer;

require_once __DIR__.'/database.php';

/**
 * A lock that holds in the whole installation: MySQL's GET_LOCK. MySQL gives it back by itself when the connection ends, however that
 * comes; so a task that is killed leaves nothing behind.
 */
final class Lock
{
    /** MySQL's limit of a lock's name. */
    private const LONGEST_NAME = 64;

    private ?\PDO $connection = null;

    private readonly string $name;

    public function __construct(string $what)
    {
        // Lock names are the server's, not the schema's: another Mautic on the same server has its own.
        $name = Database::schema().':'.$what;
        $this->name = strlen($name) > self::LONGEST_NAME ? hash('sha256', $name) : $name;
    }

    /** Takes it, waiting so many seconds at most; whether it was to be had. */
    public function take(int $seconds): bool
    {
        $this->connection = Database::connect();

        return '1' === $this->answer('SELECT GET_LOCK(?, ?)', [$this->name, $seconds]);
    }

    /** Whether it is still ours. A connection that broke, as in a failover, is made again, and the lock taken unless another has it now. */
    public function keep(): bool
    {
        try {
            return '1' === $this->answer('SELECT IS_USED_LOCK(?) <=> CONNECTION_ID()', [$this->name]);
        } catch (\PDOException) {
            return $this->take(0);
        }
    }

    /** @param list<int|string> $values */
    private function answer(string $query, array $values): string
    {
        $statement = $this->connection->prepare($query);
        $statement->execute($values);

        return (string) $statement->fetchColumn();
    }
}
