"""A task or a build works longer than its function may run, and longer than CloudFormation is to wait.

The functions have a few seconds for an invocation here, as they have 15 minutes on AWS: the wait goes on in the next one, which
starts nothing a second time, until `WaitSeconds` are over. What is at work is left alone, and the next deployment waits for it.
"""

import json
import unittest

import images
from fixtures import invocations, keeping, lines
from images import Image
from releases import MODULE, Release, image
from world import module, published, wait_until

# The runtime keeps 8 s for itself, and a look is not begun with less than the 15 s that it may take: 9 are left, fewer than WAIT.
SECONDS = 32
# More than those and a busy machine's delay: the first invocation must not be the last.
WAIT = 13


def hurried(path: str) -> str:
    """A module's text whose function has only these seconds."""
    text = module(path)
    assert text.count("Timeout: 900") == 1, f"the timeout of {path} is not where it was expected"
    return text.replace("Timeout: 900", f"Timeout: {SECONDS}")


class ATaskThatOutlastsItsFunction(unittest.TestCase):
    """mautic-release."""

    maxDiff = None

    def test_is_waited_for_by_further_invocations_then_left_alone_and_waited_for_again(self) -> None:
        stack = Release("outlast", published("outlast.yaml", hurried(MODULE))).installed()
        self.addCleanup(stack.removed)
        before = invocations(stack.function())
        status = stack.update(ImageUri=image("7.3.0-release-runs"), WaitSeconds=str(WAIT))
        self.assertEqual(status, "UPDATE_ROLLBACK_COMPLETE", stack.story())
        [task] = stack.tasks("RUNNING")
        reason = stack.nested("Release").reason("Release", "UPDATE_FAILED")
        for words in (
            f"is still at work in task {task} after {WAIT} s. It was left alone and goes on: wait for its end with aws ecs wait",
            "waiting until it is stopped, as the image's tag asks for",
        ):
            self.assertIn(words, reason)
        # The last one is the way back.
        self.assertGreater(invocations(stack.function()) - before, 2, "it was handed over")
        self.assertEqual(stack.records(), [("install", "7.2")])

        stack.begin_update(ImageUri=image("7.3.0"), WaitSeconds="60")
        handed_over, log = invocations(stack.function()) + 1, stack.function()
        wait_until("the next release's wait", lambda: invocations(log) > handed_over, stack.story)
        self.assertEqual(stack.tasks("RUNNING"), [task], "one at a time")
        stack.stop(task)
        self.assertEqual(stack.settled(), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.records(), [("install", "7.2"), ("migrate", "7.3.0")])


class ABuildThatOutlastsItsFunction(unittest.TestCase):
    """image-build."""

    maxDiff = None

    def test_is_waited_for_by_further_invocations_and_starts_no_second_one(self) -> None:
        template = hurried(images.MODULE).replace("WaitSeconds: 3540", f"WaitSeconds: {WAIT}")
        stack = Image("outlast-image", keeping(template, "ImageBuildLogGroup"))
        status = stack.begin(ImageBase="mirror.example.com/mautic-build-runs").settled()
        self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("Image", "CREATE_FAILED")
        self.assertRegex(reason, f"is still being built by .* after {WAIT} s")
        group = stack.physical_id("ImageBuildLogGroup")
        # The last one is the Delete of the way back, which stops the build.
        self.assertGreater(invocations(group), 2, "it was handed over")
        steps = [json.loads(line).get("step", "") for line in lines(group)]
        self.assertEqual(len([step for step in steps if step.startswith("start")]), 1, steps)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
