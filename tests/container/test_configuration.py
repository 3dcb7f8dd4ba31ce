"""local.php evaluated: what Mautic is told for what the task is told."""

import json
import string
import unittest
from urllib.parse import unquote

from support import CONTAINER, TestCase, evaluate, run

TASK = {
    "MAUTIC_SITE_URL": "https://mautic.example.org",
    "MAUTIC_SECRET_KEY": "0123456789abcdef" * 4,
    "TRUSTED_PROXIES": "10.0.0.0/16,10.1.0.0/16",
    "MAUTIC_API_ENABLED": "1",
    "MAUTIC_DB_HOST": "db.example.org",
    "MAUTIC_DB_PORT": "3306",
    "MAUTIC_DB_NAME": "mautic",
    "MAUTIC_DB_USER": "mautic",
    "MAUTIC_DB_PASSWORD": "database-password",
    "CACHE_HOST": "cache.example.org",
    "CACHE_PORT": "6379",
    "CACHE_CLUSTER": "false",
    "CACHE_USERNAME": "app",
    "CACHE_PASSWORD": "cache-password",
    "SMTP_HOST": "email-smtp.eu-central-1.amazonaws.com",
    "SMTP_PORT": "587",
    "SMTP_USERNAME": "AKIAIOSFODNN7EXAMPLE",
    "SMTP_PASSWORD": "ab/c+d=e",
    "SES_CONFIGURATION_SET": "mautic-prod",
    "MAUTIC_MAILER_FROM_EMAIL": "news@example.org",
    "MAUTIC_MAILER_FROM_NAME": "Example, Ltd.",
}
# Secrets Manager's characters: letters, digits and, unless excluded, these. Every template excludes the percent sign.
PUNCTUATION = string.punctuation


def parameters(**changes: str) -> dict:
    """The $parameters that local.php leaves for a task with these changes."""
    return evaluate(f"include '{CONTAINER}/config/local.php'; $result = $parameters", **{**TASK, **changes})


def resolved(setting: str) -> str:
    """A setting as Mautic hands it to Symfony: pairs of percent signs become one."""
    return setting.replace("%%", "%")


def dsn(text: str) -> dict:
    """A mail DSN as Symfony's mailer reads it."""
    code = """
        require 'Symfony/Component/Mailer/autoload.php';
        $dsn = Symfony\\Component\\Mailer\\Transport\\Dsn::fromString(getenv('DSN'));
        $result = ['scheme' => $dsn->getScheme(), 'user' => $dsn->getUser(), 'password' => $dsn->getPassword(), 'host' => $dsn->getHost(),
            'port' => $dsn->getPort(), 'require_tls' => $dsn->getOption('require_tls'), 'ping_threshold' => $dsn->getOption('ping_threshold')]
    """
    return evaluate(code, DSN=text)


