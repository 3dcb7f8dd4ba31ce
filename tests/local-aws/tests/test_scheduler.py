"""Schedules start tasks with the rights of their role."""

import time
import unittest
from collections.abc import Callable
from typing import Any

from support import Stack, TestCase, client

# The emulator looks every 10 s which schedule is due.
PATIENCE = 60.0
AT_ONCE = "at(2026-01-01T00:00:00)"
NEVER = "cron(0 3 1 1 ? 2099)"


class Schedules(TestCase):
    """See the sentences."""

    def wait(self, what: str, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            self.assertLess(time.monotonic(), deadline, f"{what}: not within {PATIENCE:.0f} s")
            time.sleep(0.2)
        return found

    def tasks(self, stack: Stack) -> list[dict[str, Any]]:
        ecs, cluster = client("ecs"), stack.outputs()["Cluster"]
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        ]
        return ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []

    def described(self, stack: Stack) -> dict[str, Any]:
        out = stack.outputs()
        return client("scheduler").get_schedule(Name=out["Name"], GroupName=out["Group"])

    def test_schedule_keeps_every_property_and_is_updated_in_place(self):
        stack = self.deployed("schedule.yaml", At=NEVER)
        schedule = self.described(stack)
        self.assertEqual(stack.outputs()["Arn"], schedule["Arn"])
        self.assertEqual(
            (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]), (NEVER, "Europe/Berlin")
        )
        network = schedule["Target"]["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]
        self.assertEqual(network["Subnets"], ["subnet-0123456789abcdef0"])
        self.assertEqual(schedule["Target"]["RetryPolicy"], {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0})
        self.assertEqual(stack.update(At=NEVER, Command="second"), "UPDATE_COMPLETE", stack.story())
        self.assertIn('"second"', self.described(stack)["Target"]["Input"])
        self.assertEqual(self.described(stack)["Name"], schedule["Name"])
        self.assertEqual(stack.update(At=NEVER, Command="third", Name="mine"), "UPDATE_COMPLETE", stack.story())
        group = client("scheduler").list_schedules(GroupName=stack.outputs()["Group"])["Schedules"]
        self.assertEqual([one["Name"] for one in group], ["mine"])
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())

    def test_due_schedule_starts_its_task_with_its_command(self):
        stack = self.deployed("schedule.yaml", At=AT_ONCE)
        [task] = self.wait("the task", lambda: self.tasks(stack))
        [container] = task["overrides"]["containerOverrides"]
        self.assertEqual((container["name"], container["command"]), ("job", ["first"]))
        self.assertEqual((task["launchType"], task["startedBy"][:17]), ("FARGATE", "chronos-schedule/"))

    def test_what_the_role_may_not_start_goes_to_the_dead_letter_queue(self):
        stack = self.deployed("schedule.yaml", At=AT_ONCE, Action="ecs:StopTask")
        queue = stack.outputs()["Dead"]

        def look() -> Any:
            answer = client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])
            return answer.get("Messages")

        [message] = self.wait("the message", look)
        self.assertIn('"command": ["first"]', message["Body"])
        reason = message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        self.assertRegex(
            reason, r"^AccessDeniedException: arn:aws:iam::.+ allows no ecs:RunTask on arn:aws:ecs:.+:\d+$"
        )
        self.assertEqual(self.tasks(stack), [])


if __name__ == "__main__":
    unittest.main()
