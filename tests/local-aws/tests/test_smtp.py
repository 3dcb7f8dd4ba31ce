"""SMTP: who may sign in, and what is sent."""

import json
import smtplib
import ssl
import unittest
from email.message import EmailMessage
from pathlib import Path

from local_aws.state import ACCOUNT, REGION
from mailing import ANYBODY, Sender, place

IDENTITY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/"
CONFIGURATION_SET = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/"


class Smtp(Sender):
    """See the sentences."""

    def refused(self, credentials: tuple[str, str]) -> None:
        with self.assertRaises(smtplib.SMTPAuthenticationError) as raised:
            self.signed_in(credentials)
        self.assertEqual(
            (raised.exception.smtp_code, raised.exception.smtp_error), (535, b"Authentication Credentials Invalid")
        )

    def refusal(self, connection: smtplib.SMTP, message: EmailMessage, recipient: str = ANYBODY) -> str:
        with self.assertRaises(smtplib.SMTPDataError) as raised:
            connection.send_message(message, to_addrs=[recipient])
        self.assertEqual(raised.exception.smtp_code, 554)
        return raised.exception.smtp_error.decode()

    def test_exactly_the_active_keys_of_iam_sign_in(self) -> None:
        first, second = self.key(), self.key()
        for credentials in (first, second):
            self.assertEqual(self.signed_in(credentials).noop()[0], 250)
        self.refused((first[0], second[1]))
        self.refused(("AKIAIOSFODNN7EXAMPLE", first[1]))
        self.iam.update_access_key(UserName=self.user, AccessKeyId=first[0], Status="Inactive")
        self.refused(first)
        self.iam.update_access_key(UserName=self.user, AccessKeyId=first[0], Status="Active")
        self.signed_in(first)
        self.iam.delete_access_key(UserName=self.user, AccessKeyId=first[0])
        self.refused(first)
        self.signed_in(second)

    def test_a_user_has_two_keys_at_most(self) -> None:
        self.key(), self.key()
        with self.assertRaises(self.iam.exceptions.LimitExceededException):
            self.key()

    def test_nothing_is_taken_before_tls_or_without_signing_in(self) -> None:
        connection = self.connected()
        connection.ehlo()
        self.assertNotIn("auth", connection.esmtp_features)
        self.assertEqual(connection.docmd("AUTH", "PLAIN AGEAYg==")[0], 530)
        self.assertEqual(connection.mail("a@b.example"), (530, b"Must issue a STARTTLS command first"))
        connection.starttls(context=ssl.create_default_context(cafile=place()["ca_file"]))
        connection.ehlo()
        self.assertEqual(connection.mail("a@b.example")[0], 530)

    def test_the_certificate_is_that_of_the_local_authority(self) -> None:
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connected().starttls(context=ssl.create_default_context())

    def test_mail_is_sent_as_far_as_the_policies_go(self) -> None:
        self.verified()
        connection = self.signed_in(self.key())
        who = f"arn:aws:iam::{ACCOUNT}:user/{self.user}"
        denied = f"Access denied: User `{who}' is not authorized to perform `ses:SendRawEmail' on resource "
        self.assertEqual(self.refusal(connection, self.message()), f"{denied}`{IDENTITY}{self.domain}'")
        self.allow(IDENTITY + self.domain)
        self.assertEqual(connection.send_message(self.message(), to_addrs=[ANYBODY]), {})
        # SES asks for the configuration set as well: without it every mail that names one fails.
        named = self.message(X_SES_CONFIGURATION_SET="mautic")
        self.assertEqual(self.refusal(connection, named), f"{denied}`{CONFIGURATION_SET}mautic'")
        self.allow(IDENTITY + self.domain, f"{CONFIGURATION_SET}mautic")
        self.assertEqual(connection.send_message(named, to_addrs=[ANYBODY]), {})

    def test_only_verified_domains_send_and_in_the_sandbox_only_they_receive(self) -> None:
        self.allow("*")
        connection = self.signed_in(self.key())
        unverified = (
            "Message rejected: Email address is not verified. The following identities failed the check in region"
        )
        self.assertEqual(self.refusal(connection, self.message()), f"{unverified} EU-CENTRAL-1: news@{self.domain}")
        self.verified()
        self.assertEqual(
            self.refusal(connection, self.message(), "a@elsewhere.example"),
            f"{unverified} EU-CENTRAL-1: a@elsewhere.example",
        )
        self.assertEqual(connection.send_message(self.message(), to_addrs=[f"a@{self.domain}"]), {})

    def test_what_was_sent_is_kept_as_it_came(self) -> None:
        self.verified()
        self.allow("*")
        message = self.message(To="a@b.example")
        connection = self.signed_in(self.key())
        connection.mail(f"bounce@{self.domain}")
        connection.rcpt(ANYBODY)
        code, text = connection.data(message.as_bytes())
        self.assertEqual((code, text[:3]), (250, b"Ok "))
        folder, message_id = Path(place()["mail"]), text[3:].decode()
        self.assertIn("A line.", (folder / f"{message_id}.eml").read_text())
        envelope = json.loads((folder / f"{message_id}.json").read_text())
        self.assertEqual(envelope, {"user": self.user, "sender": f"bounce@{self.domain}", "recipients": [ANYBODY]})


if __name__ == "__main__":
    unittest.main()
