"""AWS/SES in CloudWatch: each mail that SES takes is sent and, as nobody refuses it here, delivered at once."""

import threading

from ministack.core.responses import request_scope

from local_aws.emulator.resources import aws
from local_aws.emulator.settings import SETTINGS
from local_aws.smtp import Mailbox

NAMES: dict[str, tuple[str, ...]] = {}

NAMESPACE = "AWS/SES"
COUNTED = ("Send", "Delivery")


def accepted() -> None:
    """Count a mail; beside the one who took it, for the emulator's own loop may be waiting."""
    threading.Thread(target=_publish, daemon=True).start()


def _publish() -> None:
    with request_scope(SETTINGS.account, SETTINGS.region):
        data = [{"MetricName": name, "Value": 1.0, "Unit": "Count"} for name in COUNTED]
        aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


class CountedMailbox(Mailbox):
    """A mailbox whose mail is counted."""

    def keep(self, user: str, sender: str, recipients: list[str], content: bytes) -> str:
        """Store a message, and count it."""
        message_id = super().keep(user, sender, recipients, content)
        accepted()
        return message_id
