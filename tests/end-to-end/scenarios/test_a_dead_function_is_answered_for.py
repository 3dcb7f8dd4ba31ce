"""A custom resource's function that dies, or never answers: CloudFormation hears of it at once, not after the hour.

One stack a way of dying, all side by side; each dies in the Create and again in the Delete of the rollback. A function has 10 s,
of which the runtime keeps the second half for its answer. `ServiceTimeout` is the whole hour, so that no test passes because
CloudFormation gave up waiting.
"""

import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import secrecy
from fixtures import faulty_template, foundation, invocations, lines
from stacks import Stack
from world import client

TIMEOUT = 10.0
QUICK = 80.0
"""Seconds for an answer that waits for nothing, however busy the machine is: far under the hour that a lost one costs."""


@dataclass(frozen=True)
class Death:
    """How a function dies, by when CloudFormation must know, and what the operator reads."""

    mode: str
    within: float
    message: str

    def reads(self, verb: str, function: str) -> str:
        """The beginning of the reason."""
        return self.message.format(verb=verb, function=function)


NO_ANSWER = "The function {function} gave no answer to the {verb} of Custom::Faulty: "
DEATHS = (
    Death("panic", QUICK, "The function has a defect: it panicked during the {verb} of Custom::Faulty"),
    Death("exit", QUICK, NO_ANSWER + "its process ended with status 3"),
    Death("abort", QUICK, NO_ANSWER + "its process ended"),
    Death("kill", QUICK, NO_ANSWER + "it was killed, as a rule for lack of memory; raise its MemorySize"),
    Death("hang", TIMEOUT + QUICK, "The function was cut off during the {verb} of Custom::Faulty"),
    Death("block", TIMEOUT + QUICK, NO_ANSWER + "Lambda ended it at its Timeout after 10.00 seconds"),
)


class ADeadFunctionIsAnsweredFor(unittest.TestCase):
    """All stacks are made at once; the tests look at what came of them."""

    maxDiff = None
    stacks: dict[str, Stack]
    statuses: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        template, common = faulty_template()
        settings = {death.mode: {"Mode": death.mode, "DeleteMode": death.mode} for death in DEATHS}
        settings["recovers"] = {"Mode": "exit", "DeleteMode": "succeed"}
        settings["continues"] = {"Mode": "continue", "Seconds": "3"}
        settings["continues-for-ever"] = {"Mode": "continue", "Seconds": "99"}
        cls.stacks = {name: Stack(name, template) for name in settings}
        with ThreadPoolExecutor(len(settings)) as pool:
            own = {"Timeout": f"{TIMEOUT:.0f}"}
            running = {
                name: pool.submit(stack.create, **common, **own, **settings[name]) for name, stack in cls.stacks.items()
            }
            cls.statuses = {name: future.result() for name, future in running.items()}

    def test_a_create_fails_within_seconds_and_says_what_happened(self) -> None:
        for death in DEATHS:
            with self.subTest(death.mode):
                stack = self.stacks[death.mode]
                function = stack.physical_id("Function")
                self.assertIn(death.reads("Create", function), stack.reason("Thing", "CREATE_FAILED"), stack.story())
                took = stack.took("Thing", "CREATE_IN_PROGRESS", "CREATE_FAILED")
                self.assertLess(took, death.within, stack.story())

    def test_the_rollbacks_delete_fails_as_quickly_and_as_clearly(self) -> None:
        for death in DEATHS:
            with self.subTest(death.mode):
                stack = self.stacks[death.mode]
                self.assertEqual(self.statuses[death.mode], "ROLLBACK_FAILED", stack.story())
                function = stack.physical_id("Function")
                self.assertIn(death.reads("Delete", function), stack.reason("Thing", "DELETE_FAILED"), stack.story())
                took = stack.took("Thing", "DELETE_IN_PROGRESS", "DELETE_FAILED")
                self.assertLess(took, death.within, stack.story())

    def test_no_line_of_a_dead_function_or_its_responder_shows_where_the_answer_goes(self) -> None:
        read = [line for stack in self.stacks.values() for line in lines(stack.physical_id("LogGroup"))]
        responder = foundation()["FailureResponderArn"].rsplit(":", 1)[1]
        group = client("lambda").get_function_configuration(FunctionName=responder)["LoggingConfig"]["LogGroup"]
        read += lines(group)
        self.assertEqual([line for line in read if secrecy.SIGNATURE in line], [])
        self.assertTrue(any("panicked" in line for line in read), "\n".join(read))

    def test_a_rollback_removes_what_the_dead_function_may_have_left(self) -> None:
        stack = self.stacks["recovers"]
        self.assertEqual(self.statuses["recovers"], "ROLLBACK_COMPLETE", stack.story())
        self.assertEqual(stack.reason("Thing", "DELETE_COMPLETE"), "", stack.story())

    def test_a_long_work_goes_on_over_several_invocations_and_answers_once(self) -> None:
        stack = self.stacks["continues"]
        self.assertEqual(self.statuses["continues"], "CREATE_COMPLETE", stack.story())
        outputs = stack.outputs()
        self.assertEqual(outputs["Invocations"], "4")
        self.assertEqual(invocations(outputs["LogGroup"]), 4)
        answers = [line for line in lines(outputs["LogGroup"]) if '"answered"' in line]
        self.assertEqual(len(answers), 1, "\n".join(lines(outputs["LogGroup"])))

    def test_a_work_without_an_end_is_given_up_after_six_invocations(self) -> None:
        stack = self.stacks["continues-for-ever"]
        self.assertEqual(self.statuses["continues-for-ever"], "ROLLBACK_COMPLETE", stack.story())
        self.assertIn(
            "Custom::Faulty was not ready after 6 invocations, the most that are made",
            stack.reason("Thing", "CREATE_FAILED"),
        )
