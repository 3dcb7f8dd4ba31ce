"""Prevents: an alarm that nobody heard, because its topic's key did not know CloudWatch; and one that nobody understood."""

from __future__ import annotations

import re
import unittest

from combinations import deployments
from support import PropertyTest, owner
from template_model import listed

WINDOW = re.compile(r"^(Over|Within) (an hour|a day|\d+ minutes) ")
PERIODS = {"an hour": 3600, "a day": 86400}
# What publishes by itself -> the service that does it. Alarms are always there, and so is CloudWatch.
PUBLISHERS = {
    "AWS::CloudWatch::Alarm": ("AlarmActions", "cloudwatch.amazonaws.com"),
    "AWS::RDS::EventSubscription": ("SnsTopicArn", "events.rds.amazonaws.com"),
    "AWS::SES::ConfigurationSetEventDestination": ("EventDestination", "ses.amazonaws.com"),
}
# What services reach through a policy of the resource's own.
GUARDED = ("AWS::KMS::Key", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
KEY_USE = {"kms:Decrypt", "kms:GenerateDataKey"}


def seconds(text: str) -> int:
    """The window that an alarm's description promises."""
    window = WINDOW.match(text)[2]
    return PERIODS.get(window) or int(window.split()[0]) * 60


def period(alarm) -> int:
    """Seconds between two values that the alarm judges, for metric math those of its metrics."""
    periods = {one["MetricStat"]["Period"] for one in alarm.properties.get("Metrics", []) if "MetricStat" in one}
    (found,) = periods or {alarm.properties["Period"]}
    return found


class Alarms(PropertyTest):
    def test_every_alarm_notifies_the_topic_of_the_foundation(self):
        self.holds(
            (deployment, alarm, f"notifies {alarm.properties.get('AlarmActions')}")
            for deployment, alarm in self.everywhere("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
            if alarm.properties.get("AlarmActions") != ["<foundation.AlarmTopic>"]
        )

    def test_every_alarm_is_named_after_its_fault_and_says_the_window_and_the_effect(self):
        def findings():
            for deployment, alarm in self.everywhere("AWS::CloudWatch::Alarm"):
                text = alarm.properties.get("AlarmDescription", "")
                if not alarm.logical_id.endswith("Alarm"):
                    yield deployment, alarm, "the name does not end in Alarm"
                if not WINDOW.match(text) or len(text.split(". ")) < 2 or len(text) > 1024:
                    yield deployment, alarm, f"description {text!r}"
                elif period(alarm) * alarm.properties["EvaluationPeriods"] != seconds(text):
                    yield deployment, alarm, f"the window is another: {text!r}"

        self.holds(findings())

    def test_every_alarm_says_what_missing_data_means(self):
        self.holds(
            (deployment, alarm, "TreatMissingData is left to chance")
            for deployment, alarm in self.everywhere("AWS::CloudWatch::Alarm")
            if "TreatMissingData" not in alarm.properties
        )

    def test_every_function_is_watched_for_errors_throttles_and_duration(self):
        def findings():
            for deployment, function in self.everywhere("AWS::Lambda::Function"):
                dimension = [{"Name": "FunctionName", "Value": function.placeholder}]
                watched = {
                    alarm.properties["MetricName"]: alarm
                    for alarm in deployment.resources("AWS::CloudWatch::Alarm")
                    if alarm.properties.get("Dimensions") == dimension
                }
                if missing := {"Errors", "Throttles", "Duration"} - watched.keys():
                    yield deployment, function, f"no alarm for {sorted(missing)}"
                elif watched["Duration"].properties["Threshold"] >= function.properties["Timeout"] * 1000:
                    yield deployment, function, "the duration's alarm lies beyond the timeout"

        self.holds(findings())

    def test_bounces_and_complaints_alarm_at_half_of_what_ses_reviews_and_name_the_sandbox(self):
        found = {
            (alarm.properties["MetricName"], alarm.properties["Threshold"], "<ses.SesDomain.ProductionAccessText>")
            for _, alarm in self.everywhere("AWS::CloudWatch::Alarm")
            if alarm.properties.get("Namespace") == "AWS/SES"
            and "<ses.SesDomain.ProductionAccessText> Runbook: " in alarm.properties["AlarmDescription"]
        }
        text = "<ses.SesDomain.ProductionAccessText>"
        self.assertEqual(
            found, {("Reputation.BounceRate", 0.05 / 2, text), ("Reputation.ComplaintRate", 0.001 / 2, text)}
        )


class Publishers(PropertyTest):
    def publishers(self, deployment):
        """Every pair of a service and the topic that it publishes to by what the templates declare."""
        for resource in deployment.resources(*PUBLISHERS):
            name, service = PUBLISHERS[resource.type]
            target = resource.properties[name]
            target = target["SnsDestination"]["TopicARN"] if isinstance(target, dict) else target
            for topic in listed(target):
                yield resource, service, owner(deployment, topic)

    def allowed(self, statements, actions: set[str]) -> set[str]:
        """The services that the statements let do all of these."""
        return {
            service
            for statement in statements
            if statement["Effect"] == "Allow" and actions <= set(listed(statement["Action"]))
            for service in listed(statement.get("Principal", {}).get("Service", []))
        }

    def topic_statements(self, deployment, topic):
        return [
            statement
            for policy in deployment.resources("AWS::SNS::TopicPolicy")
            if topic.placeholder in policy.properties["Topics"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def test_whoever_publishes_may_use_the_topic_and_the_topics_key(self):
        def findings():
            for deployment in deployments():
                for resource, service, topic in self.publishers(deployment):
                    key = owner(deployment, topic.properties["KmsMasterKeyId"])
                    if service not in self.allowed(self.topic_statements(deployment, topic), {"sns:Publish"}):
                        yield deployment, resource, f"{topic} does not let {service} publish"
                    if service not in self.allowed(key.properties["KeyPolicy"]["Statement"], KEY_USE):
                        yield deployment, resource, f"{key} does not let {service} use it: the message vanishes"

        self.holds(findings())

    def test_whom_a_topic_lets_publish_its_key_lets_encrypt(self):
        def findings():
            for deployment, topic in self.everywhere("AWS::SNS::Topic"):
                key = owner(deployment, topic.properties["KmsMasterKeyId"])
                publishers = self.allowed(self.topic_statements(deployment, topic), {"sns:Publish"})
                if missing := publishers - self.allowed(key.properties["KeyPolicy"]["Statement"], KEY_USE):
                    yield deployment, topic, f"{key} does not know {sorted(missing)}"

        self.holds(findings())

    def test_services_that_send_a_source_are_held_to_it(self):
        sourceless = {"backup.amazonaws.com", "events.amazonaws.com"}
        sources = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}

        def findings():
            for deployment, resource in self.everywhere(*GUARDED):
                document = resource.properties.get("KeyPolicy") or resource.properties["PolicyDocument"]
                for statement in document["Statement"]:
                    principal = {} if statement["Principal"] == "*" else statement["Principal"]
                    services = set(listed(principal.get("Service", [])))
                    keys = {key for test in statement.get("Condition", {}).values() for key in test}
                    if services - sourceless and not keys:
                        yield (
                            deployment,
                            resource,
                            f"{statement['Sid']}: any account may come through {sorted(services)}",
                        )
                    if services and keys - sources:
                        yield deployment, resource, f"{statement['Sid']}: {sorted(keys - sources)} names no source"

        self.holds(findings())


if __name__ == "__main__":
    unittest.main()
