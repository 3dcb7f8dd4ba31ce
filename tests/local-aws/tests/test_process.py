"""The emulator's process: started once, found dead, stopped exactly."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support  # noqa: F401 - makes the package importable
from local_aws import cli, processes, servers_file, service
from local_aws.state import Emulator, State


class Process(unittest.TestCase):
    """See the sentences."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="local-aws-")
        self.addCleanup(directory.cleanup)
        self.state = State(Path(directory.name))
        self.addCleanup(service.stop, self.state, lambda text: None)

    def run_command(self, *arguments: str) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = cli.main(["--state", str(self.state.directory), *arguments])
        return code, output.getvalue()

    def test_life_of_an_emulator(self):
        servers_file.put(self.state.directory, "mysql", [])
        self.assertEqual(self.run_command("status"), (1, "local AWS is not running\n"))
        self.assertEqual(self.run_command("start")[0], 0)
        first = self.state.emulator()
        self.assertRegex(first.endpoint, r"^http://127\.0\.0\.1:\d+$")
        code, text = self.run_command("start")
        self.assertEqual((code, text), (0, f"local AWS runs already at {first.endpoint}\n"))
        self.assertEqual(self.state.emulator(), first)
        self.assertEqual(servers_file.read(self.state.directory)["mysql"], [], "the servers of others were touched")
        listening = Path(f"/proc/{first.pid}/net/tcp").read_text()
        port = f"{int(first.endpoint.rsplit(':', 1)[1]):04X}"
        self.assertIn(f"0100007F:{port} 00000000:0000 0A", listening)
        self.assertNotIn(f"00000000:{port} ", listening)
        self.seeds()
        os.kill(first.pid, signal.SIGKILL)
        self.wait_until_dead(first)
        self.assertEqual(self.run_command("status")[0], 1)
        code, text = self.run_command("env")
        self.assertEqual(
            (code, text), (1, "local_aws: the local AWS is not running: run `python -m local_aws start`\n")
        )
        self.assertIn("starting another", self.run_command("start")[1])
        self.assertNotEqual(self.state.emulator().pid, first.pid)
        self.assertEqual(self.run_command("stop"), (0, "local AWS: 1 processes stopped\n"))
        self.assertEqual(self.run_command("stop"), (0, "local AWS is not running\n"))
        self.assertEqual(servers_file.read(self.state.directory), {"mysql": []})

    def seeds(self):
        self.assertEqual(self.run_command("seed", "--zone", "seeded.example")[0], 0)
        text = self.run_command("seed", "--zone", "seeded.example")[1]
        self.assertEqual(text, "hosted zone seeded.example exists\nbucket local-packages exists\n")
        published = self.state.published()
        route53 = service.client("route53", published["endpoint"], published["access_key"], published["secret_key"])
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        apex = next(one for one in records if one["Type"] == "TXT" and one["Name"] == "seeded.example.")
        self.assertEqual(apex["ResourceRecords"][1]["Value"].count('"'), 4, "the policy is one record of two strings")
        exports = self.run_command("env")[1]
        self.assertIn(f"export AWS_ENDPOINT_URL={published['endpoint']}\n", exports)

    def wait_until_dead(self, emulator: Emulator) -> None:
        deadline = time.monotonic() + 5
        while emulator.is_running and time.monotonic() < deadline:
            time.sleep(0.01)

    def test_process_that_took_over_the_id_is_not_killed(self):
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            self.state.home.mkdir(parents=True)
            self.state.record(Emulator(stranger.pid, "the mark of a process that is gone", "http://127.0.0.1:1"))
            self.assertFalse(self.state.emulator().is_running)
            self.assertEqual(self.run_command("stop"), (0, "local AWS: 0 processes stopped\n"))
            self.assertIsNone(stranger.poll())
            stranger.kill()

    def test_functions_that_outlived_their_emulator_are_stopped_too(self):
        environment = {**os.environ, processes.MARK: "mark"}
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=environment) as orphan:
            deadline = time.monotonic() + 5
            while not processes.is_ours(orphan.pid, "mark") and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(processes.stop_marked(2**22 + 1, "mark"), 1)
            self.assertEqual(orphan.wait(5), -signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
