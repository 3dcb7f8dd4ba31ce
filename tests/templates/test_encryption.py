"""Prevents: a volume, a log or a topic that was made readable, and could only be encrypted by making it anew."""

from __future__ import annotations

import unittest

from support import PropertyTest, owner
from template_model import PLACEHOLDER, listed

# Type -> the property that names the key.
KEY_PROPERTY = {
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}


class AtRest(PropertyTest):
    def test_logs_secrets_topics_and_queues_name_a_key_of_the_stack(self):
        def findings():
            for deployment, resource in self.everywhere(*KEY_PROPERTY):
                key = resource.properties.get(KEY_PROPERTY[resource.type], "")
                if not PLACEHOLDER.fullmatch(key) or owner(deployment, key).type != "AWS::KMS::Key":
                    yield deployment, resource, f"{KEY_PROPERTY[resource.type]} is {key!r}"

        self.holds(findings())

    def test_a_logs_key_lets_cloudwatch_logs_use_it(self):
        """Without that the log group cannot be made, and with it the whole stack."""

        def findings():
            for deployment, group in self.everywhere("AWS::Logs::LogGroup"):
                key = owner(deployment, group.properties["KmsKeyId"])
                services = [s["Principal"].get("Service") for s in key.properties["KeyPolicy"]["Statement"]]
                if "logs.eu-central-1.amazonaws.com" not in services:
                    yield deployment, group, f"{key} does not know CloudWatch Logs"

        self.holds(findings())

    def test_the_database_its_secret_and_its_insights_are_encrypted(self):
        def findings():
            for deployment, instance in self.everywhere("AWS::RDS::DBInstance"):
                found = instance.properties
                keys = [found["MasterUserSecret"]["KmsKeyId"]]
                keys += [] if "DBSnapshotIdentifier" in found else [found["KmsKeyId"]]
                keys += [found["PerformanceInsightsKMSKeyId"]] if found["EnablePerformanceInsights"] else []
                if found["StorageEncrypted"] is not True or set(keys) != {"<foundation.DataKey.Arn>"}:
                    yield deployment, instance, f"StorageEncrypted {found['StorageEncrypted']}, keys {keys}"

        self.holds(findings())

    def test_buckets_are_encrypted_private_and_of_one_owner(self):
        def findings():
            for deployment, bucket in self.everywhere("AWS::S3::Bucket"):
                found = bucket.properties
                if not found.get("BucketEncryption"):
                    yield deployment, bucket, "no encryption"
                if not all(found.get("PublicAccessBlockConfiguration", {"": False}).values()):
                    yield deployment, bucket, "may become public"
                if len(found.get("PublicAccessBlockConfiguration", {})) != 4:
                    yield deployment, bucket, "blocks only part of public access"
                if found["OwnershipControls"]["Rules"] != [{"ObjectOwnership": "BucketOwnerEnforced"}]:
                    yield deployment, bucket, "objects may belong to others"

        self.holds(findings())

    def test_keys_are_rotated_and_give_the_longest_time_to_repent(self):
        self.holds(
            (deployment, key, "not rotated, or gone in less than 30 days")
            for deployment, key in self.everywhere("AWS::KMS::Key")
            if key.properties.get("EnableKeyRotation") is not True or key.properties.get("PendingWindowInDays") != 30
        )


class InTransit(PropertyTest):
    def test_mysql_and_mail_are_never_spoken_in_plain_text(self):
        self.holds(
            (deployment, group, "plain connections are accepted")
            for deployment, group in self.everywhere("AWS::RDS::DBParameterGroup")
            if group.properties["Parameters"].get("require_secure_transport") != "1"
        )
        self.holds(
            (deployment, found, "mail may leave without TLS")
            for deployment, found in self.everywhere("AWS::SES::ConfigurationSet")
            if found.properties["DeliveryOptions"] != {"TlsPolicy": "REQUIRE"}
        )

    def test_every_bucket_and_topic_has_a_policy_that_denies_plain_requests(self):
        guarded = {"AWS::S3::BucketPolicy": "Bucket", "AWS::SNS::TopicPolicy": "Topics"}

        def findings():
            for deployment, resource in self.everywhere("AWS::S3::Bucket", "AWS::SNS::Topic"):
                denials = [
                    statement
                    for policy in deployment.resources(*guarded)
                    if resource.placeholder in listed(policy.properties[guarded[policy.type]])
                    for statement in policy.properties["PolicyDocument"]["Statement"]
                    if statement["Effect"] == "Deny"
                    and statement["Principal"] == "*"
                    and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                ]
                if len(denials) != 1:
                    yield deployment, resource, "no policy denies requests without TLS"

        self.holds(findings())


if __name__ == "__main__":
    unittest.main()
