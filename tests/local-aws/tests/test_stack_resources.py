"""The state of one resource, as a function may ask for it."""

import unittest
from pathlib import Path

from support import Stack, TestCase


class StackResources(TestCase):
    """See the sentences."""

    def test_a_resource_is_seen_while_it_is_made_and_after_it_is_gone(self):
        stack = self.new("actor.yaml")
        go = Path(f"{stack.record}.go")
        self.addCleanup(go.unlink, missing_ok=True)
        stack.begin(Behaviour="held")
        stack.wait_for_requests(1)
        self.assertEqual(self.status(stack, stack.name), "CREATE_IN_PROGRESS")
        go.touch()
        self.assertEqual(stack.settled(), "CREATE_COMPLETE", stack.story())
        self.assertEqual(self.status(stack, stack.name), "CREATE_COMPLETE")
        stack_id = stack.described()["StackId"]
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        self.assertEqual(self.status(stack, stack_id), "DELETE_COMPLETE")

    def test_one_that_never_was_is_refused(self):
        stack = self.deployed("actor.yaml")
        with self.assertRaisesRegex(stack.cloudformation.exceptions.ClientError, "does not exist"):
            self.status(stack, stack.name, "Other")

    def status(self, stack: Stack, name: str, logical_id: str = "First") -> str:
        found = stack.cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["ResourceStatus"]


if __name__ == "__main__":
    unittest.main()
