<?php

// Mautic's settings, wholly from the environment: no file of a task says anything about one installation.
//
// Mautic reads this file for each request and each command, and also while the image is built, when nothing is set yet: so nothing
// here fails. The entrypoint is what refuses to start without a setting. A variable of the name MAUTIC_<SETTING> comes before what
// stands here, as Mautic has it, except for those that it reads from files alone: site_url, secret_key and trusted_proxies.

$parameters = (static function (): array {
    $text = static fn (string $name, string $default = ''): string => false === ($value = getenv($name)) || '' === $value ? $default : $value;
    $flag = static fn (string $name): bool => in_array(strtolower($text($name)), ['1', 'true', 'yes', 'on'], true);

    // Mautic puts every setting through Symfony's `resolve:`, to which %name% is a reference; a doubled percent sign stands for one.
    $literal = static fn (string $value): string => str_replace('%', '%%', $value);

    $mailerDsn = static function () use ($text, $literal): string {
        if ('' === $text('SMTP_HOST')) {
            return 'null://null';
        }
        $port = $text('SMTP_PORT', '587');
        // SES's passwords hold / + and =, which would end the password or be read as something else: without the encoding Mautic falls
        // back to "invalid://null" and says nothing.
        $address = sprintf(
            '%s://%s:%s@%s:%s',
            '465' === $port ? 'smtps' : 'smtp',
            rawurlencode($text('SMTP_USERNAME')),
            rawurlencode($text('SMTP_PASSWORD')),
            $text('SMTP_HOST'),
            $port
        );
        // require_tls: no password to a server that hides STARTTLS; versions of Symfony that do not know it ignore it. SES hangs up on an
        // idle connection after some ten seconds, long before Symfony's hundred, and the next mail would fail: so ask first.
        return $literal($address).'?'.('465' === $port ? '' : 'require_tls=true&').'ping_threshold=5';
    };

    $redis = static function () use ($text, $flag, $literal): array {
        $endpoint = sprintf('tls://%s:%s', $text('CACHE_HOST', 'localhost'), $text('CACHE_PORT', '6379'));
        $parameters = [
            'scheme'   => 'tls',
            'username' => $literal($text('CACHE_USERNAME')),
            'password' => $literal($text('CACHE_PASSWORD')),
            'ssl'      => ['cafile' => $text('TLS_CA_FILE'), 'verify_peer' => true, 'verify_peer_name' => true],
        ];
        // A list, because Mautic takes a single text apart in a way that Predis no longer understands. Twice in a cluster: with one
        // address Predis takes it for one server, and loses what belongs to the other shards.
        return $flag('CACHE_CLUSTER')
            ? ['dsn' => [$endpoint, $endpoint], 'options' => ['cluster' => 'redis', 'parameters' => $parameters]]
            : ['dsn' => [$endpoint], 'options' => ['parameters' => $parameters]];
    };

    $trustedProxies = array_values(array_filter(array_map('trim', explode(',', $text('TRUSTED_PROXIES')))));

    // What is the same for every installation of this image, such as a time zone; baked in by whoever builds it.
    $settings = json_decode((string) @file_get_contents($text('MAUTIC_SETTINGS_FILE', '/usr/local/lib/mautic/settings.json')), true) ?: [];

    return array_merge($settings, [
        'site_url'        => $text('MAUTIC_SITE_URL'),
        'secret_key'      => $text('MAUTIC_SECRET_KEY'),
        'trusted_proxies' => $trustedProxies,

        'db_driver'       => 'pdo_mysql',
        'db_host'         => $text('MAUTIC_DB_HOST'),
        'db_port'         => $text('MAUTIC_DB_PORT', '3306'),
        'db_name'         => $text('MAUTIC_DB_NAME'),
        'db_user'         => $text('MAUTIC_DB_USER'),
        'db_password'     => $text('MAUTIC_DB_PASSWORD'),
        'db_table_prefix' => null,

        'mailer_dsn'            => $text('MAUTIC_MAILER_DSN', $mailerDsn()),
        'mailer_from_email'     => $text('MAUTIC_MAILER_FROM_EMAIL', 'email@yoursite.com'),
        'mailer_from_name'      => $text('MAUTIC_MAILER_FROM_NAME', 'Mautic'),
        // bounce-handler finds the very send by the tracking header, SES publishes what became of it by the configuration set.
        'mailer_custom_headers' => array_filter(['X-SES-CONFIGURATION-SET' => $text('SES_CONFIGURATION_SET'), 'X-Mautic-Track' => '{tracking_pixel}']),

        // Mail and tracking wait in the database for a worker; a visitor does not wait for them.
        'messenger_dsn_email'  => $text('MAUTIC_MESSENGER_DSN_EMAIL', 'doctrine://default?queue_name=email'),
        'messenger_dsn_hit'    => $text('MAUTIC_MESSENGER_DSN_HIT', 'doctrine://default?queue_name=hit'),
        'messenger_dsn_failed' => $text('MAUTIC_MESSENGER_DSN_FAILED', 'doctrine://default?queue_name=failed'),

        'cache_adapter'           => 'mautic.cache.adapter.redis',
        'cache_adapter_tag_aware' => 'mautic.cache.adapter.redis_tag_aware',
        'cache_adapter_redis'     => $redis(),
        'cache_prefix'            => 'mautic',

        'api_enabled'           => $flag('MAUTIC_API_ENABLED'),
        'api_enable_basic_auth' => $flag('MAUTIC_API_ENABLE_BASIC_AUTH'),
    ]);
})();
