"""One mail that bounces and one that is complained about, sent as Mautic sends them, and the rows that appear in its tables.

Everything goes the way of real mail: SMTP with the stack's own credentials, SES's mailbox simulator, its events, topic, queue
and function. Only Mautic itself is played: a contact, an e-mail and a send are put into its tables first.
"""

import json
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pymysql

from local_aws import servers_file
from local_aws.errors import LocalAwsError
from local_aws.service import client
from local_aws.state import State

SIMULATOR = "simulator.amazonses.com"
REASONS = {1: "1 unsubscribed", 2: "2 bounced"}
PATIENCE = 300.0
"""Seconds; the queue's window is 5, and everything else takes less."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Send:
    """A mail to one contact, as `email_stats` knows it."""

    address: str
    tracking_hash: str
    contact: int
    email: int


class Installation:
    """What a deployed stack tells: its outputs, and the secrets that they name."""

    def __init__(self, state: State, manager: Any, outputs: dict[str, str]) -> None:
        self.state, self._manager, self.outputs = state, manager, outputs

    @classmethod
    def of(cls, state: State, aws: dict[str, str], stack: str) -> "Installation":
        """A root stack by its name."""
        keys = (aws["endpoint"], aws["access_key"], aws["secret_key"])
        described = client("cloudformation", *keys).describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
        return cls(state, client("secretsmanager", *keys), outputs)

    def secret(self, output: str) -> dict[str, Any]:
        """The content of the secret that an output names."""
        return json.loads(self._manager.get_secret_value(SecretId=self.outputs[output])["SecretString"])

    @contextmanager
    def database(self) -> Iterator[Any]:
        """A cursor of Mautic's own user."""
        found = self.secret("DatabaseSecretArn")
        servers = servers_file.read(self.state.directory)["mysql"]
        authority = next(one["ca_file"] for one in servers if one["port"] == int(found["port"]))
        connection = pymysql.connect(
            host=found["host"],
            port=int(found["port"]),
            user=found["username"],
            password=found["password"],
            database=found["dbname"],
            ssl={"ca": authority, "check_hostname": True},
            autocommit=True,
            charset="utf8mb4",
            cursorclass=pymysql.cursors.DictCursor,
        )
        with closing(connection), connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def mail(self) -> Iterator[smtplib.SMTP]:
        """A connection as Mautic makes it."""
        found = self.secret("SmtpSecretArn")
        authority = servers_file.read(self.state.directory)["smtp"]["ca_file"]
        with smtplib.SMTP(found["host"], int(found["port"]), timeout=10) as connection:
            connection.starttls(context=ssl.create_default_context(cafile=authority))
            connection.login(found["username"], found["password"])
            yield connection


def demonstrate(state: State, aws: dict[str, str], stack: str, say: Callable[[str], None] = print) -> None:
    """Send both, wait for both, and show what appeared; each time with contacts of its own, so that all of it is new."""
    installation = Installation.of(state, aws, stack)
    label = time.strftime("%H%M%S")
    with installation.database() as cursor:
        sends = [put(cursor, f"{kind}+{label}@{SIMULATOR}") for kind in ("bounce", "complaint")]
        with installation.mail() as connection:
            for send in sends:
                connection.send_message(letter(send, installation.outputs), to_addrs=[send.address])
                say(f"sent to {send.address}")
        say("")
        show("lead_donotcontact", awaited(cursor, sends), say)
        say("")
        show("email_stats", statistics(cursor, sends), say)


def put(cursor: Any, address: str) -> Send:
    """What Mautic has noted when it has sent a mail: the contact, the e-mail, and the send with its tracking hash."""
    tracking_hash = secrets.token_hex(11)
    cursor.execute("INSERT INTO leads (email, date_added) VALUES (%s, UTC_TIMESTAMP())", (address,))
    contact = cursor.lastrowid
    cursor.execute("INSERT INTO emails (name, subject, sent_count) VALUES ('Welcome', 'Welcome', 1)")
    email = cursor.lastrowid
    cursor.execute(
        "INSERT INTO email_stats (email_id, lead_id, email_address, date_sent, is_read, is_failed, viewed_in_browser, tracking_hash,"
        " open_details) VALUES (%s, %s, %s, UTC_TIMESTAMP(), 0, 0, 0, %s, 'a:0:{}')",
        (email, contact, address, tracking_hash),
    )
    return Send(address, tracking_hash, contact, email)


def letter(send: Send, outputs: dict[str, str]) -> EmailMessage:
    """The mail, with the headers that the image lets Mautic add."""
    message = EmailMessage()
    message["From"], message["To"] = f"Mautic <mautic@{outputs['SendingDomain']}>", send.address
    message["Subject"] = "Welcome"
    message["X-SES-CONFIGURATION-SET"] = outputs["ConfigurationSet"]
    message["X-Mautic-Track"] = f"{outputs['SiteUrl']}/email/{send.tracking_hash}.gif"
    message.set_content("A line.")
    return message


def awaited(cursor: Any, sends: list[Send]) -> list[Row]:
    """The do-not-contact rows of all contacts, as soon as each has one."""
    deadline = time.monotonic() + PATIENCE
    while True:
        cursor.execute(
            "SELECT lead_id, email, reason, channel, channel_id, d.date_added, comments FROM lead_donotcontact d"
            " JOIN leads ON leads.id = lead_id WHERE lead_id IN %s ORDER BY d.id",
            ([send.contact for send in sends],),
        )
        rows = [{**row, "reason": REASONS.get(row["reason"], row["reason"])} for row in cursor.fetchall()]
        missing = {send.address for send in sends} - {row["email"] for row in rows}
        if not missing:
            return rows
        if time.monotonic() > deadline:
            raise LocalAwsError(
                f"no row appeared for {', '.join(sorted(missing))} within {PATIENCE:.0f} s: the log of bounce-handler says why"
            )
        time.sleep(0.5)


def statistics(cursor: Any, sends: list[Send]) -> list[Row]:
    """What stands with the sends."""
    cursor.execute(
        "SELECT id, email_id, lead_id, is_failed, open_details FROM email_stats WHERE tracking_hash IN %s ORDER BY id",
        ([send.tracking_hash for send in sends],),
    )
    return list(cursor.fetchall())


def show(table: str, rows: list[Row], say: Callable[[str], None]) -> None:
    """A table's rows, a column below its name."""
    columns = list(rows[0])
    texts = [[str(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, one)) for one in zip(columns, *texts, strict=True)]
    say(table)
    for line in (columns, *texts):
        say("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
