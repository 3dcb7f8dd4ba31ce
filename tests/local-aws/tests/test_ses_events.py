"""What SES reports of a mail, and to whom."""

import json
import unittest
from email.policy import SMTP
from typing import Any

from local_aws.state import ACCOUNT, REGION
from mailing import Sender
from support import client, until

BOUNCE, COMPLAINT = "bounce+label@simulator.amazonses.com", "complaint@simulator.amazonses.com"
TRIAL = "Successfully validated SNS topic for Amazon SES event publishing."
MADE = {"feedbackId", "timestamp", "messageId", "arrivalDate"}


def normal(value: Any) -> Any:
    """The same without what is another one each time."""
    if isinstance(value, dict):
        return {key: f"<{key}>" if key in MADE else normal(one) for key, one in value.items()}
    return [normal(one) for one in value] if isinstance(value, list) else value


class Reports(Sender):
    """See the sentences."""

    def setUp(self) -> None:
        super().setUp()
        self.sns, self.sqs, self.ses = client("sns"), client("sqs"), client("sesv2")
        self.name = self._testMethodName[-30:].strip("_")
        self.topic, self.queue = self.heard()
        self.verified()
        self.allow("*")

    def heard(self) -> tuple[str, str]:
        """A topic whose messages come as they are into a queue."""
        topic = self.sns.create_topic(Name=self.name)["TopicArn"]
        queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"
        delivery = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [delivery]})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        return topic, queue

    def publishable(self, source: str) -> None:
        """Let SES publish to the topic, for one source only."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": self.topic,
            "Condition": {"StringEquals": {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sns.set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=policy)

    def destination(self, *kinds: str) -> None:
        """A configuration set whose events go to the topic."""
        self.ses.create_configuration_set(ConfigurationSetName=self.name)
        self.publishable(f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{self.name}")
        self.put_destination(*kinds)
        self.assertEqual(self.received(1), [TRIAL])

    def put_destination(self, *kinds: str) -> None:
        self.ses.create_configuration_set_event_destination(
            ConfigurationSetName=self.name,
            EventDestinationName="events",
            EventDestination={
                "Enabled": True,
                "MatchingEventTypes": list(kinds),
                "SnsDestination": {"TopicArn": self.topic},
            },
        )

    def send(self, *recipients: str, **headers: str) -> str:
        message = self.message(To=", ".join(recipients), **headers)
        connection = self.signed_in(self.key())
        connection.mail(f"sender@{self.domain}")
        for recipient in recipients:
            connection.rcpt(recipient)
        code, text = connection.data(message.as_bytes(policy=SMTP))
        self.assertEqual(code, 250, text)
        return text[3:].decode()

    def received(self, count: int) -> list[str]:
        """The next messages of the queue."""
        found: list[str] = []

        def look() -> bool:
            for one in self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
                found.append(one["Body"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
            return len(found) >= count

        until(f"{count} reports", look)
        return found

    def mail(self, recipient: str, headers: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
        """What every report says of the mail."""
        identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{self.domain}"
        described = {
            "timestamp": "<timestamp>",
            "source": f"sender@{self.domain}",
            "sourceArn": identity,
            "sendingAccountId": ACCOUNT,
            "messageId": "<messageId>",
            "destination": [recipient],
        }
        common = {
            "messageId": "<messageId>",
            "from": [f"News <news@{self.domain}>"],
            "to": [recipient],
            "subject": "Hello",
        }
        listed = [{"name": name, "value": value} for name, value in headers]
        return described | {"headersTruncated": False, "headers": listed, "commonHeaders": common} | more

    def headers(self, recipient: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
        return [
            ("From", f"News <news@{self.domain}>"),
            ("Subject", "Hello"),
            ("To", recipient),
            *more,
            ("Content-Type", 'text/plain; charset="utf-8"'),
            ("Content-Transfer-Encoding", "7bit"),
            ("MIME-Version", "1.0"),
        ]

    def tags(self, **more: str) -> dict[str, list[str]]:
        own = {
            "ses:operation": "SendSmtpEmail",
            "ses:configuration-set": self.name,
            "ses:source-ip": "127.0.0.1",
            "ses:from-domain": self.domain,
            "ses:caller-identity": self.user,
        }
        return {name: [value] for name, value in {**own, **more}.items()}

    def test_a_bounce_is_an_event_with_the_headers_and_tags_of_the_mail(self) -> None:
        self.destination("BOUNCE", "COMPLAINT", "DELIVERY")
        track = "https://example.org/email/6b04ceb7e06a6739209454.gif " + "folded " * 20 + "once"
        self.send(BOUNCE, X_SES_CONFIGURATION_SET=self.name, X_Mautic_Track=track, X_SES_MESSAGE_TAGS="a=1, b=2")
        [text] = self.received(1)
        headers = [
            ("X-SES-CONFIGURATION-SET", self.name),
            ("X-Mautic-Track", track),
            ("X-SES-MESSAGE-TAGS", "a=1, b=2"),
        ]
        bounced = {
            "emailAddress": BOUNCE,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
        self.assertEqual(
            normal(json.loads(text)),
            {
                "eventType": "Bounce",
                "bounce": {
                    "feedbackId": "<feedbackId>",
                    "bounceType": "Permanent",
                    "bounceSubType": "General",
                    "bouncedRecipients": [bounced],
                    "timestamp": "<timestamp>",
                    "reportingMTA": "dns; local.amazonses.com",
                },
                "mail": self.mail(BOUNCE, self.headers(BOUNCE, *headers), tags=self.tags(a="1", b="2")),
            },
        )

    def test_a_complaint_comes_after_the_delivery_and_a_set_hears_what_it_asked_for(self) -> None:
        self.destination("COMPLAINT", "DELIVERY")
        message_id = self.send(COMPLAINT, BOUNCE, X_SES_CONFIGURATION_SET=self.name)
        events = [json.loads(text) for text in self.received(2)]
        self.assertEqual([one["eventType"] for one in events], ["Delivery", "Complaint"])
        self.assertEqual({one["mail"]["messageId"] for one in events}, {message_id})
        self.assertEqual(events[0]["delivery"]["recipients"], [COMPLAINT])
        self.assertEqual(
            normal(events[1]["complaint"]),
            {
                "feedbackId": "<feedbackId>",
                "complaintSubType": None,
                "complainedRecipients": [{"emailAddress": COMPLAINT}],
                "timestamp": "<timestamp>",
                "userAgent": "Amazon SES Mailbox Simulator",
                "complaintFeedbackType": "abuse",
                "arrivalDate": "<arrivalDate>",
            },
        )

    def test_the_set_of_the_identity_counts_where_a_mail_names_none(self) -> None:
        self.destination("BOUNCE")
        self.ses.put_email_identity_configuration_set_attributes(
            EmailIdentity=self.domain, ConfigurationSetName=self.name
        )
        self.send(BOUNCE)
        self.assertEqual(json.loads(self.received(1)[0])["mail"]["tags"]["ses:configuration-set"], [self.name])

    def test_an_identity_has_topics_of_its_own_and_headers_only_if_it_asks(self) -> None:
        self.publishable(f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{self.domain}")
        first = client("ses")
        first.set_identity_notification_topic(Identity=self.domain, NotificationType="Bounce", SnsTopic=self.topic)
        notice = json.loads(self.received(1)[0])
        self.assertEqual(notice["notificationType"], "AmazonSnsSubscriptionSucceeded")
        for told in (self.topic, "'Bounce' notifications", self.domain):
            self.assertIn(told, notice["message"])
        self.send(BOUNCE)
        plain = json.loads(self.received(1)[0])
        self.assertEqual(list(plain), ["notificationType", "bounce", "mail"])
        expected = self.mail(BOUNCE, [], sourceIp="127.0.0.1", callerIdentity=self.user)
        for name in ("headers", "headersTruncated", "commonHeaders"):
            del expected[name]
        self.assertEqual(normal(plain["mail"]), expected)
        first.set_identity_headers_in_notifications_enabled(
            Identity=self.domain, NotificationType="Bounce", Enabled=True
        )
        self.send(BOUNCE)
        self.assertEqual(
            normal(json.loads(self.received(1)[0])["mail"]),
            self.mail(BOUNCE, self.headers(BOUNCE), sourceIp="127.0.0.1", callerIdentity=self.user),
        )

    def test_headers_are_cut_where_they_grow_too_long(self) -> None:
        self.destination("BOUNCE")
        self.send(
            BOUNCE,
            X_SES_CONFIGURATION_SET=self.name,
            X_First="short",
            X_Long=" ".join(["longer"] * 1460),
            X_Last="last",
        )
        mail = json.loads(self.received(1)[0])["mail"]
        names = [one["name"] for one in mail["headers"]]
        self.assertEqual(
            (mail["headersTruncated"], names), (True, ["From", "Subject", "To", "X-SES-CONFIGURATION-SET", "X-First"])
        )

    def test_a_topic_that_does_not_let_ses_publish_is_no_destination(self) -> None:
        self.ses.create_configuration_set(ConfigurationSetName=self.name)
        self.publishable(f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/another")
        with self.assertRaises(self.ses.exceptions.BadRequestException) as raised:
            self.put_destination("BOUNCE")
        self.assertEqual(
            raised.exception.response["Error"]["Message"], f"Could not publish to SNS topic <{self.topic}>."
        )

    def test_nothing_goes_to_an_address_on_the_accounts_suppression_list(self) -> None:
        self.destination("BOUNCE", "DELIVERY")
        address = f"a@{self.domain}"
        self.ses.put_suppressed_destination(EmailAddress=address, Reason="COMPLAINT")
        self.send(address, X_SES_CONFIGURATION_SET=self.name)
        report = json.loads(self.received(1)[0])
        self.assertEqual(
            (report["eventType"], report["bounce"]["bounceSubType"]), ("Bounce", "OnAccountSuppressionList")
        )
        self.ses.delete_suppressed_destination(EmailAddress=address)
        with self.assertRaises(self.ses.exceptions.NotFoundException):
            self.ses.get_suppressed_destination(EmailAddress=address)
        self.send(address, X_SES_CONFIGURATION_SET=self.name)
        self.assertEqual(json.loads(self.received(1)[0])["eventType"], "Delivery")

    def test_a_set_may_mind_some_reasons_of_the_list_only(self) -> None:
        self.destination("BOUNCE", "DELIVERY")
        self.ses.put_configuration_set_suppression_options(ConfigurationSetName=self.name, SuppressedReasons=["BOUNCE"])
        address = f"b@{self.domain}"
        self.ses.put_suppressed_destination(EmailAddress=address, Reason="COMPLAINT")
        self.send(address, X_SES_CONFIGURATION_SET=self.name)
        self.assertEqual(json.loads(self.received(1)[0])["eventType"], "Delivery")


if __name__ == "__main__":
    unittest.main()
