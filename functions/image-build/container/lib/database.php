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
        $host = getenv('MAUTIC_DB_HOST');
        $port = getenv('MAUTIC_DB_PORT') ?: '3306';
        try {
            return new \PDO(
                sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4', $host, $port, self::schema()),
                (string) getenv('MAUTIC_DB_USER'),
                (string) getenv('MAUTIC_DB_PASSWORD'),
                self::options()
            );
        } catch (\PDOException $error) {
            // PHP does not say why it refused a server's certificate.
            $remedy = str_contains($error->getMessage(), 'using SSL')
                ? sprintf('; its certificate must hold that name and be from an authority in %s (DATABASE_CA_FILE).', getenv('DATABASE_CA_FILE'))
                : '';
            throw new \RuntimeException("MySQL at $host:$port: {$error->getMessage()}$remedy");
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
