"""Runs test classes side by side: most of what they do is waiting for one another's stacks.

Each class gets a thread; what its tests report is recorded there and told to the real result afterwards, class by class, so
that the output reads as if they had run one after the other.
"""

import queue
import sys
import threading
import unittest
from collections.abc import Callable, Iterable, Iterator
from typing import Any

REPORTS = (
    "startTest",
    "stopTest",
    "addSuccess",
    "addError",
    "addFailure",
    "addSkip",
    "addSubTest",
    "addExpectedFailure",
    "addUnexpectedSuccess",
)


class Recorder(unittest.TestResult):
    """Keeps every report for later."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[tuple[str, tuple[Any, ...]]] = []

    def tell(self, result: unittest.TestResult) -> None:
        """Report it all to another result."""
        for name, arguments in self.reports:
            getattr(result, name)(*arguments)


def _recording(name: str) -> Any:
    def report(self: Recorder, *arguments: Any) -> None:
        getattr(unittest.TestResult, name)(self, *arguments)
        self.reports.append((name, arguments))

    return report


for _name in REPORTS:
    setattr(Recorder, _name, _recording(_name))


class SideBySide(unittest.TestSuite):
    """A suite whose test classes run in threads of their own, once `prepare` has returned.

    `interrupt` makes them fail fast: Python ends only after the pools that they wait with.
    """

    def __init__(
        self, prepare: Callable[[], Any], interrupt: Callable[[], Any], suites: Iterable[unittest.TestSuite]
    ) -> None:
        super().__init__(suites)
        self.prepare, self.interrupt = prepare, interrupt

    def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
        """Run all; tell each class's reports when it has ended."""
        ended: queue.Queue[Recorder] = queue.Queue()
        suites = list(classes(self))
        if suites:
            self.prepare()
        for suite in suites:
            # Daemons: Ctrl-C must not wait for a stack.
            threading.Thread(target=_run, args=(suite, ended), daemon=True).start()
        try:
            for _ in suites:
                ended.get().tell(result)
        except BaseException:
            self.interrupt()
            raise
        return result


def _run(suite: unittest.TestSuite, ended: "queue.Queue[Recorder]") -> None:
    recorder = Recorder()
    try:
        suite.run(recorder)
    except BaseException:
        recorder.addError(unittest.FunctionTestCase(lambda: None, description=str(suite)), sys.exc_info())
    finally:
        ended.put(recorder)


def classes(suite: unittest.TestSuite) -> Iterator[unittest.TestSuite]:
    """The suites below that hold tests: one a class."""
    if any(isinstance(one, unittest.TestCase) for one in suite):
        yield suite
        return
    for below in suite:
        yield from classes(below)
