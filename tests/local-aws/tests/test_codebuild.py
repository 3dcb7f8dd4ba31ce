"""Builds: the real script, from a context in S3 to an image in ECR with the rights of the role, ending as the base's name asks."""

import hashlib
import io
import json
import unittest
import uuid
import zipfile
from pathlib import Path
from typing import Any

import botocore.exceptions
from support import client, state, until

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
SOURCE = Path(__file__).resolve().parents[3] / "functions/image-build"
WHOLE = ("buildspec.yml", "build.sh", "container/Dockerfile")
RIGHTS = ("ecr:*", "logs:*", "s3:GetObject")
BASE = f"mautic/mautic:7@sha256:{hashlib.sha256(b'mautic/mautic:7').hexdigest()}"
SAID = "Error while executing command: bash build.sh. Reason: exit status 1"


# What most of these tests need of the real script, which asks the AWS CLI ten times.
SHORT = """set -e
echo "with the password ${REGISTRY_PASSWORD:-that is not told}"
docker login --username AWS --password-stdin "${REPOSITORY_URI%%/*}" <<<token
docker build --tag "$REPOSITORY_URI:$IMAGE_TAG" \\
  --build-arg MAUTIC_IMAGE="$MAUTIC_IMAGE" --build-arg MAUTIC_TAG="$MAUTIC_TAG" --build-arg MAUTIC_DIGEST=any container
docker push "$REPOSITORY_URI:$IMAGE_TAG"
"""


def archive(*names: str, script: str = SHORT) -> bytes:
    """A context with these files of the real one, but for the script."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as one:
        for name in names:
            one.writestr(name, script if name == "build.sh" else (SOURCE / name).read_text())
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

    def project(self, *rights: str, **variables: str) -> None:
        """A project whose role has these rights; and variables whose values stand in a secret."""
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
                "environmentVariables": [
                    {"name": "REPOSITORY_URI", "value": self.uri},
                    *({"name": one, "type": "SECRETS_MANAGER", "value": place} for one, place in variables.items()),
                ],
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

    def log(self, build: dict[str, Any]) -> list[str]:
        """What a build printed."""
        read = client("logs").get_log_events(logGroupName=self.name, logStreamName=build["logs"]["streamName"])
        return [one["message"] for one in read["events"]]

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
        real = archive(*WHOLE, script=(SOURCE / "build.sh").read_text())
        client("s3").put_object(Bucket=self.name, Key="contexts/real.zip", Body=real)
        build = self.ended(self.start(key="contexts/real.zip"))
        self.assertEqual(build["buildStatus"], "SUCCEEDED", self.log(build))
        self.assertRegex(self.digest(), "^sha256:[0-9a-f]{64}$")
        told = {one["name"]: one["value"] for one in build["environment"]["environmentVariables"]}
        self.assertEqual((told["REPOSITORY_URI"], told["IMAGE_TAG"]), (self.uri, "t1"))
        log = self.log(build)
        self.assertEqual(
            [line for line in log if line.startswith("build: ")],
            [
                f"build: signed in to {self.uri.split('/')[0]}",
                f"build: {self.uri}:t1 from {BASE}",
                f"build: pushed {self.uri}:t1",
                f"build: its digest is {self.digest()}",
            ],
        )
        nothing = f"{self.uri}:t1 from {BASE}: nothing is built, for the local AWS has no container engine"
        self.assertIn(nothing, log)

    def test_a_secret_reaches_the_script_and_not_its_log(self) -> None:
        content = json.dumps({"username": "ada", "password": "s3nt1nel"})
        secret = client("secretsmanager").create_secret(Name=self.name, SecretString=content)["ARN"]
        self.project(*RIGHTS, "secretsmanager:GetSecretValue", REGISTRY_PASSWORD=f"{secret}:password")
        self.assertIn("with the password ***", self.log(self.ended(self.start())))

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
        build = self.ended(self.start("local/mautic-build-races"))
        self.assertEqual(build["buildStatus"], "FAILED")
        self.assertIn("ImageTagAlreadyExistsException", self.log(build)[-1])
        self.assertRegex(self.digest(), "^sha256:")

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
        build = self.ended(self.start())
        self.assertEqual(build["buildStatus"], "FAILED")
        denied = "(AccessDeniedException) when calling the BatchCheckLayerAvailability operation"
        self.assertIn(denied, self.log(build)[-1])


if __name__ == "__main__":
    unittest.main()
