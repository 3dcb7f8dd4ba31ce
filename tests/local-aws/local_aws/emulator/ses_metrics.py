"""AWS/SES in CloudWatch: what becomes of each mail that SES takes is counted there."""

import threading

from ministack.core.responses import request_scope

from local_aws.emulator.resources import aws
from local_aws.emulator.settings import SETTINGS

NAMES: dict[str, tuple[str, ...]] = {}

NAMESPACE = "AWS/SES"


def accepted() -> None:
    """Count a mail that is delivered; beside the one who took it, for the emulator's own loop may be waiting."""
    threading.Thread(target=_delivered, daemon=True).start()


def _delivered() -> None:
    with request_scope(SETTINGS.account, SETTINGS.region):
        for name in ("Send", "Delivery"):
            count(name)


def count(name: str) -> None:
    """Count a `Send`, `Delivery`, `Bounce` or `Complaint`; not on the emulator's own loop, and in an account's scope."""
    data = [{"MetricName": name, "Value": 1.0, "Unit": "Count"}]
    aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
