<?php

// What Mautic's installer finds as config/local.php, for the minute that it works; then it is thrown away. It has no site_url, because with
// one Mautic takes itself for installed. The installer's own connection is made from db_*, so TLS is asked for here as well; the
// administrator's password stands here and not on a command line, which Symfony logs when the command fails.
$parameters = [
    'db_driver'        => 'pdo_mysql',
    'db_host'          => (string) getenv('MAUTIC_DB_HOST'),
    'db_port'          => getenv('MAUTIC_DB_PORT') ?: '3306',
    'db_name'          => (string) getenv('MAUTIC_DB_NAME'),
    'db_user'          => (string) getenv('MAUTIC_DB_USER'),
    'db_password'      => (string) getenv('MAUTIC_DB_PASSWORD'),
    'db_table_prefix'  => null,
    'db_backup_tables' => false,
    'db_driverOptions' => [
        PDO::MYSQL_ATTR_SSL_CA                 => (string) getenv('DATABASE_CA_FILE'),
        PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true,
        PDO::ATTR_STRINGIFY_FETCHES            => true,
    ],
    'admin_password'   => (string) getenv('ADMIN_PASSWORD'),
];
