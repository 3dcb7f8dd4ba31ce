<?php

declare(strict_types=1);

namespace MauticServer;

/** What stands in Mautic's schema: read to decide what a release may do, and to judge what it has done. Exit codes do not say. */
final class Schema
{
    /** There while an installation is under way: so an interrupted one is told from anything else. */
    public const MARKER = 'aws_installation';

    /** What each release has brought, for CloudFormation's function to see that it reached its end. */
    public const RELEASES = 'aws_releases';

    public function __construct(private readonly \PDO $connection)
    {
    }

    /** @return list<string> every table but our own two */
    public function tables(): array
    {
        $statement = $this->connection->prepare(
            'SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT IN (?, ?) ORDER BY table_name'
        );
        $statement->execute([self::MARKER, self::RELEASES]);

        return $statement->fetchAll(\PDO::FETCH_COLUMN);
    }

    /** When the installation began whose marker is here; null if there is none. */
    public function installingSince(): ?string
    {
        if (!$this->has(self::MARKER)) {
            return null;
        }

        return (string) $this->connection->query('SELECT MIN(started_at) FROM '.self::MARKER)->fetchColumn();
    }

    public function markInstalling(): void
    {
        $this->connection->exec('CREATE TABLE IF NOT EXISTS '.self::MARKER.' (started_at DATETIME NOT NULL)');
        $this->connection->exec('INSERT INTO '.self::MARKER.' VALUES (UTC_TIMESTAMP())');
    }

    public function unmarkInstalling(): void
    {
        $this->connection->exec('DROP TABLE '.self::MARKER);
    }

    /** @return list<string> tables that were there before the marked installation began: not its own */
    public function tablesOlderThanMarker(): array
    {
        // MySQL answers with the session's time zone here.
        $this->connection->exec("SET time_zone = '+00:00'");
        $statement = $this->connection->prepare(
            'SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT IN (?, ?)
             AND create_time < (SELECT MIN(started_at) FROM '.self::MARKER.') ORDER BY table_name'
        );
        $statement->execute([self::MARKER, self::RELEASES]);

        return $statement->fetchAll(\PDO::FETCH_COLUMN);
    }

    /** Removes every table but our own two. */
    public function clear(): void
    {
        $this->connection->exec('SET SESSION foreign_key_checks = 0');
        foreach ($this->tables() as $table) {
            $this->connection->exec('DROP TABLE `'.str_replace('`', '``', $table).'`');
        }
        $this->connection->exec('SET SESSION foreign_key_checks = 1');
    }

    /** What Mautic's installer makes and this schema lacks, in words; null if it lacks nothing. */
    public function lacks(): ?string
    {
        return match (true) {
            !$this->has('users') || 0 === $this->count('users WHERE id = 1') => 'it has no first user',
            !$this->has('lead_fields') || 0 === $this->count('lead_fields')  => 'it has no contact fields',
            default                                                          => null,
        };
    }

    /** Whether it is known which migrations have been. */
    public function recordsMigrations(): bool
    {
        return $this->has('migrations') && 0 !== $this->count('migrations');
    }

    /** Whether the first user is this administrator. */
    public function hasAdministrator(string $username, string $email, string $password): bool
    {
        $found = $this->connection->query('SELECT username, email, password FROM users WHERE id = 1')->fetch(\PDO::FETCH_ASSOC);

        return false !== $found && $found['username'] === $username && $found['email'] === $email && password_verify($password, $found['password']);
    }

    public function record(string $id, string $command, string $version): void
    {
        $this->connection->exec(
            'CREATE TABLE IF NOT EXISTS '.self::RELEASES.' (release_id VARCHAR(64) NOT NULL PRIMARY KEY, command VARCHAR(16) NOT NULL,
             mautic_version VARCHAR(32) NOT NULL, finished_at DATETIME NOT NULL)'
        );
        $this->connection->prepare('REPLACE INTO '.self::RELEASES.' VALUES (?, ?, ?, UTC_TIMESTAMP())')->execute([$id, $command, $version]);
    }

    private function has(string $table): bool
    {
        $statement = $this->connection->prepare('SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?');
        $statement->execute([$table]);

        return 0 !== (int) $statement->fetchColumn();
    }

    private function count(string $of): int
    {
        return (int) $this->connection->query("SELECT COUNT(*) FROM $of")->fetchColumn();
    }
}
