"""Prevents: a kind of resource that `make deploy` locks and the commands of the README do not."""

import json
import re
import unittest

from pages.page import ROOT


class StackPolicy(unittest.TestCase):
    """See the sentence."""

    def test_the_policy_for_the_cli_locks_what_the_driver_locks_and_nested_stacks(self):
        table = (ROOT / "shared/stack-driver/src/stateful.rs").read_text().split("pub const STATEFUL")[1].split("];")[0]
        locked = set(re.findall(r'"(AWS::\w+::\w+)"', table))
        self.assertGreater(len(locked), 5)
        allow, deny = json.loads((ROOT / "cloudformation/stack-policy.json").read_text())["Statement"]
        self.assertEqual((allow["Effect"], allow["Action"]), ("Allow", "Update:*"))
        self.assertEqual((deny["Effect"], deny["Action"]), ("Deny", ["Update:Replace", "Update:Delete"]))
        types = deny["Condition"]["StringEquals"]["ResourceType"]
        self.assertEqual(set(types), locked | {"AWS::CloudFormation::Stack"})
        self.assertEqual(types, sorted(types))


if __name__ == "__main__":
    unittest.main()
