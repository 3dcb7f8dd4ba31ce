"""What SES reports of a mail: the texts, as its documentation describes them, without anything that sends them.

Two shapes: an event, which a configuration set's destinations get (`eventType`, with tags), and a notification, which an
identity's topics get (`notificationType`, with headers only where the identity asks for them). The addresses of the mailbox
simulator decide what becomes of a mail: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import EmailMessage
from typing import Any

NAMES: dict[str, tuple[str, ...]] = {}

SIMULATOR = "simulator.amazonses.com"
# SES cuts the headers of a report where they grow longer than this.
HEADER_BYTES = 10 * 1024
MESSAGE_TAGS = "X-SES-MESSAGE-TAGS"

Detail = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """A mail that SES took, and from whom."""

    message_id: str
    message: EmailMessage
    source: str
    recipients: tuple[str, ...]
    identity_arn: str
    configuration_set: str
    user: str
    operation: str
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass(frozen=True)
class Report:
    """One thing that became of a mail: `Send`, `Delivery`, `Bounce` or `Complaint`, and the object of that name."""

    kind: str
    detail: Detail


def reports(mail: Sent, suppressed: frozenset[str]) -> Iterator[Report]:
    """What becomes of a mail, in order; `suppressed` are recipients to whom the account's list lets nothing go."""
    yield Report("Send", {})
    for recipient in mail.recipients:
        if recipient.lower() in suppressed:
            yield _bounce(recipient, "OnAccountSuppressionList", mail.at)
        else:
            yield from _simulated(recipient, mail.at)


def _simulated(recipient: str, at: datetime) -> Iterator[Report]:
    local, _, domain = recipient.lower().rpartition("@")
    name = local.split("+")[0] if domain == SIMULATOR else ""
    if name == "bounce":
        yield _bounce(recipient, "General", at)
    elif name == "suppressionlist":
        yield _bounce(recipient, "Suppressed", at)
    else:
        yield _delivery(recipient, at)
        if name == "complaint":
            yield _complaint(recipient, at)


_DIAGNOSES = {
    "General": "smtp; 550 5.1.1 user unknown",
    "Suppressed": "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an "
    "invalid address.",
    "OnAccountSuppressionList": "Amazon SES did not send the message to this address because it is on the suppression list "
    "for your account.",
}


def _bounce(recipient: str, subtype: str, at: datetime) -> Report:
    bounced = {"emailAddress": recipient, "action": "failed", "status": "5.1.1", "diagnosticCode": _DIAGNOSES[subtype]}
    detail = {
        "feedbackId": new_id(),
        "bounceType": "Permanent",
        "bounceSubType": subtype,
        "bouncedRecipients": [bounced],
        "timestamp": timestamp(at),
    }
    # Where SES itself stopped the mail, no other server said anything.
    return Report("Bounce", detail | ({"reportingMTA": "dns; local.amazonses.com"} if subtype == "General" else {}))


def _complaint(recipient: str, at: datetime) -> Report:
    detail = {
        "feedbackId": new_id(),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": recipient}],
        "timestamp": timestamp(at),
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": timestamp(at),
    }
    return Report("Complaint", detail)


def _delivery(recipient: str, at: datetime) -> Report:
    detail = {
        "timestamp": timestamp(at),
        "processingTimeMillis": 100,
        "recipients": [recipient],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "local.amazonses.com",
    }
    return Report("Delivery", detail)


def event(mail: Sent, report: Report, account: str) -> str:
    """The text that a destination of the configuration set gets."""
    described = _mail(mail, account) | _headers(mail) | {"tags": _tags(mail)}
    return json.dumps({"eventType": report.kind, report.kind.lower(): report.detail, "mail": described})


def notification(mail: Sent, report: Report, account: str, *, with_headers: bool) -> str:
    """The text that a topic of the identity gets."""
    described = _mail(mail, account) | {"sourceIp": "127.0.0.1", "callerIdentity": mail.user}
    described |= _headers(mail) if with_headers else {}
    return json.dumps({"notificationType": report.kind, report.kind.lower(): report.detail, "mail": described})


def _mail(mail: Sent, account: str) -> Detail:
    return {
        "timestamp": timestamp(mail.at),
        "source": mail.source,
        "sourceArn": mail.identity_arn,
        "sendingAccountId": account,
        "messageId": mail.message_id,
        "destination": list(mail.recipients),
    }


def _headers(mail: Sent) -> Detail:
    kept: list[dict[str, str]] = []
    length, is_cut = 0, False
    for name, value in mail.message.raw_items():
        # SES takes the place of whoever named the message.
        unfolded = mail.message_id if name.lower() == "message-id" else re.sub(r"\r?\n(?=[ \t])", "", str(value))
        length += len(name) + len(unfolded.encode(errors="replace"))
        is_cut = length > HEADER_BYTES
        if is_cut:
            break
        kept.append({"name": name, "value": unfolded})
    return {"headersTruncated": is_cut, "headers": kept, "commonHeaders": _common(mail)}


def _common(mail: Sent) -> Detail:
    message, found = mail.message, {"messageId": mail.message_id}
    for name in ("From", "To", "Cc", "Reply-To"):
        key = {"Reply-To": "replyTo"}.get(name, name.lower())
        if message[name]:
            found[key] = [one.strip() for one in str(message[name]).split(",")]
    return found | {
        key: str(message[name]) for name, key in (("Date", "date"), ("Subject", "subject")) if message[name]
    }


def _tags(mail: Sent) -> dict[str, list[str]]:
    own = (one.split("=", 1) for one in str(mail.message.get(MESSAGE_TAGS, "")).split(",") if "=" in one)
    return {
        "ses:operation": [mail.operation],
        "ses:configuration-set": [mail.configuration_set],
        "ses:source-ip": ["127.0.0.1"],
        "ses:from-domain": [mail.identity_arn.rsplit("/", 1)[-1]],
        "ses:caller-identity": [mail.user],
        **{name.strip(): [value.strip()] for name, value in own},
    }


def new_id() -> str:
    """An id as SES makes them for messages and feedback."""
    return f"{uuid.uuid4().hex[:16]}-{uuid.uuid4()}-000000"


def timestamp(at: datetime) -> str:
    """A point in time, as SES writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