class WhatMauticIsTold(TestCase):
    def test_a_task_of_the_stack(self):
        self.assertEqual(
            parameters(),
            {
                "site_url": "https://mautic.example.org",
                "secret_key": "0123456789abcdef" * 4,
                "trusted_proxies": ["10.0.0.0/16", "10.1.0.0/16"],
                "db_driver": "pdo_mysql",
                "db_host": "db.example.org",
                "db_port": "3306",
                "db_name": "mautic",
                "db_user": "mautic",
                "db_password": "database-password",
                "db_table_prefix": None,
                "mailer_dsn": "smtp://AKIAIOSFODNN7EXAMPLE:ab%%2Fc%%2Bd%%3De@email-smtp.eu-central-1.amazonaws.com:587"
                "?require_tls=true&ping_threshold=5",
                "mailer_from_email": "news@example.org",
                "mailer_from_name": "Example, Ltd.",
                "mailer_custom_headers": {
                    "X-SES-CONFIGURATION-SET": "mautic-prod",
                    "X-Mautic-Track": "{tracking_pixel}",
                },
                "messenger_dsn_email": "doctrine://default?queue_name=email",
                "messenger_dsn_hit": "doctrine://default?queue_name=hit",
                "messenger_dsn_failed": "doctrine://default?queue_name=failed",
                "cache_adapter": "mautic.cache.adapter.redis",
                "cache_adapter_tag_aware": "mautic.cache.adapter.redis_tag_aware",
                "cache_adapter_redis": {
                    "dsn": ["tls://cache.example.org:6379"],
                    "options": {
                        "parameters": {
                            "scheme": "tls",
                            "username": "app",
                            "password": "cache-password",
                            "ssl": {
                                "cafile": "/etc/ssl/certs/ca-certificates.crt",
                                "verify_peer": True,
                                "verify_peer_name": True,
                            },
                        }
                    },
                },
                "cache_prefix": "mautic",
                "api_enabled": True,
                "api_enable_basic_auth": False,
            },
        )

    def test_the_file_leaves_no_other_variable_behind(self):
        code = f"include '{CONTAINER}/config/local.php'; $result = array_keys(get_defined_vars())"
        names = set(evaluate(code, **TASK)) - set(evaluate("$result = array_keys(get_defined_vars())", **TASK))
        self.assertEqual(names, {"parameters"})

    def test_a_cluster_is_given_twice_so_that_predis_takes_it_for_one(self):
        redis = parameters(CACHE_CLUSTER="true")["cache_adapter_redis"]
        self.assertEqual(redis["dsn"], ["tls://cache.example.org:6379"] * 2)
        self.assertEqual(redis["options"]["cluster"], "redis")

    def test_mail_that_is_held_goes_nowhere(self):
        self.assertEqual(parameters(MAUTIC_MAILER_DSN="null://null")["mailer_dsn"], "null://null")

    def test_nothing_fails_while_the_image_is_built_and_nothing_is_set(self):
        found = evaluate(f"include '{CONTAINER}/config/local.php'; $result = $parameters", TLS_CA_FILE="")
        self.assertEqual((found["site_url"], found["mailer_dsn"]), ("", "null://null"))
        self.assertEqual((found["trusted_proxies"], found["api_enabled"]), ([], False))
        self.assertEqual(found["mailer_custom_headers"], {"X-Mautic-Track": "{tracking_pixel}"})

    def test_flags(self):
        for value, expected in (("1", True), ("true", True), ("0", False), ("false", False), ("", False)):
            with self.subTest(value=value):
                found = parameters(MAUTIC_API_ENABLED=value, MAUTIC_API_ENABLE_BASIC_AUTH=value)
                self.assertEqual((found["api_enabled"], found["api_enable_basic_auth"]), (expected, expected))

    def test_settings_of_the_image_are_there_but_never_instead_of_the_task_s(self):
        file = self.folder() / "settings.json"
        file.write_text(json.dumps({"default_timezone": "Europe/Berlin", "site_url": "https://elsewhere.example.org"}))
        found = parameters(MAUTIC_SETTINGS_FILE=str(file))
        self.assertEqual(found["default_timezone"], "Europe/Berlin")
        self.assertEqual(found["site_url"], "https://mautic.example.org")

    def test_the_tracking_header_is_the_one_that_the_template_sets(self):
        template = (CONTAINER.parents[2] / "cloudformation/modules/mautic-tasks.yaml").read_text()
        self.assertEqual(template.count('"X-Mautic-Track":"{tracking_pixel}"'), 3)


