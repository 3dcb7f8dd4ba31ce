"""The lines of functions' processes: none is lost, however busy the machine is."""

import queue
import subprocess
import sys
import threading
import time
import unittest
from types import SimpleNamespace
from typing import Any
from unittest import mock

from support import TestCase, settings

with settings():
    from local_aws.emulator import lambda_logs
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.services import cloudwatch_logs

NAME = "beside-one-another"


class Logs(TestCase):
    """See the sentences."""

    def test_two_first_invocations_that_end_together_share_one_stream(self):
        config = {"FunctionName": NAME, "FunctionArn": f"arn:aws:lambda:eu-central-1:123456789012:function:{NAME}"}
        both = threading.Barrier(2)

        def allows(_: str, action: str, __: str) -> bool:
            # Whoever would make the stream while the other does, meets it here.
            if action == "logs:CreateLogStream":
                try:
                    both.wait(0.3)
                except threading.BrokenBarrierError:
                    pass
            return True

        with mock.patch.object(lambda_logs.iam, "role_allows", allows):
            threads = [
                threading.Thread(target=lambda_logs.emit_logs, args=(config, f"request-{n}", f"line {n}", False, 1))
                for n in (1, 2)
            ]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
        [stream] = cloudwatch_logs._log_groups[f"/aws/lambda/{NAME}"]["streams"].values()
        printed = sorted(event["message"] for event in stream["events"] if event["message"].startswith("line"))
        self.assertEqual(printed, ["line 1", "line 2"])

    def worker(self, script: str) -> Any:
        """What the emulator keeps of a function's process, as far as reading its output goes."""
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        lines: queue.Queue = queue.Queue(maxsize=100)
        one = SimpleNamespace(_proc=process, _stderr_queue=lines)
        one._drain_stderr = lambda: ProvidedWorker._drain_stderr(one)
        one.pump = threading.Thread(target=lambda_logs.pump, args=(one, process.stdout, lines), daemon=True)
        return one

    def test_last_line_is_waited_for_however_late_the_reader_gets_to_it(self):
        one = self.worker("import sys; print('first\\nlast', flush=True); sys.stdin.read()")
        self.until_printed(one)
        threading.Timer(0.4, one.pump.start).start()
        self.assertEqual(lambda_logs.drain(one), "first\nlast")

    def until_printed(self, one: Any) -> None:
        deadline = time.monotonic() + 10
        while not lambda_logs._is_unread(one._proc) and time.monotonic() < deadline:
            time.sleep(0.01)

    def test_process_that_never_stops_printing_is_not_waited_for_for_ever(self):
        one = self.worker("while True: print('on and on', flush=True)")
        one.pump.start()
        self.until_printed(one)
        with mock.patch.object(lambda_logs, "OUTPUT_SECONDS", 0.2):
            started = time.monotonic()
            text = lambda_logs.drain(one)
        self.assertLess(time.monotonic() - started, 5)
        self.assertIn("on and on", text)

    def test_end_of_a_process_ends_the_reader_and_keeps_a_line_without_an_end(self):
        one = self.worker("import os; os.write(1, b'whole\\r\\nhalf')")
        one.pump.start()
        one.pump.join(10)
        self.assertFalse(one.pump.is_alive())
        self.assertEqual(lambda_logs.drain(one), "whole\nhalf")
        self.assertTrue(one._proc.stdout.closed)

    def test_oldest_lines_go_when_there_are_too_many(self):
        one = self.worker("for n in range(150): print(n)")
        one.pump.start()
        one.pump.join(10)
        self.assertEqual(lambda_logs.drain(one).split("\n"), [str(n) for n in range(50, 150)])


if __name__ == "__main__":
    unittest.main()
