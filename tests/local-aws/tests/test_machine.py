"""The archives of a machine, read from apt's own files."""

import tempfile
import unittest
from pathlib import Path

from local_aws import machine
from local_aws.errors import LocalAwsError
from local_aws.machine import Source


class AptSources(unittest.TestCase):
    def test_a_deb822_stanza_names_several_suites(self):
        text = (
            "Types: deb deb-src\n# a remark\nURIs: http://mirror.example/debian\n"
            "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /keys/debian.gpg\n"
        )
        self.assertEqual(
            machine.parse_deb822(text),
            [
                Source(
                    "http://mirror.example/debian",
                    ("bookworm", "bookworm-updates"),
                    ("main", "contrib"),
                    "/keys/debian.gpg",
                )
            ],
        )

    def test_continued_lines_and_several_archives_are_read(self):
        text = "Types: deb\nURIs: http://one.example/a\n http://two.example/b\nSuites: sid\nComponents: main\n"
        self.assertEqual(
            [source.uri for source in machine.parse_deb822(text)], ["http://one.example/a", "http://two.example/b"]
        )

    def test_stanzas_that_are_disabled_or_for_source_code_are_left_out(self):
        text = (
            "Types: deb\nEnabled: no\nURIs: http://off.example\nSuites: sid\nComponents: main\n\n"
            "Types: deb-src\nURIs: http://source.example\nSuites: sid\nComponents: main\n"
        )
        self.assertEqual(machine.parse_deb822(text), [])

    def test_a_key_inside_the_stanza_is_no_path(self):
        text = "Types: deb\nURIs: http://a.example\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
        self.assertEqual(machine.parse_deb822(text), [Source("http://a.example", ("sid",), ("main",), None)])

    def test_one_line_sources_with_options_and_remarks_are_read(self):
        text = (
            "# deb http://off.example sid main\n"
            "deb [arch=amd64 signed-by=/keys/a.gpg] http://a.example/debian bookworm main contrib # remark\n"
            "deb-src http://a.example/debian bookworm main\n"
            "deb http://b.example/ubuntu noble universe\n"
        )
        self.assertEqual(
            machine.parse_one_line(text),
            [
                Source("http://a.example/debian", ("bookworm",), ("main", "contrib"), "/keys/a.gpg"),
                Source("http://b.example/ubuntu", ("noble",), ("universe",), None),
            ],
        )

    def test_both_formats_of_one_machine_are_read(self):
        with tempfile.TemporaryDirectory() as name:
            etc = Path(name)
            (etc / "sources.list.d").mkdir()
            (etc / "sources.list").write_text("deb http://a.example/debian bookworm main\n")
            (etc / "sources.list.d/b.list").write_text("deb http://b.example/debian bookworm main\n")
            (etc / "sources.list.d/c.sources").write_text(
                "Types: deb\nURIs: http://c.example\nSuites: sid\nComponents: main\n"
            )
            self.assertEqual(
                [source.uri for source in machine.sources(etc)],
                ["http://a.example/debian", "http://b.example/debian", "http://c.example"],
            )

    def test_the_main_archive_is_the_one_that_carries_the_release(self):
        updates = Source("http://security.example", ("bookworm-security",), ("main",), None)
        release = Source("http://mirror.example", ("bookworm",), ("main",), "/keys/a.gpg")
        self.assertIs(machine.archive([updates, release], "bookworm"), release)
        self.assertEqual(
            release.line(("sid",), ("main",)), ["deb [signed-by=/keys/a.gpg] http://mirror.example sid main"]
        )

    def test_no_main_archive_is_an_error_that_says_what_to_do(self):
        with self.assertRaises(LocalAwsError) as caught:
            machine.archive([], "bookworm")
        self.assertEqual(
            str(caught.exception),
            "apt's sources in /etc/apt name no archive of bookworm with the component main. "
            "Add one; the servers that the local AWS needs are fetched from it.",
        )

    def test_the_distribution_is_read_from_os_release(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write('NAME="Ubuntu"\nID=ubuntu\nVERSION_CODENAME=noble\n')
            file.flush()
            self.assertEqual(machine.distribution(Path(file.name)), ("ubuntu", "noble"))
        self.assertEqual(machine.distribution(Path(file.name)), ("", ""))


if __name__ == "__main__":
    unittest.main()
