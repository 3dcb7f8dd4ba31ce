"""Composite alarms."""

import unittest

from support import TestCase, client


class CompositeAlarms(TestCase):
    """See the sentences."""

    def test_composite_alarm_is_described_updated_and_deleted(self):
        stack, cloudwatch = self.deployed("alarms.yaml"), client("cloudwatch")
        out = stack.outputs()

        def described() -> list[dict]:
            return cloudwatch.describe_alarms(AlarmNames=[out["Whole"]], AlarmTypes=["CompositeAlarm"])[
                "CompositeAlarms"
            ]

        [alarm] = described()
        self.assertEqual((alarm["AlarmArn"], alarm["AlarmRule"]), (out["Arn"], f'ALARM("{out["Part"]}")'))
        self.assertEqual(stack.update(Text="second"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(described()[0]["AlarmDescription"], "second")
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(described(), [])

    def test_rule_about_an_alarm_that_is_not_there_is_refused(self):
        stack = self.new("alarms.yaml")
        self.assertEqual(stack.create(Rule='ALARM("nobody") OR ALARM(no-one)'), "ROLLBACK_COMPLETE", stack.story())
        self.assertEqual(
            stack.reason("Whole", "CREATE_FAILED"),
            "Could not save the composite alarm as alarms ['nobody', 'no-one'] in the alarm rule do not exist",
        )


if __name__ == "__main__":
    unittest.main()
