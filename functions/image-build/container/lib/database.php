<?php

declare(strict_types=1);

namespace MauticServer;

/** The connection to Mautic's database, as Mautic's own is: TLS, and the server's name verified. */
final class Database
{
    private const CONNECT_SECONDS = 10;

    /** @throws \RuntimeException naming the server and what it said */
    public static function connect(): \PDO
    {
        $address = sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4', getenv('MAUTIC_DB_HOST'), getenv('MAUTIC_DB_PORT') ?: '3306', self::schema());
        // PHP says why a certificate is refused in a warning; the exception that follows it says only that there is no connection.
        $warnings = [];
        set_error_handler(static function (int $level, string $text) use (&$warnings): bool {
            $warnings[] = preg_replace('/^PDO::__construct\(\): |\s+/', ' ', $text);

            return true;
        });
        try {
            return new \PDO($address, (string) getenv('MAUTIC_DB_USER'), (string) getenv('MAUTIC_DB_PASSWORD'), self::options());
        } catch (\PDOException $error) {
            $reasons = array_map('trim', [...$warnings, $error->getMessage()]);
            throw new \RuntimeException(sprintf('MySQL at %s:%s: %s', getenv('MAUTIC_DB_HOST'), getenv('MAUTIC_DB_PORT') ?: '3306', implode('; ', array_unique($reasons))));
        } finally {
            restore_error_handler();
        }
    }

    public static function schema(): string
    {
        return (string) getenv('MAUTIC_DB_NAME');
    }

    /** @return array<int, mixed> */
    private static function options(): array
    {
        return [
            \PDO::ATTR_ERRMODE                      => \PDO::ERRMODE_EXCEPTION,
            \PDO::ATTR_TIMEOUT                      => self::CONNECT_SECONDS,
            \PDO::MYSQL_ATTR_SSL_CA                 => (string) getenv('DATABASE_CA_FILE'),
            \PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true,
        ];
    }
}