class Passwords(TestCase):
    def test_symfony_reads_every_character_of_a_mail_password_as_it_is(self):
        for characters in (PUNCTUATION, string.ascii_letters + string.digits, "a/b+c==", "%2F", "100%"):
            with self.subTest(characters=characters):
                found = dsn(
                    resolved(parameters(SMTP_PASSWORD=characters, SMTP_USERNAME=f"u{characters}")["mailer_dsn"])
                )
                self.assertEqual(
                    found,
                    {
                        "scheme": "smtp",
                        "user": f"u{characters}",
                        "password": characters,
                        "host": "email-smtp.eu-central-1.amazonaws.com",
                        "port": 587,
                        "require_tls": "true",
                        "ping_threshold": "5",
                    },
                )

    def test_each_character_alone(self):
        passwords = {character: parameters(SMTP_PASSWORD=f"x{character}y")["mailer_dsn"] for character in PUNCTUATION}
        for character, address in passwords.items():
            with self.subTest(character=character):
                secret = resolved(address).split("@")[0].rsplit(":", 1)[1]
                self.assertRegex(secret, r"^[A-Za-z0-9%._~-]+$")
                self.assertEqual(unquote(secret), f"x{character}y")

    def test_no_setting_holds_a_percent_sign_that_mautic_would_take_for_a_reference(self):
        # But the database's password, which Mautic takes from the environment: there the entrypoint refuses it.
        found = parameters(SMTP_PASSWORD="%a%", CACHE_PASSWORD="%b%", CACHE_USERNAME="%c%")
        text = json.dumps([found["mailer_dsn"], found["cache_adapter_redis"]])
        self.assertNotRegex(text.replace("%%", ""), "%")
        redis = found["cache_adapter_redis"]["options"]["parameters"]
        self.assertEqual((resolved(redis["username"]), resolved(redis["password"])), ("%c%", "%b%"))

    def test_the_port_for_tls_from_the_first_byte_gets_its_scheme(self):
        found = dsn(resolved(parameters(SMTP_PORT="465")["mailer_dsn"]))
        self.assertEqual((found["scheme"], found["port"], found["require_tls"]), ("smtps", 465, None))


class SymfonyConfiguration(TestCase):
    """config_override.php: what it hands to Symfony's container, which is not here."""

    def test_both_connections_verify_the_server_and_nothing_of_a_task_is_compiled_in(self):
        code = f"""
            namespace Monolog\\Handler {{ class StreamHandler {{}} }}
            namespace {{
            class Recorder {{
                public array $calls = [];
                public function loadFromExtension(string $name, array $values): void {{ $this->calls[$name] = $values; }}
                public function register(string $id, string $class): static {{ $this->calls[$id] = $class; return $this; }}
                public function setArguments(array $arguments): void {{ $this->calls['arguments'] = $arguments; }}
            }}
            $container = new Recorder();
            include '{CONTAINER}/config/config_override.php';
            $names = ['CA' => PDO::MYSQL_ATTR_SSL_CA, 'VERIFY' => PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT,
                'STRING' => PDO::ATTR_STRINGIFY_FETCHES, 'BUFFERED' => PDO::MYSQL_ATTR_USE_BUFFERED_QUERY];
            foreach ($container->calls['doctrine']['dbal']['connections'] as $name => $connection) {{
                foreach ($names as $word => $number) {{ $result[$name][$word] = $connection['options'][$number] ?? null; }}
            }}
            $result['log'] = $container->calls['arguments'];
            $result['handlers'] = $container->calls['monolog']['handlers'];
            }}
            namespace {{
        """
        code = code.strip()
        done = run("php", "-r", code + " echo json_encode($result); }", DATABASE_CA_FILE="must-not-be-read")
        tls = {"CA": "%env(DATABASE_CA_FILE)%", "VERIFY": True, "STRING": True}
        self.assertEqual(
            json.loads(done.stdout),
            {
                "default": {**tls, "BUFFERED": None},
                "unbuffered": {**tls, "BUFFERED": False},
                "log": ["php://stderr", "%env(MAUTIC_LOG_LEVEL)%"],
                "handlers": {
                    "mautic": {"type": "service", "id": "mautic_server.log"},
                    "nested": {"type": "stream", "path": "php://stderr", "level": "error"},
                },
            },
        )


class Syntax(TestCase):
    def test_every_php_file_is_php(self):
        files = [*CONTAINER.rglob("*.php"), CONTAINER / "bin/healthy"]
        self.assertGreater(len(files), 8)
        for file in files:
            with self.subTest(file=file.name):
                run("php", "-l", str(file))


if __name__ == "__main__":
    unittest.main()
