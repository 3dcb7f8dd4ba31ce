"""The mail DSN in use: Symfony's mailer signs in to a real SMTP server, over verified TLS, with passwords as SES makes them and worse."""

import email
import string
import unittest

from local_aws import certificates
from local_aws.smtp.mailbox import Mailbox
from local_aws.smtp.server import Server
from support import TestCase, run

SEND = """
    require 'Symfony/Component/Mailer/autoload.php';
    include getenv('MAUTIC_SERVER').'/config/local.php';
    // As Mautic hands it to Symfony: pairs of percent signs become one.
    $dsn = str_replace('%%', '%', $parameters['mailer_dsn']);
    $mail = (new Symfony\\Component\\Mime\\Email())->from('news@example.org')->to('one@example.org')->subject('Hello')->text('Hello');
    foreach ($parameters['mailer_custom_headers'] as $name => $value) { $mail->getHeaders()->addTextHeader($name, $value); }
    try {
        (new Symfony\\Component\\Mailer\\Mailer(Symfony\\Component\\Mailer\\Transport::fromDsn($dsn)))->send($mail);
        echo 'sent';
    } catch (Exception $error) { echo $error->getMessage(); }
"""
PASSWORDS = {
    "one that SES might make": "BGd+0/x7Yz4=Q/aB+c==",
    "every character": string.punctuation + string.ascii_letters + string.digits,
    "one that looks encoded": "%2F%25%%",
}


class Account:
    """Lets one key in, which may send anything."""

    def __init__(self, user: str, password: str) -> None:
        self.known = (user, password)

    def user(self, access_key: str, password: str) -> str | None:
        """The user, if this is the key."""
        return "mail" if (access_key, password) == self.known else None

    def refusal(self, *_) -> str:
        """Nothing is refused."""
        return ""

    def sent(self, *_) -> None:
        """The mailbox is looked into instead."""


class Mail(TestCase):
    def setUp(self):
        self.certificates = certificates.ensure(self.folder() / "certificates")
        self.mailbox = self.folder()

    def serve(self, user: str, password: str) -> Server:
        server = Server(Account(user, password), Mailbox(self.mailbox), self.certificates)
        server.start()
        self.addCleanup(server.stop)
        return server

    def send(self, server: Server, **variables: str) -> str:
        host, port = server.address
        task = {"SMTP_HOST": host, "SMTP_PORT": str(port), "SES_CONFIGURATION_SET": "mautic-test"}
        return run("php", "-r", SEND, **{**task, "TLS_CA_FILE": str(self.certificates.authority), **variables}).stdout

    def test_it_signs_in_with_any_password_and_is_delivered_with_the_headers(self):
        for name, password in PASSWORDS.items():
            with self.subTest(name):
                server = self.serve("AKIAIOSFODNN7EXAMPLE", password)
                said = self.send(server, SMTP_USERNAME="AKIAIOSFODNN7EXAMPLE", SMTP_PASSWORD=password)
                self.assertEqual(said, "sent")
        delivered = [email.message_from_bytes(path.read_bytes()) for path in self.mailbox.rglob("*.eml")]
        self.assertEqual(len(delivered), len(PASSWORDS))
        for mail in delivered:
            self.assertEqual(mail["X-SES-CONFIGURATION-SET"], "mautic-test")
            self.assertEqual(mail["X-Mautic-Track"], "{tracking_pixel}")

    def test_another_password_is_refused(self):
        server = self.serve("user", "right")
        said = self.send(server, SMTP_USERNAME="user", SMTP_PASSWORD="wrong")
        self.assertIn("535 Authentication Credentials Invalid", said)

    def test_a_server_that_another_authority_vouches_for_gets_no_password(self):
        server = self.serve("user", "right")
        variables = {"SMTP_USERNAME": "user", "SMTP_PASSWORD": "right"}
        said = self.send(server, **variables, TLS_CA_FILE=str(self.certificates.wrong_authority))
        self.assertIn("certificate verify failed", said)
        self.assertEqual(self.send(server, **variables), "sent")

    def test_the_encoding_is_what_makes_it_work(self):
        # The same DSN with the password as it stands, as one would write it by hand.
        server = self.serve("user", "a/b+c=")
        host, port = server.address
        raw = f"smtp://user:a/b+c=@{host}:{port}"
        code = SEND.replace("str_replace('%%', '%', $parameters['mailer_dsn'])", "getenv('RAW')")
        self.assertNotEqual(code, SEND)
        said = run("php", "-r", code, RAW=raw, TLS_CA_FILE=str(self.certificates.authority)).stdout
        self.assertEqual(said, "The mailer DSN is invalid.")


if __name__ == "__main__":
    unittest.main()
