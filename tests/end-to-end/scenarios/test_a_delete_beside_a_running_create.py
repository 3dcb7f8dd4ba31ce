"""A stack is deleted while its custom resource is still waiting: both end at once, and nothing is left behind.

The build of the image and the task of the release run until somebody stops them: a build is stopped, a task may come to its end. The domain's records go to the zone of the parent domain, while the domain has a public zone of its own: as with a missing
delegation, the world never sees them, and the Create waits for a verification that does not come.
"""

import json
import time
import unittest
from typing import Any

import images
import releases
from fixtures import SesDomain, keeping, lines, log_group
from images import Image
from releases import Release
from stacks import Stack
from world import client, module, published, wait_until
from zones import Zone, dkim_tokens, identities

PARENT = "cancelled.example"
DOMAIN = f"news.{PARENT}"
MOMENT = 3  # seconds; a Delete that waits for nothing is over in one
SOON = 60  # on a busy machine; whoever waits for the Create waits for ten minutes, or an hour
# The function outlives the stack here: its log tells how the Create ended.
FUNCTION = ("SesDomainFunction", "SesDomainRole", "SesDomainPolicy", "SesDomainLogGroup")


class ADeleteBesideARunningCreate(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def test_both_end_within_seconds_and_the_zone_is_as_it_was(self) -> None:
        zone, shadow = Zone(PARENT), Zone(DOMAIN, seeded=False)
        before = zone.bytes(), shadow.bytes()
        stack = SesDomain("cancelled", keeping(module("Ses"), *FUNCTION))
        stack.begin(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="600")
        wait_until("the domain's identity", lambda: DOMAIN in identities() or self.ended(stack))
        tokens = dkim_tokens(DOMAIN)
        wait_until("the domain's records", lambda: all(one in zone.bytes().decode() for one in tokens))
        group = log_group(stack, "SesDomainFunction")
        self.assertEqual(stack.described()["StackStatus"], "CREATE_IN_PROGRESS", stack.story())

        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual((zone.bytes(), shadow.bytes()), before)
        self.assertNotIn(DOMAIN, identities())
        self.assertLess(stack.took("SesDomain", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"), SOON, stack.story())
        self.assertEqual(stack.reason("SesDomain", "CREATE_FAILED"), "Resource creation cancelled")
        self.assertEqual(ends(stack, group), {"Create": "FAILED", "Delete": "SUCCESS"}, "\n".join(lines(group)))
        self.assertEqual((zone.bytes(), shadow.bytes()), before)

    def ended(self, stack: SesDomain) -> bool:
        status = stack.described()["StackStatus"]
        if status != "CREATE_IN_PROGRESS":
            self.fail(f"{status} before the domain existed:\n{stack.story()}")
        return False


class ADeleteBesideARunningBuild(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def test_both_end_within_seconds_and_the_build_is_stopped(self) -> None:
        function = ("ImageBuildFunction", "ImageBuildRole", "ImageBuildPolicy", "ImageBuildLogGroup")
        stack = Image("cancelled-image", keeping(module(images.MODULE), *function))
        stack.begin(ImageBase="mirror.example.com/mautic-build-runs")
        build = wait_until("the build at work", lambda: self.at_work(stack), stack.story)
        group = log_group(stack, "ImageBuildFunction")
        self.assertEqual(stack.described()["StackStatus"], "CREATE_IN_PROGRESS", stack.story())

        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertLess(stack.took("Image", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"), SOON, stack.story())
        self.assertEqual(stack.reason("Image", "CREATE_FAILED"), "Resource creation cancelled")
        self.assertEqual(ends(stack, group), {"Create": "FAILED", "Delete": "SUCCESS"}, "\n".join(lines(group)))
        [stopped] = client("codebuild").batch_get_builds(ids=[build["id"]])["builds"]
        self.assertEqual(stopped["buildStatus"], "STOPPED")
        self.assertNotIn(
            stack.physical_id("BuildBucket"), [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
        )

    def at_work(self, stack: Image) -> Any:
        """The build, once its script runs."""
        begun = any(one["LogicalResourceId"] == "Image" for one in stack.events())
        return next((one for one in images.builds(stack) if images.said(one)), None) if begun else None


class ADeleteBesideARunningRelease(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def test_both_wait_for_the_task_and_end_with_it(self) -> None:
        function = ("MauticReleaseFunction", "MauticReleaseRole", "MauticReleasePolicy", "MauticReleaseLogGroup")
        kept = published("withdrawn.yaml", keeping(module(releases.MODULE), *function))
        stack = Release("withdrawn", kept)
        self.assertEqual(stack.database.create(), "CREATE_COMPLETE", stack.database.story())
        self.addCleanup(stack.removed)
        stack.begin(ImageUri=releases.image("7.2-release-runs"))
        [task] = wait_until("the task at work", lambda: self.at_work(stack), stack.story)
        release = stack.nested("Release")
        group = log_group(release, "MauticReleaseFunction")

        stack.begin_delete()
        wait_until("the Delete", lambda: statuses(release)[-1:] == ["DELETE_IN_PROGRESS"], stack.story)
        time.sleep(MOMENT)
        # A cluster with tasks cannot be deleted.
        self.assertEqual(statuses(release)[-1], "DELETE_IN_PROGRESS", stack.story())
        stack.stop(task)
        self.assertEqual(ends(stack, group), {"Create": "FAILED", "Delete": "SUCCESS"}, "\n".join(lines(group)))
        self.assertEqual(stack.settled(), "DELETE_COMPLETE", stack.story())

    def at_work(self, stack: Release) -> list[str]:
        """The task, once there is one."""
        begun = any(one["LogicalResourceId"] == "Release" for one in stack.events())
        return stack.tasks("RUNNING") if begun else []


def statuses(release: Stack) -> list[str]:
    """What became of the custom resource."""
    return [one["ResourceStatus"] for one in release.events() if one["LogicalResourceId"] == "Release"]


def ends(stack: Stack, group: str) -> dict[str, str]:
    """How both requests ended."""
    return wait_until(
        "the end of both",
        lambda: found if len(found := answered(group)) == 2 else None,
        lambda: "\n".join([str(stack.story()), *lines(group)]),
    )


def answered(group: str) -> dict[str, str]:
    """How each request ended, by what its function logged."""
    entries = [json.loads(line) for line in lines(group)]
    return {
        entry["spans"][0]["request_type"]: entry["outcome"] for entry in entries if entry.get("message") == "answered"
    }
