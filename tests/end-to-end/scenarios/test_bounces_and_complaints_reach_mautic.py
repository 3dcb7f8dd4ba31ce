"""What SES reports becomes a row in Mautic's tables: once, of the right contact, whatever comes twice, broken or too early.

The real modules of mail, database and bounces on one server. Mautic is its tables, made as a release makes them. Each test has
contacts of its own; they share the queue.
"""

import contextlib
import functools
import json
import unittest
from collections.abc import Iterator
from typing import Any

import databases
import pymysql
from fixtures import Database, SesDomain, from_foundation, lines, log_group
from local_aws import unwanted_mail
from local_aws.release.__main__ import SCHEMA, statements
from local_aws.unwanted_mail import Send
from stacks import Stack
from world import STATE, client, module, wait_until
from zones import Zone

NAME = "bounced"
DOMAIN = "bounced.example"
USER = f"{NAME}_bounces"
BOUNCE, COMPLAINT = "bounce", "complaint"
DIAGNOSIS = "Permanent/General: smtp; 550 5.1.1 user unknown"
# What the page of the permissions promises, as MySQL shows it.
GRANTS = [
    f"GRANT USAGE ON *.* TO `{USER}`@`%`",
    f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `{NAME}\\_bounces`.* TO `{USER}`@`%`",
    "GRANT SELECT (`date_sent`, `email_address`, `email_id`, `id`, `is_failed`, `lead_id`, `open_details`, `tracking_hash`),"
    f" UPDATE (`is_failed`, `open_details`) ON `{NAME}`.`email_stats` TO `{USER}`@`%`",
    f"GRANT SELECT (`id`) ON `{NAME}`.`emails` TO `{USER}`@`%`",
    "GRANT SELECT (`channel`, `id`, `lead_id`, `reason`), INSERT (`channel`, `channel_id`, `comments`, `date_added`, `lead_id`,"
    f" `reason`), UPDATE (`comments`, `date_added`, `reason`) ON `{NAME}`.`lead_donotcontact` TO `{USER}`@`%`",
    f"GRANT SELECT (`email`, `id`) ON `{NAME}`.`leads` TO `{USER}`@`%`",
]
FORBIDDEN = (
    "SELECT firstname FROM leads",
    "DELETE FROM lead_donotcontact",
    "UPDATE leads SET email = ''",
    "SELECT * FROM users",
)


def report(send: Send, diagnosis: str) -> str:
    """A bounce of this send as an event; its id is of the send and the diagnosis."""
    hashed = {"name": "X-Mautic-Track", "value": f"https://x/email/{send.tracking_hash}.gif"}
    bounce = {
        "feedbackId": f"{send.tracking_hash} {diagnosis}",
        "bounceType": "Permanent",
        "bounceSubType": "NoEmail",
        "timestamp": "2026-11-27T10:00:00.000Z",
        "bouncedRecipients": [{"emailAddress": send.address, "diagnosticCode": diagnosis}],
    }
    return json.dumps({"eventType": "Bounce", "mail": {"messageId": "0102", "headers": [hashed]}, "bounce": bounce})


class Bounces(Stack):
    """The real module on the stacks of mail and database."""

    def __init__(self, database: Database, mail: SesDomain) -> None:
        super().__init__(f"{NAME}-bounces", module("MauticService/Bounces"))
        self.database, self.mail = database, mail

    def common(self) -> dict[str, str]:
        """What the other stacks give; five attempts are not to take half an hour."""
        own, given = self.database.common(), self.database.outputs()
        network = (
            "DatabaseHost",
            "DatabasePort",
            "DatabaseName",
            "MasterSecretArn",
            "PrivateSubnetIds",
            "FunctionSecurityGroupId",
        )
        return {
            **from_foundation("DataKeyArn", "NotificationKeyArn", "AlarmTopicArn"),
            **{name: own[name] for name in network},
            "DatabaseInitFunctionArn": given["FunctionArn"],
            "DatabaseInitRoleName": given["RoleName"],
            "EventTopicArn": self.mail.outputs()["EventTopicArn"],
        }


