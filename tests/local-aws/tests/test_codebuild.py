"""Builds: from a context in S3 to an image in ECR with the rights of the project's role, ending as the base's name asks."""

import io
import json
import unittest
import uuid
import zipfile
from typing import Any

import botocore.exceptions
from support import client, state, until

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
WHOLE = ("buildspec.yml", "build.sh", "container/Dockerfile")
RIGHTS = ("ecr:*", "logs:*", "s3:GetObject")
SAID = "Error while executing command: bash build.sh. Reason: exit status 1"


def archive(*names: str) -> bytes:
    """A context with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as one:
        for name in names:
            one.writestr(name, "")
    return buffer.getvalue()


class Builds(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def setUp(self) -> None:
        self.name = f"image{uuid.uuid4().hex[:8]}"
        state()
        client("s3").create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client("s3").put_object(Bucket=self.name, Key="contexts/1.zip", Body=archive(*WHOLE))
        repository = client("ecr").create_repository(repositoryName=self.name, imageTagMutability="IMMUTABLE")
        self.uri = repository["repository"]["repositoryUri"]
        client("logs").create_log_group(logGroupName=self.name)

    def project(self, *rights: str) -> None:
        """A project whose role has these rights."""
        iam = client("iam")
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": list(rights), "Resource": "*"}
        iam.put_role_policy(RoleName=self.name, PolicyName="own", PolicyDocument=json.dumps({"Statement": [statement]}))
        client("codebuild").create_project(
            name=self.name,
            source={"type": "S3", "location": f"{self.name}/contexts/none.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "ARM_CONTAINER",
                "image": "any",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "REPOSITORY_URI", "value": self.uri}],
            },
            logsConfig={"cloudWatchLogs": {"status": "ENABLED", "groupName": self.name}},
            serviceRole=role,
        )

    def start(self, base: str = "mautic/mautic", key: str = "contexts/1.zip", **more: Any) -> dict[str, Any]:
        """A build that was started."""
        told = {"IMAGE_TAG": "t1", "PATCH": "", "MAUTIC_IMAGE": base, "MAUTIC_TAG": "7", "MAUTIC_DIGEST": ""}
        return client("codebuild").start_build(
            projectName=self.name,
            sourceTypeOverride="S3",
            sourceLocationOverride=f"{self.name}/{key}",
            environmentVariablesOverride=[{"name": name, "value": value} for name, value in told.items()],
            **more,
        )["build"]

    def ended(self, build: dict[str, Any]) -> dict[str, Any]:
        """The same build when it no longer runs."""

        def look() -> dict[str, Any] | None:
            found = client("codebuild").batch_get_builds(ids=[build["id"]])["builds"][0]
            return None if found["buildStatus"] == "IN_PROGRESS" else found

        return until("the build's end", look)

    def outcome(self, *arguments: str) -> tuple[str, str, str]:
        """The status, the phase that failed, and CodeBuild's words."""
        build = self.ended(self.start(*arguments))
        failed = [one for one in build["phases"] if one["phaseStatus"] != "SUCCEEDED"]
        words = [one.get("contexts", [{}])[0].get("message", "") for one in failed]
        return build["buildStatus"], "".join(one["phaseType"] for one in failed), "".join(words)

    def digest(self) -> str:
        """The digest of the image."""
        found = client("ecr").describe_images(repositoryName=self.name, imageIds=[{"imageTag": "t1"}])
        return found["imageDetails"][0]["imageDigest"]

    def test_a_build_pushes_an_image_and_says_so_in_its_log(self) -> None:
        self.project(*RIGHTS)
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            self.digest()
        self.assertEqual(refused.exception.response["Error"]["Code"], "ImageNotFoundException")
        build = self.ended(self.start())
        self.assertEqual(build["buildStatus"], "SUCCEEDED")
        self.assertRegex(self.digest(), "^sha256:[0-9a-f]{64}$")
        told = {one["name"]: one["value"] for one in build["environment"]["environmentVariables"]}
        self.assertEqual((told["REPOSITORY_URI"], told["IMAGE_TAG"]), (self.uri, "t1"))
        log = client("logs").get_log_events(logGroupName=self.name, logStreamName=build["logs"]["streamName"])
        self.assertEqual(
            [one["message"] for one in log["events"]],
            [
                f"build: {self.uri}:t1 from mautic/mautic:7@newest, on the local AWS, which has no container engine",
                f"build: pushed {self.uri}:t1",
            ],
        )

    def test_the_same_token_is_the_same_build(self) -> None:
        self.project(*RIGHTS)
        first, second = (self.start(idempotencyToken="one") for _ in range(2))
        self.assertEqual(first["id"], second["id"])
        self.assertNotEqual(first["id"], self.start(idempotencyToken="two")["id"])

    def test_the_base_s_name_asks_for_other_endings(self) -> None:
        self.project(*RIGHTS)
        for wish, expected in {
            "fails": ("FAILED", "BUILD", SAID),
            "stops": ("STOPPED", "BUILD", ""),
            "times": ("TIMED_OUT", "BUILD", ""),
            "faults": ("FAULT", "PROVISIONING", "build container could not be provisioned"),
        }.items():
            self.assertEqual(self.outcome(f"local/mautic-build-{wish}"), expected)
        with self.assertRaises(botocore.exceptions.ClientError):
            self.digest()

    def test_one_that_runs_can_be_stopped(self) -> None:
        self.project(*RIGHTS)
        build = self.start("local/mautic-build-runs")
        client("codebuild").stop_build(id=build["id"])
        self.assertEqual(self.ended(build)["buildStatus"], "STOPPED")

    def test_a_tag_that_another_build_has_pushed_is_refused(self) -> None:
        self.project(*RIGHTS)
        status, phase, words = self.outcome("local/mautic-build-races")
        self.assertEqual((status, phase), ("FAILED", "BUILD"))
        self.assertIn("ImageTagAlreadyExistsException", words)
        self.assertRegex(self.digest(), "^sha256:")

    def test_a_tag_that_may_change_follows_the_newest_build(self) -> None:
        self.project(*RIGHTS)
        rolling = {"name": "ROLLING", "value": "true"}
        for patch in ("", "20261201"):
            told = {"IMAGE_TAG": "t1", "PATCH": patch, "MAUTIC_IMAGE": "m", "MAUTIC_TAG": "7", "MAUTIC_DIGEST": ""}
            build = client("codebuild").start_build(
                projectName=self.name,
                sourceLocationOverride=f"{self.name}/contexts/1.zip",
                environmentVariablesOverride=[rolling, *({"name": one, "value": told[one]} for one in told)],
            )["build"]
            # The repository of this test lets no tag change.
            self.assertEqual(self.ended(build)["buildStatus"], "FAILED" if patch else "SUCCEEDED")
        images = client("ecr").describe_images(repositoryName=self.name)["imageDetails"]
        self.assertEqual(sorted(sorted(one["imageTags"]) for one in images), [["rolling-t1", "t1"], ["t1-20261201"]])

    def test_what_is_no_context_is_not_built(self) -> None:
        self.project(*RIGHTS)
        client("s3").put_object(Bucket=self.name, Key="contexts/2.zip", Body=archive("build.sh", "buildspec.yml"))
        self.assertEqual(
            self.outcome("mautic/mautic", "contexts/2.zip"),
            ("FAILED", "DOWNLOAD_SOURCE", "contexts/2.zip has no container/Dockerfile"),
        )
        self.assertEqual(self.outcome("mautic/mautic", "contexts/3.zip")[:2], ("FAILED", "DOWNLOAD_SOURCE"))

    def test_a_role_without_a_right_fails_the_build(self) -> None:
        self.project("logs:*", "s3:GetObject", "ecr:GetAuthorizationToken", "ecr:DescribeImages", "ecr:BatchGetImage")
        status, phase, words = self.outcome()
        self.assertEqual((status, phase), ("FAILED", "BUILD"))
        self.assertIn("allows no ecr:BatchCheckLayerAvailability on arn:aws:ecr:", words)


if __name__ == "__main__":
    unittest.main()
