"""SES: what became of a mail is published, to the destinations of its configuration set and to the topics of its identity.

SES publishes as itself: the topic's policy must let it. It tries that once, with a text that is no report, before it takes a
topic as a destination; an identity's topic gets a notice that notifications will come. Firehose, CloudWatch and EventBridge as destinations get nothing.
"""

import json
import logging
import threading
import urllib.parse
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import ses, ses_v2, sns

from local_aws.emulator import patches, ses_metrics, ses_suppression
from local_aws.emulator.ses_reports import Report, Sent, event, notification, reports
from local_aws.emulator.settings import SETTINGS

NAMES = {
    "ministack.services.ses": ("_identities", "_xml", "handle_request"),
    "ministack.services.ses_v2": ("_config_sets", "_json_err", "_put_event_destination"),
    "ministack.services.sns": ("publish_internal", "topic_policy_allows"),
}

SUBJECT = "Amazon SES Email Event Notification"
TRIAL = "Successfully validated SNS topic for Amazon SES event publishing."
WITH_HEADERS = "SetIdentityHeadersInNotificationsEnabled"
TOPIC = "SetIdentityNotificationTopic"

log = logging.getLogger("local-aws.ses")


def install() -> None:
    """Let SES try a topic before it takes it; let identities ask for headers, and tell their topics what will come."""
    patches.replace(ses_v2.__name__, "_put_event_destination", _try_topic)
    patches.replace(ses.__name__, "handle_request", _identity_request)


def _try_topic(stock: Any) -> Any:
    def put(name: str, destination: str, definition: Any, *, create: bool) -> Any:
        topic = ((definition or {}).get("SnsDestination") or {}).get("TopicArn")
        source = _arn(f"configuration-set/{name}")
        if topic and name in ses_v2._config_sets and not sns.topic_policy_allows(topic, *_as_ses(source)):
            return ses_v2._json_err("BadRequestException", f"Could not publish to SNS topic <{topic}>.")
        refused = stock(name, destination, definition, create=create)
        if topic and refused is None:
            sns.publish_internal(topic, TRIAL)
        return refused

    return put


def _identity_request(stock: Any) -> Any:
    """`SetIdentityHeadersInNotificationsEnabled`, which the emulator's first generation of SES lacks, and a new topic's notice."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        wanted = dict(urllib.parse.parse_qsl(body.decode(errors="replace"))) if method == "POST" else {}
        name = wanted.get("Identity", "")
        if wanted.get("Action") == WITH_HEADERS:
            if name in ses._identities:
                kinds = ses._identities[name].setdefault("HeadersIn", {})
                kinds[wanted["NotificationType"]] = wanted.get("Enabled") == "true"
            return ses._xml(200, f"{WITH_HEADERS}Response", f"<{WITH_HEADERS}Result/>")
        answer = await stock(method, path, headers, body, query)
        if wanted.get("Action") == TOPIC and wanted.get("SnsTopic") and name in ses._identities:
            _to_topic(wanted["SnsTopic"], _arn(f"identity/{name}"), _notice(wanted), "")
        return answer

    return handle


def _notice(wanted: dict[str, str]) -> str:
    text = (
        f"You have successfully subscribed your Amazon SNS topic '{wanted['SnsTopic']}' to receive"
        f" '{wanted['NotificationType']}' notifications from Amazon SES for identity '{wanted['Identity']}'."
    )
    return json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text}) + "\n"


def sent(mail: Sent) -> None:
    """Count and publish what becomes of a mail, soon and from a thread of its own: who sent it does not wait for that."""
    threading.Thread(target=_publish_all, args=(mail,), daemon=True).start()


def _publish_all(mail: Sent) -> None:
    with request_scope(SETTINGS.account, SETTINGS.region):
        for report in reports(mail, ses_suppression.among(mail.recipients, mail.configuration_set)):
            try:
                ses_metrics.count(report.kind)
                _publish(mail, report)
            except Exception:
                log.exception("%s of %s", report.kind, mail.message_id)


def _publish(mail: Sent, report: Report) -> None:
    source = _arn(f"configuration-set/{mail.configuration_set}")
    for destination in _destinations(mail.configuration_set):
        if report.kind.upper() in destination["MatchingEventTypes"]:
            _to_topic(destination["SnsDestination"]["TopicArn"], source, event(mail, report, SETTINGS.account), SUBJECT)
    name = mail.identity_arn.rsplit("/", 1)[-1]
    identity = ses._identities.get(name) or {}
    topic = identity.get("NotificationTopics", {}).get(report.kind)
    if topic:
        with_headers = identity.get("HeadersIn", {}).get(report.kind, False)
        text = notification(mail, report, SETTINGS.account, with_headers=with_headers)
        _to_topic(topic, mail.identity_arn, text, "")


def _destinations(configuration_set: str) -> list[dict[str, Any]]:
    destinations = (ses_v2._config_sets.get(configuration_set) or {}).get("EventDestinations") or {}
    return [one for one in destinations.values() if one["Enabled"] and one.get("SnsDestination")]


def _to_topic(topic: str, source: str, text: str, subject: str) -> None:
    if sns.topic_policy_allows(topic, *_as_ses(source)):
        sns.publish_internal(topic, text, subject)
    else:
        lost = json.loads(text)
        log.error("%s does not let ses.amazonaws.com publish for %s: %s is lost", topic, source, lost.get("mail", lost))


def _as_ses(source: str) -> tuple[str, str, str]:
    return "ses.amazonaws.com", source, SETTINGS.account


def _arn(resource: str) -> str:
    return f"arn:aws:ses:{SETTINGS.region}:{SETTINGS.account}:{resource}"