class BouncesAndComplaintsReachMautic(unittest.TestCase):
    """One installation in small."""

    maxDiff = None
    server: dict[str, Any]
    mail: SesDomain
    database: Database
    stack: Bounces
    queue: str
    dead: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = databases.server_for("8.4")
        cls.addClassCleanup(databases.forget, cls.server, NAME, NAME)
        zone = Zone(DOMAIN)
        cls.mail, cls.database = SesDomain(f"{NAME}-mail"), Database(NAME, cls.server)
        status = cls.mail.create(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="60", SmtpSecretArn="")
        assert status == "CREATE_COMPLETE", cls.mail.story()
        assert cls.database.create() == "CREATE_COMPLETE", cls.database.story()
        with cls.connected() as cursor:
            for statement in statements(SCHEMA.read_text()):
                cursor.execute(statement)
        cls.stack = Bounces(cls.database, cls.mail)
        assert cls.stack.create() == "CREATE_COMPLETE", cls.stack.story()
        sqs, outputs = client("sqs"), cls.stack.outputs()
        cls.queue = sqs.get_queue_url(QueueName=outputs["QueueName"])["QueueUrl"]
        cls.dead = sqs.get_queue_url(QueueName=outputs["DeadLetterQueueName"])["QueueUrl"]
        # Five attempts take half an hour; here a failed report comes again at once.
        sqs.set_queue_attributes(QueueUrl=cls.queue, Attributes={"VisibilityTimeout": "2"})

    @classmethod
    def tearDownClass(cls) -> None:
        for stack in (cls.stack, cls.mail, cls.database):
            assert stack.delete() == "DELETE_COMPLETE", stack.story()

    @classmethod
    def connected(cls) -> Any:
        return databases.connected(cls.server, cls.server["admin_user"], cls.server["admin_password"], NAME)

    def sql(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self.connected() as cursor:
            cursor.execute(query, arguments or None)
            return list(cursor.fetchall())

    def put(self, address: str) -> Send:
        """A contact and a send to it."""
        with self.connected() as cursor:
            return unwanted_mail.put(cursor, address)

    def send(self, send: Send, **headers: str | None) -> None:
        """Send a mail by the stack's own SMTP user; a header that is None is left out."""
        outputs = self.mail.outputs()
        known = {
            "SendingDomain": DOMAIN,
            "ConfigurationSet": outputs["ConfigurationSetName"],
            "SiteUrl": f"https://{DOMAIN}",
        }
        message = unwanted_mail.letter(send, known)
        for name, value in headers.items():
            del message[name.replace("_", "-")]
            if value is not None:
                message[name.replace("_", "-")] = value
        with unwanted_mail.Installation(STATE, client("secretsmanager"), outputs).mail() as connection:
            connection.send_message(message, to_addrs=[send.address])

    def publish(self, text: str) -> None:
        """Say something on the topic that SES reports to."""
        client("sns").publish(TopicArn=self.mail.outputs()["EventTopicArn"], Message=text)

    @contextlib.contextmanager
    def wrapped(self) -> Iterator[None]:
        """Meanwhile the queue gets SNS's notifications whole, not the messages in them."""
        sns = client("sns")
        of_topic = sns.list_subscriptions_by_topic(TopicArn=self.mail.outputs()["EventTopicArn"])["Subscriptions"]
        [arn] = [one["SubscriptionArn"] for one in of_topic if one["Protocol"] == "sqs"]
        raw = {"SubscriptionArn": arn, "AttributeName": "RawMessageDelivery"}
        sns.set_subscription_attributes(**raw, AttributeValue="false")
        try:
            yield
        finally:
            sns.set_subscription_attributes(**raw, AttributeValue="true")

    def direct(self) -> tuple[str, str]:
        """A topic of somebody else's to which the function is subscribed as docs/bounces.md says, and the queue of what failed."""
        iam, functions = client("iam"), client("lambda")
        queue = client("sqs").create_queue(QueueName=f"{NAME}-failed")["QueueUrl"]
        self.addCleanup(client("sqs").delete_queue, QueueUrl=queue)
        names = {"QueueUrl": queue, "AttributeNames": ["QueueArn"]}
        arn = client("sqs").get_queue_attributes(**names)["Attributes"]["QueueArn"]
        keep = {"RoleName": self.stack.physical_id("BounceHandlerRole"), "PolicyName": "keep-failed-reports"}
        allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        iam.put_role_policy(**keep, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
        self.addCleanup(iam.delete_role_policy, **keep)
        function = {"FunctionName": self.stack.physical_id("BounceHandlerFunction")}
        functions.put_function_event_invoke_config(**function, DestinationConfig={"OnFailure": {"Destination": arn}})
        self.addCleanup(functions.delete_function_event_invoke_config, **function)
        topic = client("sns").create_topic(Name=f"{NAME}-direct")["TopicArn"]
        self.addCleanup(client("sns").delete_topic, TopicArn=topic)
        granted = {**function, "StatementId": "reports-of-a-topic"}
        functions.add_permission(
            **granted, Action="lambda:InvokeFunction", Principal="sns.amazonaws.com", SourceArn=topic
        )
        self.addCleanup(functions.remove_permission, **granted)
        endpoint = functions.get_function_configuration(**function)["FunctionArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=endpoint)
        return topic, queue

    def do_not_contact(self, send: Send) -> list[tuple[Any, ...]]:
        """The contact's rows, without ids and dates."""
        return self.sql(
            "SELECT reason, channel, channel_id, comments FROM lead_donotcontact WHERE lead_id = %s", send.contact
        )

    def row(self, send: Send) -> tuple[Any, ...]:
        """The contact's one row, as soon as it is there."""
        rows = wait_until(f"a row of {send.address}", lambda: self.do_not_contact(send), self.log)
        self.assertEqual(len(rows), 1)
        return rows[0]

    def sent(self, send: Send) -> tuple[int, str]:
        """What stands with the send."""
        query = "SELECT is_failed, open_details FROM email_stats WHERE tracking_hash = %s"
        return self.sql(query, send.tracking_hash)[0]

    def log(self) -> str:
        return "\n".join(lines(log_group(self.stack, "BounceHandlerFunction")))

    def suppressed(self, before: int = 0) -> int:
        """How many more reports told of an address to which SES sends nothing."""
        return self.log().count('"action":"provider-suppressed"') - before

    def count(self, queue: str) -> int:
        """Messages in a queue, hidden ones among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def test_the_function_s_user_has_exactly_its_rights(self) -> None:
        self.assertEqual(sorted(databases.grants(self.server, USER)), sorted(GRANTS))
        secret = databases.secret(self.stack.outputs()["UserSecretArn"])
        with databases.connected(self.server, secret["username"], secret["password"], NAME) as cursor:
            cursor.execute("SELECT id, email FROM leads LIMIT 1")
            for forbidden in FORBIDDEN:
                with self.assertRaises(pymysql.Error, msg=forbidden) as raised:
                    cursor.execute(forbidden)
                self.assertIn(raised.exception.args[0], (1142, 1143), forbidden)

    def test_a_bounce_is_tied_to_its_send_by_the_hash_and_counts_once_however_often_it_comes(self) -> None:
        send = self.put(f"bounce+hash@{unwanted_mail.SIMULATOR}")
        self.send(send)
        self.assertEqual(self.row(send), (2, "email", send.email, DIAGNOSIS))
        is_failed, details = self.sent(send)
        self.assertEqual(is_failed, 1)
        text = f's:6:"reason";s:{len(DIAGNOSIS)}:"{DIAGNOSIS}";'
        expected = rf'^a:1:\{{s:7:"bounces";a:1:\{{i:0;a:2:\{{s:8:"datetime";s:19:"[-0-9 :]{{19}}";{text}\}}\}}\}}$'
        self.assertRegex(details, expected)
        # The same report again, as SNS and SQS may deliver it; another one behind it shows that it was read.
        for _ in range(3):
            self.publish(report(send, "550 again"))
        wait_until("the second bounce", lambda: self.sent(send)[1].count("550 again"), self.log)
        wait_until("all of them are read", lambda: self.count(self.queue) == 0, self.log)
        self.assertEqual((self.sent(send)[0], self.sent(send)[1].count('"reason"')), (1, 2))
        self.assertEqual(self.do_not_contact(send), [(2, "email", send.email, DIAGNOSIS)])

    def test_a_complaint_without_any_header_finds_every_contact_with_the_address(self) -> None:
        send = self.put(f"complaint+address@{unwanted_mail.SIMULATOR}")
        twin = self.put(send.address.upper())
        self.send(send, X_Mautic_Track=None)
        for one in (send, twin):
            reason, channel, channel_id, comments = self.row(one)
            self.assertEqual((reason, channel, channel_id), (1, "email", None), comments)
            self.assertEqual(self.sent(one), (0, "a:0:{}"))

    def test_a_delivery_leaves_no_trace(self) -> None:
        send, other = (
            self.put(f"success@{unwanted_mail.SIMULATOR}"),
            self.put(f"bounce+after@{unwanted_mail.SIMULATOR}"),
        )
        self.send(send)
        self.send(other)
        self.row(other)
        self.assertEqual((self.do_not_contact(send), self.sent(send)), ([], (0, "a:0:{}")))

    def test_a_poison_message_ends_among_the_dead_letters_and_keeps_nobody_back(self) -> None:
        send = self.put(f"bounce+poison@{unwanted_mail.SIMULATOR}")
        before = self.count(self.dead)
        self.publish('{"eventType": "Bounce", "mail": ')
        self.send(send)
        self.assertEqual(self.row(send), (2, "email", send.email, DIAGNOSIS))
        wait_until("a dead letter", lambda: self.count(self.dead) > before, self.log)
        self.assertIn("a message failed and comes again", self.log())

    def test_what_failed_while_the_database_refused_is_recorded_after_it_was_moved_back(self) -> None:
        send, before = self.put(f"bounce+back@{unwanted_mail.SIMULATOR}"), self.count(self.dead)
        right = f"SELECT (id, lead_id, reason, channel) ON {NAME}.lead_donotcontact"
        self.sql(f"REVOKE {right} FROM '{USER}'@'%'")
        try:
            self.send(send)
            wait_until("dead letters", lambda: self.count(self.dead) > before and self.count(self.queue) == 0, self.log)
            self.assertEqual(self.do_not_contact(send), [])
        finally:
            self.sql(f"GRANT {right} TO '{USER}'@'%'")
        outputs = self.stack.outputs()
        moved = {"SourceArn": outputs["DeadLetterQueueArn"], "DestinationArn": outputs["QueueArn"]}
        client("sqs").start_message_move_task(**moved)
        self.assertEqual(self.row(send), (2, "email", send.email, DIAGNOSIS))

    def test_every_way_makes_the_same_row(self) -> None:
        raw, wrapped, direct = (
            self.put(f"bounce+{way}@{unwanted_mail.SIMULATOR}") for way in ("raw", "wrapped", "direct")
        )
        topic, failed = self.direct()
        self.publish(report(raw, "550 gone"))
        self.row(raw)
        with self.wrapped():
            self.publish(report(wrapped, "550 gone"))
            self.row(wrapped)
        client("sns").publish(TopicArn=topic, Message=report(direct, "550 gone"))
        entry = 's:8:"datetime";s:19:"2026-11-27 10:00:00";s:6:"reason";s:27:"Permanent/NoEmail: 550 gone";'
        for send in (raw, wrapped, direct):
            self.assertEqual(self.row(send), (2, "email", send.email, "Permanent/NoEmail: 550 gone"))
            self.assertEqual(self.sent(send), (1, f'a:1:{{s:7:"bounces";a:1:{{i:0;a:2:{{{entry}}}}}}}'))
        self.assertEqual(self.count(failed), 0)
        # No queue brings back what the function fails at: Lambda does, twice, and then keeps it where it was told to.
        client("sns").publish(TopicArn=topic, Message='{"eventType": "Bounce", "mail": ')
        wait_until("the record of what failed", lambda: self.count(failed) == 1, self.log)
        record = json.loads(client("sqs").receive_message(QueueUrl=failed)["Messages"][0]["Body"])
        notification = record["requestPayload"]["Records"][0]["Sns"]
        self.assertEqual(
            (notification["TopicArn"], notification["Message"]), (topic, '{"eventType": "Bounce", "mail": ')
        )
        self.assertIn("the message is no JSON", record["responsePayload"]["errorMessage"])

    def test_an_address_also_goes_on_ses_s_own_list_where_that_is_asked_for(self) -> None:
        self.assertEqual(self.stack.update(SuppressInSes="true"), "UPDATE_COMPLETE", self.stack.story())
        self.addCleanup(self.stack.update)
        sesv2 = client("sesv2")
        for name, reason in ((BOUNCE, "BOUNCE"), (COMPLAINT, "COMPLAINT")):
            send = self.put(f"{name}+listed@{unwanted_mail.SIMULATOR}")
            with self.assertRaises(sesv2.exceptions.NotFoundException):
                sesv2.get_suppressed_destination(EmailAddress=send.address)
            self.send(send)
            row, details = self.row(send), self.sent(send)
            wait_until("the report is done with", lambda: self.count(self.queue) == 0, self.log)
            listed = sesv2.get_suppressed_destination(EmailAddress=send.address)["SuppressedDestination"]
            self.assertEqual((listed["EmailAddress"], listed["Reason"]), (send.address, reason))
            # SES itself keeps the next mail back, which is no news of the address.
            told = self.suppressed()
            self.send(send)
            wait_until("it is told", functools.partial(self.suppressed, told), self.log)
            self.assertEqual((self.row(send), self.sent(send)), (row, details))

    def test_nobody_s_address_stands_in_the_log(self) -> None:
        send = self.put(f"bounce+secret@{unwanted_mail.SIMULATOR}")
        self.send(send)
        self.row(send)
        secret = databases.secret(self.stack.outputs()["UserSecretArn"])
        for told in ("+secret", secret["password"]):
            self.assertNotIn(told, self.log())


if __name__ == "__main__":
    unittest.main()
