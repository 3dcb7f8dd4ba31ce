"""SES: an identity exists once and verifies while its records are in the zone."""

import datetime
import time
import unittest
from typing import Any

from support import TestCase, client, until


class Identities(TestCase):
    """See the sentences."""

    def setUp(self):
        self.ses, self.route53 = client("sesv2"), client("route53")
        self.domain = f"{self.id().rsplit('.', 1)[1].replace('_', '-')[:50].strip('-')}.example"

    def zone(self, name: str = "") -> str:
        name = name or self.domain
        return self.route53.create_hosted_zone(Name=name, CallerReference=f"{name}{time.time()}")["HostedZone"]["Id"]

    def change(self, zone: str, action: str, name: str, kind: str, value: str) -> None:
        records = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": records}]}
        self.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def dkim(self) -> dict[str, Any]:
        return self.ses.get_email_identity(EmailIdentity=self.domain)["DkimAttributes"]

    def test_second_creation_of_an_identity_fails(self):
        self.ses.create_email_identity(EmailIdentity=self.domain)
        with self.assertRaises(self.ses.exceptions.AlreadyExistsException) as caught:
            self.ses.create_email_identity(EmailIdentity=self.domain)
        text = caught.exception.response["Error"]["Message"]
        self.assertEqual(text, f"Email identity {self.domain} already exist.")

    def test_absent_identity_is_not_found(self):
        for operation in (self.ses.get_email_identity, self.ses.delete_email_identity):
            with self.assertRaises(self.ses.exceptions.NotFoundException) as caught:
                operation(EmailIdentity=self.domain)
            text = caught.exception.response["Error"]["Message"]
            self.assertEqual(text, f"Email identity {self.domain} does not exist.")

    def test_identity_is_verified_only_while_all_three_records_are_in_the_zone(self):
        zone = self.zone()
        created = self.ses.create_email_identity(EmailIdentity=self.domain)
        tokens = created["DkimAttributes"]["Tokens"]
        self.assertEqual((created["VerifiedForSendingStatus"], len(tokens)), (False, 3))
        for token in tokens:
            self.assertEqual(self.dkim()["Status"], "PENDING")
            self.change(zone, "CREATE", f"{token}._domainkey.{self.domain}", "CNAME", f"{token}.dkim.amazonses.com")
        self.assertEqual(self.dkim()["Status"], "SUCCESS")
        self.assertTrue(self.ses.get_email_identity(EmailIdentity=self.domain)["VerifiedForSendingStatus"])
        self.change(zone, "DELETE", f"{token}._domainkey.{self.domain}", "CNAME", f"{token}.dkim.amazonses.com")
        self.assertEqual(self.dkim()["Status"], "PENDING")

    def test_records_in_the_parent_of_a_delegated_zone_do_not_count(self):
        parent = self.zone()
        sub = f"sub.{self.domain}"
        self.zone(sub)
        tokens = self.ses.create_email_identity(EmailIdentity=sub)["DkimAttributes"]["Tokens"]
        for token in tokens:
            self.change(parent, "CREATE", f"{token}._domainkey.{sub}", "CNAME", f"{token}.dkim.amazonses.com")
        self.assertEqual(self.ses.get_email_identity(EmailIdentity=sub)["DkimAttributes"]["Status"], "PENDING")

    def test_identity_that_is_created_again_has_other_tokens(self):
        first = self.ses.create_email_identity(EmailIdentity=self.domain)["DkimAttributes"]["Tokens"]
        self.ses.delete_email_identity(EmailIdentity=self.domain)
        second = self.ses.create_email_identity(EmailIdentity=self.domain)["DkimAttributes"]["Tokens"]
        self.assertFalse(set(first) & set(second))

    def test_mail_from_succeeds_with_its_mail_exchanger_and_its_policy(self):
        zone = self.zone()
        self.ses.create_email_identity(EmailIdentity=self.domain)
        mail = f"mail.{self.domain}"
        self.ses.put_email_identity_mail_from_attributes(
            EmailIdentity=self.domain, MailFromDomain=mail, BehaviorOnMxFailure="REJECT_MESSAGE"
        )

        def status() -> str:
            attributes = self.ses.get_email_identity(EmailIdentity=self.domain)["MailFromAttributes"]
            self.assertEqual(attributes["BehaviorOnMxFailure"], "REJECT_MESSAGE")
            return attributes["MailFromDomainStatus"]

        self.assertEqual(status(), "PENDING")
        self.change(zone, "CREATE", mail, "MX", "10 feedback-smtp.eu-central-1.amazonses.com")
        self.assertEqual(status(), "PENDING")
        self.change(zone, "CREATE", mail, "TXT", '"v=spf1 include:amazonses.com ~all"')
        self.assertEqual(status(), "SUCCESS")
        self.change(zone, "UPSERT", mail, "TXT", '"v=spf1 -all"')
        self.assertEqual(status(), "PENDING")

    def test_mail_from_domain_lies_below_the_identity(self):
        self.ses.create_email_identity(EmailIdentity=self.domain)
        with self.assertRaisesRegex(Exception, "is not subdomain of the domain of the identity"):
            self.ses.put_email_identity_mail_from_attributes(
                EmailIdentity=self.domain, MailFromDomain="mail.other.example"
            )

    def test_tags_of_an_identity_can_be_read_and_changed(self):
        self.ses.create_email_identity(EmailIdentity=self.domain, Tags=[{"Key": "owner", "Value": "a"}])
        identity = self.ses.get_email_identity(EmailIdentity=self.domain)
        self.assertEqual(identity["Tags"], [{"Key": "owner", "Value": "a"}])
        arn = f"arn:aws:ses:eu-central-1:123456789012:identity/{self.domain}"
        self.ses.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "b"}])
        self.assertEqual(self.ses.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "owner", "Value": "b"}])
        identity = self.ses.get_email_identity(EmailIdentity=self.domain)
        self.assertEqual(identity["Tags"], [{"Key": "owner", "Value": "b"}])

    def test_configuration_set_of_an_identity_must_exist(self):
        with self.assertRaises(self.ses.exceptions.NotFoundException):
            self.ses.create_email_identity(EmailIdentity=self.domain, ConfigurationSetName="absent")
        self.ses.create_configuration_set(ConfigurationSetName="present")
        self.ses.create_email_identity(EmailIdentity=self.domain, ConfigurationSetName="present")
        identity = self.ses.get_email_identity(EmailIdentity=self.domain)
        self.assertEqual(identity["ConfigurationSetName"], "present")
        self.ses.put_email_identity_configuration_set_attributes(EmailIdentity=self.domain)
        self.assertNotIn("ConfigurationSetName", self.ses.get_email_identity(EmailIdentity=self.domain))

    def test_a_mail_by_the_api_comes_from_a_verified_domain_and_names_a_configuration_set_that_exists(self):
        self.ses.create_email_identity(EmailIdentity=self.domain)
        text, before = {"Data": "Hello"}, self.counted()

        def send(configuration_set: str, recipient: str = "success@simulator.amazonses.com") -> str:
            answer = self.ses.send_email(
                FromEmailAddress=f"news@{self.domain}",
                Destination={"ToAddresses": [recipient]},
                Content={"Simple": {"Subject": text, "Body": {"Text": text}}},
                ConfigurationSetName=configuration_set,
            )
            return answer["MessageId"]

        with self.assertRaisesRegex(self.ses.exceptions.NotFoundException, "Configuration set <absent> does not exist"):
            send("absent")
        self.ses.create_configuration_set(ConfigurationSetName="named")
        with self.assertRaisesRegex(
            self.ses.exceptions.MessageRejected, f"Email address is not verified.*news@{self.domain}"
        ):
            send("named")
        zone = self.zone()
        for token in self.dkim()["Tokens"]:
            self.change(zone, "CREATE", f"{token}._domainkey.{self.domain}", "CNAME", f"{token}.dkim.amazonses.com")
        self.assertTrue(send("named"))
        with self.assertRaisesRegex(self.ses.exceptions.MessageRejected, "a@elsewhere.example"):
            send("named", "a@elsewhere.example")
        # What was refused is not counted.
        until("the metrics", lambda: self.counted() == {name: count + 1 for name, count in before.items()})

    def counted(self) -> dict[str, float]:
        """What CloudWatch has of SES within the hour."""
        now = datetime.datetime.now(datetime.UTC)
        hour = {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now + datetime.timedelta(minutes=1)}
        found = {}
        for name in ("Send", "Delivery"):
            asked = {"Namespace": "AWS/SES", "MetricName": name, "Period": 60, "Statistics": ["Sum"], **hour}
            points = client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]
            found[name] = sum(point["Sum"] for point in points)
        return found

    def test_account_is_in_the_sandbox_until_it_is_let_out(self):
        account = self.ses.get_account()
        self.assertFalse(account["ProductionAccessEnabled"])
        self.assertEqual(account["SendQuota"]["Max24HourSend"], 200)
        details = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.org"}
        try:
            self.ses.put_account_details(ProductionAccessEnabled=True, **details)
            self.assertTrue(self.ses.get_account()["ProductionAccessEnabled"])
        finally:
            self.ses.put_account_details(ProductionAccessEnabled=False, **details)


if __name__ == "__main__":
    unittest.main()
