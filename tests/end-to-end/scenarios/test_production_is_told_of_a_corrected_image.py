"""In prod a scheduled build changes nothing: whoever reads the alarm topic gets the digest, and the one command that deploys it.

The build runs the real script with the build role's own rights, and the command is the one that stands in the message.
"""

import json
import os
import unittest

import images
from fixtures import TEMPLATES, from_foundation
from stacks import Stack
from world import AWS_CLI, address, client, run, wait_until

NAME = "told"


class Patched(Stack):
    """Image and patches of prod, below a root."""

    def __init__(self) -> None:
        super().__init__(NAME, (TEMPLATES / "patched.yaml").read_text())

    def common(self) -> dict[str, str]:
        """What the foundation gives, and what the root decides."""
        given = from_foundation("DataKeyArn", "NotificationKeyArn", "AlarmTopicArn", "FailureResponderArn")
        templates = {"ImageTemplate": address(images.MODULE), "PatchesTemplate": address("MauticService/Patches")}
        return {**given, **templates, **images.SETTINGS, "Environment": "prod"}


class ProductionIsToldOfACorrectedImage(unittest.TestCase):
    """See the sentence."""

    maxDiff = None

    def subscribed(self, topic: str) -> str:
        """A queue that gets what is published."""
        sqs = client("sqs")
        queue = sqs.create_queue(QueueName=NAME)["QueueUrl"]
        self.addCleanup(sqs.delete_queue, QueueUrl=queue)
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        statement |= {"Principal": {"Service": "sns.amazonaws.com"}}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [statement]})})
        subscription = client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        self.addCleanup(client("sns").unsubscribe, SubscriptionArn=subscription["SubscriptionArn"])
        return queue

    def notice(self, queue: str) -> str:
        """The text of the notice, among whatever alarms say there."""

        def look() -> str:
            for one in client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                body = json.loads(one["Body"])
                if body["Subject"] == "A corrected image of Mautic":
                    return body["Message"]
            return ""

        return wait_until("the notice", look)

    def test_with_the_digest_and_the_command_that_deploys_it(self) -> None:
        stack = Patched()
        self.assertEqual(stack.create(ImagePatches="weekly"), "CREATE_COMPLETE", stack.story())
        image, before = stack.nested("Image"), stack.outputs()["ImageUri"]
        queue = self.subscribed(stack.common()["AlarmTopicArn"])
        build = images.scheduled(stack.nested("Patches"))
        self.assertEqual(build["buildStatus"], "SUCCEEDED", images.said(build))
        self.assertEqual(stack.outputs()["ImageUri"], before)

        [patch] = [tag for tag in images.images(image) if tag != image.outputs()["ContentTag"]]
        corrected = f"{before.split('@')[0]}@{images.images(image)[patch]}"
        told = self.notice(queue).splitlines()
        day = patch.rsplit("-", 1)[1]
        self.assertEqual(
            told[:6],
            [
                f"The image of {NAME} was built anew, with what was corrected until {day} (UTC):",
                "",
                corrected,
                'Its scan found: {"LOW":1}',
                "",
                "This deploys it:",
            ],
        )
        run("env", f"PATH={AWS_CLI.parent}:{os.environ['PATH']}", "bash", "-c", told[-1])
        self.assertEqual(stack.settled(), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.outputs()["ImageUri"], corrected)
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack.described()["Parameters"]}
        self.assertEqual(parameters, {**stack.common(), "ImagePatches": f"weekly-{day}"})
        self.assertEqual(len(images.builds(image)), 2, "what was built already is deployed")
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())


if __name__ == "__main__":
    unittest.main()
