"""job.php: one console command, once at a time in the whole installation, and the line that the alarms count."""

import json
import os
import signal
import unittest
from concurrent.futures import ThreadPoolExecutor

from mautic import Mautic, until
from support import TestCase, on_each_mysql

IMPORT = "mautic:import"


WAITING = "SELECT id FROM information_schema.processlist WHERE state = 'User lock' AND info LIKE %s"


def one(session, query: str, *values):
    """The one value that a query answers."""
    with session.cursor() as cursor:
        cursor.execute(query, values)
        found = cursor.fetchone()
        return found and found[0]


def last(output: str) -> dict:
    """The last line, without its time."""
    line = json.loads(output.splitlines()[-1])
    seconds = line.pop("seconds")
    assert isinstance(seconds, float) and 0 <= seconds < 60, seconds
    return line


class OneCommand(TestCase):
    def setUp(self):
        self.mautic = Mautic(self.folder())

    def test_it_runs_the_command_with_its_arguments_and_says_how_it_ended(self):
        code, out, errors = self.mautic.run("job.php", IMPORT, "--limit=5", "a b", **self.mautic.variables())
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(self.mautic.words(), [[IMPORT, "--limit=5", "a b"]])
        self.assertEqual(out.splitlines()[0], "console: mautic:import")
        self.assertRegex(out.splitlines()[-1], r'^\{"job":"mautic:import","exit":0,"seconds":\d+\.\d\}$')

    def test_a_command_s_exit_code_is_the_job_s(self):
        code, out, _ = self.mautic.run("job.php", IMPORT, **self.mautic.variables({IMPORT: {"exit": 3}}))
        self.assertEqual((code, last(out)), (3, {"job": IMPORT, "exit": 3}))

    def test_a_command_that_is_killed_has_failed(self):
        job = self.mautic.begin("job.php", IMPORT, **self.mautic.variables({IMPORT: {"seconds": 50}}))
        os.kill(until("the command", self.mautic.calls)[0]["pid"], signal.SIGKILL)
        code, out, _ = self.mautic.end(job)
        self.assertEqual((code, last(out)), (137, {"job": IMPORT, "exit": 137}))

    def test_without_a_command_it_says_what_one_looks_like(self):
        code, out, errors = self.mautic.run("job.php", **self.mautic.variables())
        self.assertEqual((code, out), (64, ""))
        self.assertEqual(errors, "job: no command given; example: job mautic:segments:update\n")

    def test_a_signal_reaches_the_command_which_ends_in_good_order(self):
        job = self.mautic.begin("job.php", IMPORT, **self.mautic.variables({IMPORT: {"seconds": 50}}))
        until("the command", self.mautic.calls)
        job.terminate()
        code, out, errors = self.mautic.end(job)
        self.assertIn("console: told to stop", out)
        self.assertEqual(errors, "job: mautic:import was stopped: it was told to stop.\n")
        # It ended with 0, but its work is not done: no success is counted.
        self.assertEqual((code, last(out)), (143, {"job": IMPORT, "exit": 143}))

    def test_a_command_that_does_not_heed_the_signal_is_killed(self):
        variables = self.mautic.variables({IMPORT: {"seconds": 50, "heeds": False}})
        job = self.mautic.begin("job.php", IMPORT, **variables, COMMAND_GRACE="0.5")
        until("the command", self.mautic.calls)
        job.terminate()
        code, out, errors = self.mautic.end(job)
        self.assertEqual(errors, "job: mautic:import was stopped: it was told to stop.\n")
        self.assertEqual((code, last(out)), (137, {"job": IMPORT, "exit": 137}))

    def test_a_command_that_never_comes_back_is_told_to_stop(self):
        variables = {**self.mautic.variables({IMPORT: {"seconds": 50}}), "JOB_TIME_LIMIT": "1"}
        code, out, errors = self.mautic.run("job.php", IMPORT, **variables)
        self.assertEqual(errors, "job: mautic:import was stopped: it has run longer than JOB_TIME_LIMIT, 1 seconds.\n")
        self.assertEqual((code, last(out)), (143, {"job": IMPORT, "exit": 143}))


