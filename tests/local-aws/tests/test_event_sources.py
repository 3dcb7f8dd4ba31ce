"""Queues as event sources of functions: from a topic, in batches, with what failed coming again."""

import json
import time
import unittest
from typing import Any

from support import Stack, TestCase, client, until


class EventSources(TestCase):
    """See the sentences."""

    def setUp(self) -> None:
        super().setUp()
        self.sns, self.sqs = client("sns"), client("sqs")

    def reading(self, **parameters: str) -> Stack:
        stack = self.deployed("event-source.yaml", **parameters)
        self.addCleanup(stack.delete)
        return stack

    def publish(self, stack: Stack, *texts: str) -> None:
        """Ten in one call at most, and all of those at one moment: a window may close between two calls."""
        topic, entries = stack.outputs()["Topic"], [{"Id": str(n), "Message": text} for n, text in enumerate(texts)]
        for first in range(0, len(entries), 10):
            answer = self.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries[first : first + 10])
            self.assertEqual(answer.get("Failed", []), [])

    def batches(self, stack: Stack, count: int) -> list[Any]:
        return stack.wait_for_requests(count)[:count]

    def count(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def arn(self, queue: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def refused(self, **parameters: str) -> str:
        stack = self.new("event-source.yaml")
        self.assertEqual(stack.create(**parameters), "ROLLBACK_COMPLETE", stack.story())
        return stack.reason("Mapping", "CREATE_FAILED")

    def test_what_a_topic_delivers_comes_as_one_batch_when_the_window_closes(self):
        stack = self.reading(Window="3")
        texts = [f"message {number:02}" for number in range(12)]
        began = time.monotonic()
        self.publish(stack, *texts)
        self.assertEqual(self.batches(stack, 1), [texts])
        self.assertGreater(time.monotonic() - began, 2)
        until("the queue is empty", lambda: self.count(stack.outputs()["Queue"]) == 0)

    def test_a_full_batch_does_not_wait_for_the_window(self):
        stack = self.reading(Window="300", BatchSize="2")
        self.publish(stack, "a", "b", "c")
        self.assertEqual(len(self.batches(stack, 1)[0]), 2)
        # They are deleted once the function has answered.
        until("the end of the two", lambda: self.count(stack.outputs()["Queue"]) == 1)
        self.assertEqual(len(stack.requests()), 1)

    def test_only_what_failed_comes_again_and_then_lies_in_the_dead_letter_queue(self):
        stack = self.reading()
        self.publish(stack, "fails", "well")
        self.assertEqual(self.batches(stack, 2), [["fails", "well"], ["fails"]])
        until("the dead letter", lambda: self.count(stack.outputs()["DeadLetterQueue"]) == 1)
        self.assertEqual(self.count(stack.outputs()["Queue"]), 0)

    def test_a_dead_letter_goes_back_to_the_queue_that_it_came_from(self):
        stack = self.reading(Window="0", BatchSize="10")
        out = stack.outputs()
        self.publish(stack, "fails")
        until("the dead letter", lambda: self.count(out["DeadLetterQueue"]) == 1)
        dead, alive = (self.arn(out[name]) for name in ("DeadLetterQueue", "Queue"))
        self.sqs.start_message_move_task(SourceArn=dead)
        self.assertEqual(self.batches(stack, 3), [["fails"]] * 3)
        [task] = self.sqs.list_message_move_tasks(SourceArn=dead)["Results"]
        self.assertEqual((task["Status"], task["ApproximateNumberOfMessagesMoved"]), ("COMPLETED", 1))
        with self.assertRaisesRegex(Exception, "Source queue must be configured as a Dead Letter Queue"):
            self.sqs.start_message_move_task(SourceArn=alive)

    def test_an_answer_in_a_form_that_lambda_does_not_know_fails_the_whole_batch(self):
        stack = self.reading()
        self.publish(stack, "lies", "well")
        self.assertEqual(self.batches(stack, 2), [["lies", "well"], ["lies", "well"]])

    def test_an_error_of_the_function_fails_the_whole_batch(self):
        stack = self.reading()
        self.publish(stack, "raises", "well")
        self.assertEqual(self.batches(stack, 2), [["raises", "well"], ["raises", "well"]])

    def test_a_mapping_that_is_off_reads_nothing(self):
        stack = self.reading(Enabled="false")
        self.publish(stack, "well")
        time.sleep(2)
        self.assertEqual((stack.requests(), self.count(stack.outputs()["Queue"])), ([], 1))

    def subscribed(self, function: str) -> str:
        """A topic with a function that is subscribed to it; one a call."""
        topic = self.sns.create_topic(Name=f"direct-{time.monotonic_ns()}")["TopicArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
        return topic

    def test_a_topic_reaches_a_function_only_if_the_function_s_policy_names_it(self):
        stack = self.reading(Enabled="false")
        function = stack.outputs()["Function"]
        stranger, known = self.subscribed(function), self.subscribed(function)
        client("lambda").add_permission(
            FunctionName=function,
            StatementId="known",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=known,
        )
        self.sns.publish(TopicArn=stranger, Message="from a stranger")
        self.sns.publish(TopicArn=known, Message="well")
        self.assertEqual(self.batches(stack, 1), [["well"]])
        time.sleep(1)
        self.assertEqual(stack.requests(), [["well"]])

    def test_what_a_topic_s_function_failed_at_is_tried_again_and_then_lies_where_its_role_may_put_it(self):
        stack = self.reading(Enabled="false")
        out = stack.outputs()
        topic, functions = self.subscribed(out["Function"]), client("lambda")
        functions.add_permission(
            FunctionName=out["Function"],
            StatementId="topic",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=topic,
        )
        dead = self.arn(out["DeadLetterQueue"])
        functions.put_function_event_invoke_config(
            FunctionName=out["Function"], MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": dead}}
        )
        self.sns.publish(TopicArn=topic, Message="raises")
        self.assertEqual(self.batches(stack, 2), [["raises"], ["raises"]])
        time.sleep(1)
        self.assertEqual(self.count(out["DeadLetterQueue"]), 0)
        allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead}
        client("iam").put_role_policy(
            RoleName=out["Role"],
            PolicyName="keep",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        self.sns.publish(TopicArn=topic, Message="raises")
        until("Lambda's record", lambda: self.count(out["DeadLetterQueue"]) == 1)
        [message] = self.sqs.receive_message(QueueUrl=out["DeadLetterQueue"])["Messages"]
        [record] = json.loads(message["Body"])["requestPayload"]["Records"]
        self.assertEqual((record["EventSource"], record["Sns"]["Message"]), ("aws:sns", "raises"))

    def test_a_role_that_may_not_delete_is_refused(self):
        self.assertIn(
            "Invalid request provided: The function execution role does not have permissions to call DeleteMessage on SQS",
            self.refused(Reads="no"),
        )

    def test_messages_must_be_hidden_for_as_long_as_the_function_may_take(self):
        self.assertIn(
            "Invalid request provided: Queue visibility timeout: 3 seconds is less than Function timeout: 4 seconds",
            self.refused(FunctionTimeout="4"),
        )

    def test_a_large_batch_needs_a_window(self):
        self.assertIn(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
            self.refused(Window="0"),
        )


if __name__ == "__main__":
    unittest.main()
