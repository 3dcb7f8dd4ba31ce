"""The AWS CLI that is loaded once answers as the CLI itself does."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401 - makes the package importable
from local_aws import aws_cli

REAL = Path(sys.executable).parent / "aws"
PATIENCE = 30.0
# Nobody listens there: a call that reaches for it fails at once.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "k",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def heed_signals() -> None:
    """As in a terminal, also where the tests themselves run in a shell's background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Calls(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.aws = self.enterContext(aws_cli.served(self.folder / "cli"))

    def run_one(self, command: Path, *words: str, **options) -> tuple[int, str, str]:
        done = subprocess.run(
            [command, *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **NOWHERE},
            capture_output=True,
            text=True,
            **options,
        )
        return done.returncode, done.stdout, done.stderr

    def test_output_errors_and_exit_status_are_the_clis_own(self):
        (self.folder / "here.json").write_text('{"StackName": "x"}')
        for words in (
            ("--version",),
            ("cloudformation", "describe-stacks"),
            ("cloudformation", "no-such-command"),
            ("s3", "cp", "missing", "s3://bucket/key"),
            ("cloudformation", "create-stack", "--generate-cli-skeleton", "output"),
            # A file of the caller's working directory.
            ("cloudformation", "describe-stacks", "--cli-input-json", "file://here.json"),
        ):
            with self.subTest(words):
                self.assertEqual(self.run_one(self.aws, *words), self.run_one(REAL, *words))

    def test_standard_input_is_the_callers(self):
        words = ("cloudformation", "validate-template", "--template-body", "file:///dev/stdin")
        self.assertEqual(self.run_one(self.aws, *words, input="A: b"), self.run_one(REAL, *words, input="A: b"))

    def test_a_signal_ends_a_call_as_it_ends_the_cli(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number.name):
                self.assertEqual(self.interrupted(self.aws, number), self.interrupted(REAL, number))

    def interrupted(self, command: Path, number: signal.Signals) -> tuple[int, str]:
        """How a call ends that is waiting for an answer; its connection must end, too."""
        with socket.create_server(("127.0.0.1", 0)) as endpoint:
            endpoint.settimeout(PATIENCE)
            address = f"http://127.0.0.1:{endpoint.getsockname()[1]}"
            words = [command, "cloudformation", "describe-stacks", "--endpoint-url", address]
            call = subprocess.Popen(
                words, env={**os.environ, **NOWHERE}, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals
            )
            connection, _ = endpoint.accept()
            with connection:
                connection.settimeout(PATIENCE)
                connection.recv(1)
                call.send_signal(number)
                _, complaint = call.communicate(timeout=PATIENCE)
                while connection.recv(65536):
                    pass
            return call.returncode, complaint

    def test_without_its_server_a_call_says_so(self):
        with aws_cli.served(self.folder / "gone") as gone:
            pass
        status, _, complaint = self.run_one(gone, "--version")
        self.assertEqual(status, 1)
        self.assertIn(f"aws: the server of this command, {gone.parent}/socket, does not answer: ", complaint)


if __name__ == "__main__":
    unittest.main()
