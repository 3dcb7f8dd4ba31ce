"""Types that belong to another resource: inline policies, backup selections."""

import unittest
from typing import Any

from support import TestCase, client


class Associations(TestCase):
    """See the sentences."""

    def test_inline_policies_are_put_changed_and_taken_away(self):
        stack, iam = self.deployed("policies.yaml"), client("iam")
        out = stack.outputs()

        def actions() -> list[Any]:
            policies = (
                iam.get_user_policy(UserName=out["User"], PolicyName="own"),
                iam.get_role_policy(RoleName=out["Role"], PolicyName="own"),
            )
            return [one["PolicyDocument"]["Statement"][0]["Action"] for one in policies]

        self.assertEqual(actions(), ["s3:GetObject"] * 2)
        self.assertEqual(stack.update(Action="s3:PutObject"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(actions(), ["s3:PutObject"] * 2)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())

    def test_backup_selection_stands_in_its_plan(self):
        stack, backup = self.deployed("policies.yaml"), client("backup")
        plan, selection = stack.outputs()["Plan"], stack.outputs()["Selection"]
        found = backup.get_backup_selection(BackupPlanId=plan, SelectionId=selection)["BackupSelection"]
        self.assertEqual(found["ListOfTags"][0]["ConditionValue"], "mautic")
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertNotIn(plan, [one["BackupPlanId"] for one in backup.list_backup_plans()["BackupPlansList"]])


if __name__ == "__main__":
    unittest.main()
