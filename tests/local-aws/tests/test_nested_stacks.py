"""Nested stacks: the whole engine for each of them, and one operation for the tree."""

import time
import unittest
from typing import Any
from unittest import mock

from support import Stack, TestCase, settings, url

with settings():
    from local_aws.emulator import nested_stacks


class NestedStacks(TestCase):
    """See the sentences."""

    def parent(self, **parameters: str) -> Stack:
        stack = self.new("parent.yaml")
        self.assertEqual(stack.create(Template=url("actor.yaml"), **parameters), "CREATE_COMPLETE", stack.story())
        return stack

    def sent(self, stack: Stack, after: int) -> list[tuple[Any, ...]]:
        return [
            (one["RequestType"], one["ResourceProperties"]["Name"], one.get("PhysicalResourceId"))
            for one in stack.requests()[after:]
        ]

    def child(self, stack: Stack, logical_id: str) -> str:
        resources = stack.cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
        return next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == logical_id)

    def test_nested_stack_has_its_own_events_and_passes_outputs_up(self):
        stack = self.parent()
        self.assertEqual(stack.outputs(), {"Id": "actor:a"})
        child = self.child(stack, "Early")
        self.assertRegex(child, rf":stack/{stack.name}-Early-[A-Z0-9]{{12}}/")
        self.assertIn("First CREATE_COMPLETE", stack.story(child))
        described = stack.described(child)
        self.assertEqual(described["Tags"], [{"Key": "Component", "Value": "early"}])
        root = stack.described()
        self.assertEqual((described["ParentId"], described["RootId"]), (root["StackId"], root["StackId"]))
        self.assertNotIn("RootId", root)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        self.assertEqual(stack.described(child)["StackStatus"], "DELETE_COMPLETE")

    def seen(self, stack: Stack, logical_id: str, after: int = 0) -> list[tuple[str, str, str]]:
        return [
            (e["ResourceStatus"], e.get("ResourceStatusReason", ""), e.get("PhysicalResourceId", ""))
            for e in stack.events()[after:]
            if e["LogicalResourceId"] == logical_id
        ]

    def test_events_of_the_parent_name_the_nested_stack_while_it_works(self):
        stack = self.parent()
        child = self.child(stack, "Early")
        initiated = ("CREATE_IN_PROGRESS", "Resource creation Initiated", child)
        begun, ended = ("CREATE_IN_PROGRESS", "", ""), ("CREATE_COMPLETE", "", child)
        self.assertEqual(self.seen(stack, "Early"), [begun, initiated, ended])
        before = len(stack.events())
        self.assertEqual(stack.update(Template=url("actor.yaml"), Seconds="1"), "UPDATE_COMPLETE", stack.story())
        updated = [("UPDATE_IN_PROGRESS", "", child), ("UPDATE_COMPLETE", "", child)]
        self.assertEqual(self.seen(stack, "Early", before), updated)

    def test_event_of_a_failed_update_names_the_nested_stack(self):
        stack = self.parent()
        child = self.child(stack, "Later")
        stack.update(Template=url("actor.yaml"), LaterBehaviour="fail")
        failed = [one[2] for one in self.seen(stack, "Later") if one[0] == "UPDATE_FAILED"]
        self.assertEqual(failed, [child], stack.story())

    def test_failure_is_reported_in_cloudformations_words_and_its_cause_in_the_childs_events(self):
        stack = self.new("parent.yaml")
        status = stack.create(Template=url("actor.yaml"), LaterBehaviour="fail")
        self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
        child = next(
            e["PhysicalResourceId"]
            for e in stack.events()
            if e["LogicalResourceId"] == "Later" and e["ResourceStatus"] == "DELETE_IN_PROGRESS"
        )
        self.assertEqual(
            stack.reason("Later", "CREATE_FAILED"),
            f"Embedded stack {child} was not successfully created: "
            "The following resource(s) failed to create: [First]. ",
        )
        self.assertEqual(
            stack.reason(stack.name, "ROLLBACK_IN_PROGRESS"),
            "The following resource(s) failed to create: [Later]. Rollback requested by user.",
        )
        self.assertIn("Message returned: told to fail", stack.story(child))
        self.assertEqual(self.sent(stack, 2), [("Delete", "later", "actor:later"), ("Delete", "a", "actor:a")])

    def test_old_objects_are_deleted_only_when_the_whole_tree_has_updated(self):
        stack = self.parent()
        status = stack.update(Template=url("actor.yaml"), Name="b", LaterName="c")
        self.assertEqual(status, "UPDATE_COMPLETE", stack.story())
        self.assertEqual(self.sent(stack, 2)[:2], [("Update", "b", "actor:a"), ("Update", "c", "actor:later")])
        self.assertCountEqual(self.sent(stack, 2)[2:], [("Delete", "a", "actor:a"), ("Delete", "later", "actor:later")])
        statuses = [e["ResourceStatus"] for e in stack.events() if e["LogicalResourceId"] == stack.name]
        self.assertEqual(statuses[-2:], ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"])

    def test_completed_nested_update_is_taken_back_when_a_later_one_fails(self):
        stack = self.parent()
        status = stack.update(Template=url("actor.yaml"), Name="b", LaterBehaviour="fail")
        self.assertEqual(status, "UPDATE_ROLLBACK_COMPLETE", stack.story())
        early = [one for one in self.sent(stack, 2) if one[1] != "later"]
        self.assertEqual(early, [("Update", "b", "actor:a"), ("Update", "a", "actor:b"), ("Delete", "b", "actor:b")])
        self.assertEqual(stack.outputs(), {"Id": "actor:a"})
        child = self.child(stack, "Later")
        self.assertEqual(
            stack.reason("Later", "UPDATE_FAILED"),
            f"Embedded stack {child} was not successfully updated. Currently in UPDATE_ROLLBACK_COMPLETE with reason: "
            "The following resource(s) failed to update: [First]. ",
        )

    def test_nested_stack_that_cannot_go_back_leaves_its_parents_where_they_are(self):
        stack = self.parent(LaterBehaviour="stay")
        child = self.child(stack, "Later")
        status = stack.update(Template=url("actor.yaml"), LaterBehaviour="stay", LaterName="b")
        self.assertEqual(status, "UPDATE_ROLLBACK_FAILED", stack.story())
        self.assertEqual(stack.described(child)["StackStatus"], "UPDATE_ROLLBACK_FAILED", stack.story(child))
        names = [name for _, name, _ in self.sent(stack, 2)]
        self.assertEqual(names, ["b", "later"], "there, and not back")

    def test_update_without_a_change_is_refused(self):
        stack = self.parent()
        with self.assertRaisesRegex(Exception, "No updates are to be performed"):
            stack.update(Template=url("actor.yaml"))

    def test_update_of_one_nested_stack_leaves_the_other_alone(self):
        stack = self.parent()
        before = len(stack.events(self.child(stack, "Later")))
        self.assertEqual(stack.update(Template=url("actor.yaml"), Seconds="1"), "UPDATE_COMPLETE")
        self.assertEqual(self.sent(stack, 2), [("Update", "a", "actor:a")])
        self.assertEqual(len(stack.events(self.child(stack, "Later"))), before)

    def test_delete_of_the_parent_reaches_a_create_in_a_nested_stack(self):
        stack = self.new("parent.yaml")
        stack.begin(Template=url("actor.yaml"), Behaviour="slow", Seconds="30")
        stack.wait_for_requests(1)
        stack_id = stack.described()["StackId"]
        started = time.monotonic()
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story(stack_id))
        self.assertLess(time.monotonic() - started, 20)
        kind, name, physical_id = self.sent(stack, 1)[0]
        self.assertEqual((kind, name), ("Delete", "a"))
        self.assertRegex(physical_id, r"-First-[A-Z0-9]{12}$")


class Ancestors(unittest.TestCase):
    """See the sentence."""

    def test_a_nested_stack_knows_its_root_in_the_step_that_makes_it(self):
        parent, made = {"StackId": "arn:parent", "RootId": "arn:root"}, {"StackId": "arn:made"}
        answer = (200, {}, b"<StackId>arn:made</StackId>")
        with (
            mock.patch.object(nested_stacks.handlers, "_create_stack", return_value=answer),
            mock.patch.object(nested_stacks, "_by_id", {"arn:made": made}.get),
        ):
            self.assertEqual(nested_stacks._create_below(parent, {}), answer)
        self.assertEqual(made, {"StackId": "arn:made", "ParentId": "arn:parent", "RootId": "arn:root"})


if __name__ == "__main__":
    unittest.main()
