"""Whoever sends mail over SMTP: a user with keys and policies, a verified domain, a connection."""

import json
import smtplib
import ssl
from email.message import EmailMessage
from typing import Any

from local_aws import servers_file
from local_aws.smtp import password
from local_aws.state import REGION
from support import TestCase, client, state

ANYBODY = "success@simulator.amazonses.com"


class Sender(TestCase):
    """An IAM user and a domain, named after the test."""

    def setUp(self) -> None:
        super().setUp()
        self.iam = client("iam")
        self.user = f"mail-{self._testMethodName[-40:]}"
        self.domain = f"{self._testMethodName[-40:].strip('_').replace('_', '-')}.example"
        self.iam.create_user(UserName=self.user)
        self.addCleanup(self.forget)

    def forget(self) -> None:
        for key in self.iam.list_access_keys(UserName=self.user)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=self.user, AccessKeyId=key["AccessKeyId"])
        for name in self.iam.list_user_policies(UserName=self.user)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=self.user, PolicyName=name)
        self.iam.delete_user(UserName=self.user)

    def key(self) -> tuple[str, str]:
        made = self.iam.create_access_key(UserName=self.user)["AccessKey"]
        return made["AccessKeyId"], password(made["SecretAccessKey"], REGION)

    def allow(self, *resources: str) -> None:
        statement = {
            "Effect": "Allow",
            "Action": "ses:SendRawEmail",
            "Resource": resources,
            "Condition": {"StringLike": {"ses:FromAddress": f"*@{self.domain}"}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_user_policy(UserName=self.user, PolicyName="send", PolicyDocument=document)

    def verified(self) -> None:
        """An identity whose records stand in a zone."""
        zone = client("route53").create_hosted_zone(Name=self.domain, CallerReference=self.domain)["HostedZone"]["Id"]
        tokens = client("sesv2").create_email_identity(EmailIdentity=self.domain)["DkimAttributes"]["Tokens"]
        records = [(f"{token}._domainkey.{self.domain}", f"{token}.dkim.amazonses.com") for token in tokens]
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]},
            }
            for name, value in records
        ]
        client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def connected(self) -> smtplib.SMTP:
        where = place()
        connection = smtplib.SMTP(where["host"], where["port"], timeout=10)
        self.addCleanup(connection.close)
        return connection

    def signed_in(self, credentials: tuple[str, str]) -> smtplib.SMTP:
        connection = self.connected()
        connection.starttls(context=ssl.create_default_context(cafile=place()["ca_file"]))
        connection.login(*credentials)
        return connection

    def message(self, **headers: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"News <news@{self.domain}>"
        message["Subject"] = "Hello"
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content("A line.")
        return message


def place() -> dict[str, Any]:
    """Where the server is, as servers.json says it."""
    return servers_file.read(state().directory)["smtp"]
