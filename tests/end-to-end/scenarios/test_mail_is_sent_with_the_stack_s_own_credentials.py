"""The secret that the stack fills signs in to SES's SMTP interface, sends what it may, and is worth nothing after the key."""

import functools
import json
import smtplib
import ssl
import unittest
from email.message import EmailMessage
from typing import Any

from fixtures import SesDomain, foundation, from_foundation
from local_aws import servers_file
from stacks import Stack
from world import STATE, client, module, world
from zones import Zone

DOMAIN = "letters.example"
ANYBODY = "success@simulator.amazonses.com"
# What only a stack that makes a user has.
MADE = {"AWS::IAM::User", "AWS::Lambda::Function", "AWS::SecretsManager::Secret", "Custom::SmtpCredentials"}


class MailCredentials(Stack):
    """The real module as a stack of its own, for a domain that SES has verified."""

    def __init__(self, name: str) -> None:
        super().__init__(name, module("Ses/MailCredentials"))

    def common(self) -> dict[str, str]:
        """What the foundation and the domain's stack give."""
        mail = domain()
        return {
            **from_foundation("DataKeyArn", "AlarmTopicArn", "FailureResponderArn"),
            "Domain": DOMAIN,
            "IdentityArn": mail["IdentityArn"],
            "ConfigurationSetName": mail["ConfigurationSetName"],
        }


@functools.cache
def domain() -> dict[str, str]:
    """The outputs of the domain's stack."""
    zone = Zone(DOMAIN)
    stack = SesDomain("letters")
    status = stack.create(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="60")
    assert status == "CREATE_COMPLETE", stack.story()
    return stack.outputs()


def secret(stack: MailCredentials) -> dict[str, Any]:
    """What the stack's secret holds."""
    arn = stack.outputs()["SmtpSecretArn"]
    return json.loads(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def signed_in(credentials: dict[str, Any]) -> smtplib.SMTP:
    """A connection as Mautic makes it: STARTTLS, then user name and password."""
    authority = servers_file.read(STATE.directory)["smtp"]["ca_file"]
    connection = smtplib.SMTP(credentials["host"], credentials["port"], timeout=10)
    try:
        connection.starttls(context=ssl.create_default_context(cafile=authority))
        connection.login(credentials["username"], credentials["password"])
    except BaseException:
        connection.close()
        raise
    return connection


def letter(sender: str) -> EmailMessage:
    """A mail as Mautic sends it, with the configuration set of the domain's stack."""
    message = EmailMessage()
    message["From"], message["Subject"] = sender, "Hello"
    message["X-SES-CONFIGURATION-SET"] = domain()["ConfigurationSetName"]
    message.set_content("A line.")
    return message


class MailIsSentWithTheStacksOwnCredentials(unittest.TestCase):
    """One stack that makes a user, and one that is given a secret."""

    maxDiff = None

    def refused(self, credentials: dict[str, Any]) -> None:
        with self.assertRaises(smtplib.SMTPAuthenticationError) as raised:
            signed_in(credentials).close()
        self.assertEqual(raised.exception.smtp_code, 535)

    def test_the_secret_signs_in_sends_and_ends_with_the_stack(self) -> None:
        stack = MailCredentials("credentials")
        self.assertEqual(stack.create(), "CREATE_COMPLETE", stack.story())
        made = secret(stack)
        self.assertEqual(set(made), {"username", "password", "host", "port", "region"})
        outputs = stack.outputs()
        self.assertEqual((made["host"], str(made["port"])), (outputs["SmtpHost"], outputs["SmtpPort"]))
        self.assertEqual(made["region"], world().aws["region"])

        with signed_in(made) as connection:
            self.assertEqual(connection.send_message(letter(f"News <news@{DOMAIN}>"), to_addrs=[ANYBODY]), {})
            with self.assertRaises(smtplib.SMTPDataError) as raised:
                connection.send_message(letter("news@elsewhere.example"), to_addrs=[ANYBODY])
            self.assertEqual(raised.exception.smtp_code, 554)

        # Looking again changes nothing while the key works.
        self.assertEqual(stack.update(Reconcile="1"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(secret(stack), made)
        user = stack.physical_id("MailUser")
        self.assertEqual(self.keys(user), [made["username"]])

        # A key that somebody deleted is worth nothing, and the next look replaces it.
        client("iam").delete_access_key(UserName=user, AccessKeyId=made["username"])
        self.refused(made)
        self.assertEqual(stack.update(Reconcile="2"), "UPDATE_COMPLETE", stack.story())
        again = secret(stack)
        self.assertNotEqual(again["username"], made["username"])
        signed_in(again).close()

        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.refused(again)
        self.assertNotIn(user, [one["UserName"] for one in client("iam").list_users()["Users"]])

    def keys(self, user: str) -> list[str]:
        """The ids of a user's keys."""
        found = client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
        return [one["AccessKeyId"] for one in found]

    def test_a_secret_of_ones_own_is_passed_on_and_no_user_is_made(self) -> None:
        content = json.dumps({"username": "AKIAIOSFODNN7EXAMPLE", "password": "of one's own"})
        own = client("secretsmanager").create_secret(
            Name="smtp-of-ones-own", SecretString=content, KmsKeyId=foundation()["DataKeyArn"]
        )["ARN"]
        stack = MailCredentials("own-credentials")
        self.assertEqual(stack.create(SmtpSecretArn=own), "CREATE_COMPLETE", stack.story())
        self.assertEqual(stack.outputs()["SmtpSecretArn"], own)
        self.assertEqual((stack.outputs()["SmtpHost"], stack.outputs()["SmtpPort"]), (ses_host(), "587"))
        self.assertEqual(MADE & {event["ResourceType"] for event in stack.events()}, set())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(client("secretsmanager").get_secret_value(SecretId=own)["SecretString"], content)


def ses_host() -> str:
    """SES's own server in the region."""
    return f"email-smtp.{world().aws['region']}.amazonaws.com"


if __name__ == "__main__":
    unittest.main()
