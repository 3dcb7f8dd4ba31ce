"""Custom resources: what CloudFormation sends, waits for, and does when nobody answers."""

import time
import unittest

from support import TestCase, client


class CustomResources(TestCase):
    """See the sentences."""

    def test_create_update_and_delete_each_send_one_request(self):
        stack = self.deployed("actor.yaml")
        self.assertEqual(stack.outputs(), {"Id": "actor:a", "Name": "a"})
        self.assertEqual(stack.update(Behaviour="succeed", Seconds="1"), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        sent = [(one["RequestType"], one.get("PhysicalResourceId")) for one in stack.requests()]
        self.assertEqual(sent, [("Create", None), ("Update", "actor:a"), ("Delete", "actor:a")])

    def test_properties_arrive_as_strings_and_the_url_is_signed(self):
        stack = self.deployed("actor.yaml")
        event = stack.requests()[0]
        self.assertEqual((event["ResourceProperties"]["Number"], event["ResourceProperties"]["Flag"]), ("3", "true"))
        self.assertRegex(event["ResponseURL"], r"\?X-Amz-Algorithm=AWS4-HMAC-SHA256&.*&X-Amz-Signature=[0-9a-f]{64}$")

    def test_killed_function_is_answered_by_its_failure_destination(self):
        for behaviour, message, timeout in (
            ("exit", "Runtime exited with error: exit status 3", "40"),
            ("abort", "Runtime exited with error: signal: aborted", "40"),
            ("kill", "Runtime exited with error: signal: killed", "40"),
            ("leave", "Runtime exited without providing a reason", "40"),
            # Its rollback starts another process within that time.
            ("hang", "Task timed out after 3.00 seconds", "3"),
        ):
            with self.subTest(behaviour):
                stack = self.new("actor.yaml")
                stack.name += f"-{behaviour}"
                started = time.monotonic()
                status = stack.create(Behaviour=behaviour, FunctionTimeout=timeout)
                self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
                self.assertLess(time.monotonic() - started, 30)
                self.assertIn(message, stack.reason("First", "CREATE_FAILED"))

    def test_record_for_the_failure_destination_is_lambdas(self):
        stack = self.new("actor.yaml")
        stack.create(Behaviour="exit")
        create, record = stack.requests()[:2]
        self.assertEqual(
            set(record) - {"at", "function"},
            {"version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"},
        )
        self.assertEqual(record["version"], "1.0")
        self.assertRegex(record["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(record["requestPayload"]["RequestId"], create["RequestId"])
        self.assertRegex(record["requestContext"]["functionArn"], r"^arn:aws:lambda:.*:\$LATEST$")
        self.assertEqual(record["requestContext"]["condition"], "RetriesExhausted")
        self.assertEqual(record["requestContext"]["approximateInvokeCount"], 1)
        self.assertEqual(
            record["responseContext"], {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        )
        self.assertEqual(
            record["responsePayload"],
            {
                "errorMessage": f"RequestId: {record['requestContext']['requestId']} Error: Runtime exited with error: exit status 3",
                "errorType": "Runtime.ExitError",
            },
        )

    def test_service_timeout_ends_the_wait_and_what_never_answered_is_deleted_with_an_invented_id(self):
        stack = self.new("actor.yaml")
        # The rollback's Delete is to be answered within it, too.
        status = stack.create(Behaviour="exit", ServiceTimeout="5", Responder="no")
        self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("First", "CREATE_FAILED")
        self.assertRegex(
            reason,
            r"^CloudFormation did not receive a response from your Custom Resource\. Please check "
            r"your logs for requestId \[[0-9a-f-]{36}\]\. ",
        )
        delete = stack.requests()[-1]
        self.assertEqual(delete["RequestType"], "Delete")
        self.assertRegex(delete["PhysicalResourceId"], rf"^{stack.name}-First-[A-Z0-9]{{12}}$")

    def test_failed_create_is_deleted_with_the_id_that_it_reported(self):
        stack = self.new("actor.yaml")
        self.assertEqual(stack.create(Behaviour="fail"), "ROLLBACK_COMPLETE", stack.story())
        create, delete = stack.requests()
        self.assertEqual((delete["RequestType"], delete["PhysicalResourceId"]), ("Delete", "actor:a"))
        self.assertEqual(
            stack.reason("First", "CREATE_FAILED"),
            "Received response status [FAILED] from custom resource. Message returned: told to fail "
            f"(RequestId: {create['RequestId']})",
        )

    def test_changed_id_is_followed_by_delete_of_the_old_one(self):
        stack = self.deployed("actor.yaml")
        self.assertEqual(stack.update(Name="b"), "UPDATE_COMPLETE", stack.story())
        update, delete = stack.requests()[1:]
        self.assertEqual((update["RequestType"], update["PhysicalResourceId"]), ("Update", "actor:a"))
        self.assertEqual((delete["RequestType"], delete["PhysicalResourceId"]), ("Delete", "actor:a"))
        self.assertEqual(delete["ResourceProperties"]["Name"], "a")
        self.assertEqual(stack.outputs()["Id"], "actor:b")

    def test_rollback_of_an_update_sends_the_old_properties(self):
        stack = self.deployed("actor.yaml", Id="fixed")
        self.assertEqual(stack.update(Id="fixed", Name="b", SecondFails="yes"), "UPDATE_ROLLBACK_COMPLETE")
        sent = [
            (one["RequestType"], one["LogicalResourceId"], one["ResourceProperties"]["Name"])
            for one in stack.requests()[1:]
        ]
        self.assertEqual(
            sent,
            [
                ("Update", "First", "b"),
                ("Create", "Second", "second-yes"),
                ("Update", "First", "a"),
                ("Delete", "Second", "second-yes"),
            ],
        )
        self.assertEqual(stack.requests()[3]["OldResourceProperties"]["Name"], "b")

    def test_rollback_of_a_changed_id_goes_back_and_then_deletes_the_new_one(self):
        stack = self.deployed("actor.yaml")
        self.assertEqual(stack.update(Name="b", SecondFails="yes"), "UPDATE_ROLLBACK_COMPLETE")
        sent = [
            (one["RequestType"], one["ResourceProperties"]["Name"], one.get("PhysicalResourceId"))
            for one in stack.requests()[1:]
            if one["LogicalResourceId"] == "First"
        ]
        self.assertEqual(sent, [("Update", "b", "actor:a"), ("Update", "a", "actor:b"), ("Delete", "b", "actor:b")])
        self.assertEqual(stack.outputs()["Id"], "actor:a")

    def test_delete_runs_beside_a_create_that_it_cancels(self):
        stack = self.new("actor.yaml")
        stack.begin(Behaviour="slow", Seconds="30")
        stack.wait_for_requests(1)
        stack_id = stack.described()["StackId"]
        started = time.monotonic()
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story(stack_id))
        self.assertLess(time.monotonic() - started, 20)
        create, delete = stack.requests()
        self.assertLess(delete["at"] - create["at"], 20)
        self.assertEqual(delete["RequestType"], "Delete")
        self.assertRegex(delete["PhysicalResourceId"], rf"^{stack.name}-First-[A-Z0-9]{{12}}$")
        self.assertIn("First CREATE_FAILED Resource creation cancelled", stack.story(stack_id))

    def test_stack_that_never_came_up_refuses_updates(self):
        stack = self.new("actor.yaml")
        stack.create(Behaviour="fail")
        with self.assertRaisesRegex(Exception, "is in ROLLBACK_COMPLETE state and cannot be updated"):
            stack.update(Behaviour="succeed")
        with self.assertRaisesRegex(Exception, "is in ROLLBACK_COMPLETE state and can not be updated"):
            client("cloudformation").create_change_set(
                StackName=stack.name, ChangeSetName="again", TemplateBody="{}", ChangeSetType="UPDATE"
            )
        with self.assertRaisesRegex(Exception, rf"Stack \[{stack.name}\] already exists"):
            stack.create()


if __name__ == "__main__":
    unittest.main()
