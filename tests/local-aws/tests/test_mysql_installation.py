"""Which mysqld is accepted, and what is said about the others."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from local_aws.errors import LocalAwsError
from local_aws.mysql import fetching
from local_aws.mysql.installation import from_prefix, from_system
from local_aws.packages import Recipe, Shelf


class ASystemsOwnServer(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.profile = self.directory / "profile"

    def mysqld(self, says: str) -> Path:
        """A program that reports a version as a mysqld does; only what it says about itself matters here."""
        path = self.directory / "mysqld"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
        path.chmod(0o755)
        return path

    def error(self, says: str) -> str:
        with self.assertRaises(LocalAwsError) as caught:
            from_system(self.mysqld(says), self.directory, self.profile)
        return str(caught.exception).replace(str(self.directory), "DIR")

    def test_mysql_of_8_0_or_later_is_taken_as_it_is(self):
        path = self.mysqld("/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)")
        installation = from_system(path, self.directory, self.profile)
        self.assertEqual(
            (installation.version, installation.command, installation.options), ("8.4.3", (str(path),), ())
        )
        self.assertEqual(installation.number, (8, 4, 3))

    def test_mariadb_is_refused(self):
        self.assertEqual(
            self.error("mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu on x86_64 (Debian n/a)"),
            "DIR/mysqld is MariaDB (mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu on x86_64 (Debian n/a)), "
            "which is no stand-in for MySQL; name a real mysqld by LOCAL_MYSQL.",
        )

    def test_an_older_mysql_is_refused(self):
        self.assertEqual(self.error("mysqld  Ver 5.7.44 for Linux"), "DIR/mysqld is MySQL 5.7; 8.0 or later is needed.")

    def test_another_program_is_refused(self):
        self.assertEqual(self.error("hello"), "DIR/mysqld --version says no version of MySQL: hello")

    def test_a_missing_program_is_named(self):
        with self.assertRaises(LocalAwsError) as caught:
            from_system(self.directory / "none", self.directory)
        self.assertEqual(
            str(caught.exception),
            f"{self.directory}/none cannot be run: No such file or directory. Name a mysqld that can by LOCAL_MYSQL.",
        )

    def test_where_apparmor_confines_the_server_a_copy_is_run_with_the_original_s_directories(self):
        self.profile.touch()
        path = self.mysqld(
            "mysqld  Ver 8.0.40 for Linux\nbasedir    /usr/\nplugin-dir    /usr/lib/mysql/plugin/\ndatadir   /var/lib"
        )
        installation = from_system(path, self.directory / "copies", self.profile)
        self.assertEqual(installation.command, (str(self.directory / "copies/8.0.40/mysqld"),))
        self.assertEqual(installation.options, ("--basedir=/usr/", "--plugin-dir=/usr/lib/mysql/plugin/"))

    def test_a_prefix_without_a_server_says_so(self):
        with self.assertRaises(LocalAwsError) as caught:
            from_prefix(self.directory, "test")
        self.assertEqual(
            str(caught.exception),
            f"{self.directory} holds no mysqld with its C library; remove that directory and fetch again.",
        )


class WhichServerIsFound(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.state = Path(directory.name)
        self.said: list[str] = []

    def test_the_variable_s_server_must_be_usable(self):
        with (
            mock.patch.dict(os.environ, {"LOCAL_MYSQL": "/nowhere/mysqld"}),
            self.assertRaises(LocalAwsError) as caught,
        ):
            fetching.find(self.state, self.said.append)
        self.assertEqual(
            str(caught.exception),
            "/nowhere/mysqld cannot be run: No such file or directory. Name a mysqld that can by LOCAL_MYSQL.",
        )

    def test_one_recipe_that_fails_leaves_the_others(self):
        def gone(_: Path):
            raise LocalAwsError("the archive has it no more.")

        with self.assertRaises(LocalAwsError) as caught:
            Shelf(self.state, from_prefix, fetching.REMEDY).take([Recipe("debian-8.0", gone)], self.said.append)
        self.assertEqual(str(caught.exception), "debian-8.0: the archive has it no more.\n" + fetching.REMEDY)
        self.assertEqual(
            self.said, ["fetching debian-8.0 ...", "not to be had: debian-8.0: the archive has it no more."]
        )
        self.assertEqual(list(self.state.iterdir()), [])

    def test_an_unknown_distribution_is_told_what_to_install(self):
        with (
            mock.patch.object(fetching.machine, "distribution", return_value=("plan9", "")),
            self.assertRaises(LocalAwsError) as caught,
        ):
            fetching.recipes()
        self.assertEqual(str(caught.exception), fetching.REMEDY)


if __name__ == "__main__":
    unittest.main()
