"""Stack policies, judged while a stack is updated."""

import json
import unittest

from support import TestCase, settings

ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*"}
TYPES = {"StringEquals": {"ResourceType": ["AWS::S3::Bucket"]}}


class StackPolicies(TestCase):
    """See the sentences."""

    def denied(
        self, *statements: dict, logical_id: str = "Files", kind: str = "AWS::S3::Bucket", action: str = "Replace"
    ) -> str:
        with settings():
            from local_aws.emulator import stack_policies
        return stack_policies.denial(json.dumps({"Statement": statements}), logical_id, kind, f"Update:{action}")

    def test_statement_is_bound_to_actions_resources_and_types(self):
        by_type = {**DENY, "Resource": "*", "Condition": TYPES}
        self.assertEqual(
            self.denied(ALLOW, by_type),
            "Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for resource "
            "[LogicalResourceId/Files]",
        )
        self.assertEqual(self.denied(ALLOW, by_type, action="Modify"), "")
        self.assertEqual(self.denied(ALLOW, by_type, kind="AWS::SNS::Topic"), "")
        excepted = {**DENY, "NotResource": ["LogicalResourceId/Files"], "Condition": TYPES}
        self.assertEqual(self.denied(ALLOW, excepted), "")
        self.assertIn("denied by stack policy", self.denied(ALLOW, excepted, logical_id="Others"))

    def test_what_no_statement_allows_is_denied(self):
        only = {**ALLOW, "Resource": "LogicalResourceId/Others"}
        self.assertEqual(
            self.denied(only),
            "Action not allowed by stack policy: no statement allows [Update:Replace] for resource [LogicalResourceId/Files]",
        )

    def test_update_that_the_policy_denies_fails_and_one_that_it_allows_does_not(self):
        stack = self.deployed("guarded.yaml", Name="guarded-1")
        policy = {"Statement": [ALLOW, {**DENY, "Resource": "*", "Condition": TYPES}]}
        stack.cloudformation.set_stack_policy(StackName=stack.name, StackPolicyBody=json.dumps(policy))
        self.assertEqual(stack.update(Name="guarded-1", Note="b"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.update(Name="guarded-2", Note="b"), "UPDATE_ROLLBACK_COMPLETE", stack.story())
        self.assertIn("Action denied by stack policy: Statement [#2] does not allow [Update:Replace]", stack.story())
        stack.cloudformation.set_stack_policy(StackName=stack.name, StackPolicyBody=json.dumps({"Statement": [ALLOW]}))
        self.assertEqual(stack.update(Name="guarded-2", Note="b"), "UPDATE_COMPLETE", stack.story())


if __name__ == "__main__":
    unittest.main()