class OnceAtATime(TestCase):
    def setUp(self):
        self.mautic = Mautic(self.folder())

    def exclusive(self, database, script=None) -> dict[str, str]:
        return {**self.mautic.variables(script), **database.variables(), "JOB_EXCLUSIVE": "true"}

    @on_each_mysql
    def test_a_second_run_ends_at_once_and_says_that_it_did_nothing(self, database):
        self.setUp()
        first = self.mautic.begin("job.php", IMPORT, **self.exclusive(database, {IMPORT: {"seconds": 50}}))
        until("the first run", self.mautic.calls)
        code, out, errors = self.mautic.run("job.php", IMPORT, "--other", **self.exclusive(database))
        self.assertEqual((code, last(out)), (0, {"job": IMPORT, "exit": 0, "skipped": True}))
        self.assertEqual(errors, "job: mautic:import runs already, in another task; nothing was done.\n")
        self.assertEqual(len(self.mautic.calls()), 1)
        # Another command is none of its business.
        self.assertEqual(self.mautic.run("job.php", "mautic:other", **self.exclusive(database))[0], 0)
        first.terminate()
        self.mautic.end(first)
        self.assertEqual(
            last(self.mautic.run("job.php", IMPORT, **self.exclusive(database))[1]), {"job": IMPORT, "exit": 0}
        )

    @on_each_mysql
    def test_a_task_that_was_killed_leaves_no_lock_behind(self, database):
        self.setUp()
        first = self.mautic.begin("job.php", IMPORT, **self.exclusive(database, {IMPORT: {"seconds": 50}}))
        [command] = until("the first run", self.mautic.calls)
        first.kill()
        os.kill(command["pid"], signal.SIGKILL)
        self.mautic.end(first)
        until("the lock", lambda: "skipped" not in self.mautic.run("job.php", IMPORT, **self.exclusive(database))[1])

    @on_each_mysql
    def test_another_installation_on_the_same_server_is_not_kept_waiting(self, database):
        self.setUp()
        with database.admin() as admin, admin.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, 0)", [f"another_schema:{IMPORT}"])
            self.assertEqual(
                last(self.mautic.run("job.php", IMPORT, **self.exclusive(database))[1]), {"job": IMPORT, "exit": 0}
            )
            cursor.execute("SELECT GET_LOCK(%s, 0)", [f"{database.schema}:{IMPORT}"])
            self.assertIn("skipped", last(self.mautic.run("job.php", IMPORT, **self.exclusive(database))[1]))

    @on_each_mysql
    def test_a_lock_that_the_database_gave_to_another_run_stops_the_command(self, database):
        self.setUp()
        script = {IMPORT: {"seconds": 50}}
        variables = {**self.exclusive(database, script), "JOB_LOCK_CHECK_SECONDS": "0.2"}
        job = self.mautic.begin("job.php", IMPORT, **variables)
        until("the command", self.mautic.calls)
        lock = f"{database.schema}:{IMPORT}"
        with database.session() as waiting, database.session() as killing, ThreadPoolExecutor() as pool:
            # What a failover does: the connection ends, and another run that waits for the lock is quicker.
            taken = pool.submit(one, waiting, "SELECT GET_LOCK(%s, 20)", lock)
            until("a run that waits", lambda: one(killing, WAITING, "%GET_LOCK(%20)%"))
            one(killing, "KILL %s", one(killing, "SELECT IS_USED_LOCK(%s)", lock))
            self.assertEqual(taken.result(), 1)
            code, out, errors = self.mautic.end(job)
        self.assertEqual(errors, "job: mautic:import was stopped: the database gave its lock to another run.\n")
        self.assertEqual((code, last(out)), (143, {"job": IMPORT, "exit": 143}))

    @on_each_mysql
    def test_a_connection_that_breaks_is_made_again_with_its_lock(self, database):
        self.setUp()
        done = self.mautic.root / "done"
        script = {IMPORT: {"seconds": 50, "until": str(done)}}
        variables = {**self.exclusive(database, script), "JOB_LOCK_CHECK_SECONDS": "0.2"}
        job = self.mautic.begin("job.php", IMPORT, **variables)
        until("the command", self.mautic.calls)
        lock = f"{database.schema}:{IMPORT}"
        with database.session() as killing:
            first = one(killing, "SELECT IS_USED_LOCK(%s)", lock)
            one(killing, "KILL %s", first)
            until("another holder", lambda: one(killing, "SELECT IS_USED_LOCK(%s)", lock) not in (None, first))
        done.touch()
        code, out, errors = self.mautic.end(job)
        self.assertEqual((code, errors, last(out)), (0, "", {"job": IMPORT, "exit": 0}))

    def test_a_database_that_cannot_be_reached_is_a_failed_job(self):
        variables = {
            **self.mautic.variables(),
            **{"MAUTIC_DB_HOST": "127.0.0.1", "MAUTIC_DB_PORT": "1", "MAUTIC_DB_NAME": "mautic", "MAUTIC_DB_USER": "u"},
            **{"MAUTIC_DB_PASSWORD": "not-to-be-seen", "DATABASE_CA_FILE": "none", "JOB_EXCLUSIVE": "true"},
        }
        code, out, errors = self.mautic.run("job.php", IMPORT, **variables)
        self.assertEqual((code, last(out)), (1, {"job": IMPORT, "exit": 1}))
        self.assertEqual(errors, "job: MySQL at 127.0.0.1:1: SQLSTATE[HY000] [2002] Connection refused\n")


if __name__ == "__main__":
    unittest.main()
