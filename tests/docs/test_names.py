"""Prevents: a document that names a parameter, an output, a target or a command that is not there any more."""

import contextlib
import functools
import io
import json
import re
import shlex
import subprocess
import unittest

import awscli.clidriver
import botocore.session
from markdown import code, commands, documents, spans
from pages.page import ROOT
from pages.runbooks import FOLDER
from pages.templates import root

CAMEL = re.compile(r"[A-Z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)+")
# Only version 2 of the CLI has it; the project's tools have version 1.
VERSION_2 = {("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern", "--log-stream-names"}}
STRAY = "--no-such-option"


def tracked_code() -> str:
    """Everything that git tracks, or would, but documents."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", ":!*.md", ":!*.lock", ":!*.svg"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join((ROOT / name).read_text(errors="replace") for name in names if (ROOT / name).is_file())


@functools.cache
def api_words(text: str) -> frozenset[str]:
    """The words in the definitions of those services whose commands a document has."""
    services = {command.split()[1] for piece in code(text) for command in commands(piece, "aws")}
    loader = botocore.session.get_session().get_component("data_loader")
    known = services & set(loader.list_available_services("service-2"))
    definitions = [json.dumps(loader.load_service_model(one, "service-2")) for one in sorted(known)]
    return frozenset(re.findall(r"\w+", " ".join(definitions)))


class Names(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.documents = documents()
        cls.template = root()

    def test_every_parameter_that_is_set_somewhere_is_one_of_the_root_template(self):
        tools = "".join((ROOT / name).read_text() for name in ("Makefile", "tools/deploy", "tools/smoke"))
        variables = set(re.findall(r"\b([A-Z][A-Z_]+)\b", tools))
        known = self.template["Parameters"].keys() | variables
        wrong = [
            f"{path}: `{span}`"
            for path, text in self.documents.items()
            for span in spans(text)
            # All capitals with an underscore: a variable of somebody else's program.
            if (found := re.match(r"([A-Z]\w+)=\S*$", span))
            and found[1] not in known
            and not re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", found[1])
        ]
        self.assertEqual(wrong, [])

    def test_every_output_that_is_named_as_one_is_one_of_the_root_template(self):
        named = [
            (path, name) for path, text in self.documents.items() for name in re.findall(r"\b[Oo]utputs? `(\w+)`", text)
        ]
        self.assertGreaterEqual(len(named), 3, "hardly any output was found: is the pattern still right?")
        self.assertEqual([one for one in named if one[1] not in self.template["Outputs"]], [])

    def test_every_name_in_camel_case_stands_in_the_code(self):
        """Or in the API of a service that the same document uses. Runbooks are left out: they name AWS's own metrics."""
        words = set(re.findall(r"\w+", tracked_code()))
        wrong = [
            f"{path}: `{span}`"
            for path, text in self.documents.items()
            for span in spans(text)
            if not path.startswith(FOLDER) and CAMEL.fullmatch(span) and span not in words | api_words(text)
        ]
        self.assertEqual(wrong, [])

    def test_every_make_target_exists(self):
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        named = {
            (path, target)
            for path, text in self.documents.items()
            for piece in code(text)
            for target in re.findall(r"(?:^|[\s(\"])make (?:-s )?([a-z][a-z-]*)\b", piece)
        }
        self.assertGreater(len(named), 5)
        self.assertEqual({one for one in named if one[1] not in targets}, set())

    def test_every_command_of_the_stack_driver_is_in_its_help(self):
        text = (ROOT / "shared/stack-driver/src/arguments.rs").read_text()
        for path, command in self.found(r"cargo run"):
            if "--package stack-driver" not in command:
                continue
            verb, *words = shlex.split(command.split(" -- ", 1)[1])
            with self.subTest(f"{path}: {command}"):
                self.assertIn(f"stack-driver {verb} ", text)
                self.assertEqual([word for word in words if word.startswith("--") and word not in text], [])

    def found(self, name):
        """Every command of that name in every document."""
        return [
            (path, command)
            for path, text in self.documents.items()
            for piece in code(text)
            for command in commands(piece, name)
        ]


class AwsCommands(unittest.TestCase):
    """Every command of the AWS CLI is one that the CLI takes."""

    @classmethod
    def setUpClass(cls):
        cls.driver = awscli.clidriver.create_clidriver()

    def refused(self, words):
        """What the CLI says of the command and one option too many; it then sends nothing."""
        shown = io.StringIO()
        with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(shown):
            with contextlib.suppress(SystemExit):
                self.driver.main([*words, STRAY])
        return shown.getvalue()

    def test_a_command_ends_where_the_shell_ends_it(self):
        piece = """x=$(aws a b --c "$(aws d "$(aws e 'f;g')" h)" | jq .) && aws i 'j
k' # l
(aws m)"""
        self.assertEqual(
            [one.strip() for one in commands(piece, "aws")],
            ['aws a b --c "1"', 'aws d "1" h', "aws e 'f;g'", "aws i 'j\nk' # l", "aws m"],
        )

    def test_the_check_sees_a_wrong_operation_option_and_a_missing_argument(self):
        for words in (["s3", "shout"], ["rds", "describe-events", "--loud"], ["kms", "schedule-key-deletion"]):
            self.assertNotIn(f"Unknown options: {STRAY}\n", self.refused(words), words)
        self.assertIn(f"Unknown options: {STRAY}\n", self.refused(["kms", "schedule-key-deletion", "--key-id", "x"]))

    def test_every_aws_command_of_the_documents_exists_with_its_options(self):
        seen = 0
        for path, text in documents().items():
            for piece in code(text):
                for command in commands(piece, "aws"):
                    words = shlex.split(command)[1:]
                    with self.subTest(f"{path}: {command}"):
                        self.check(words)
                        seen += 1
        self.assertGreater(seen, 30, "hardly any command was found: is the pattern still right?")

    def check(self, words):
        known = VERSION_2.get(tuple(words[:2]))
        options = {word for word in words if word.startswith("--")}
        if known is not None:
            self.assertLessEqual(options, known)
            return
        said = self.refused(words)
        if not options or "..." in words:  # a mention, not to be typed as it is
            self.assertRegex(said, f"Unknown options: {STRAY}\n|arguments are required: ")
        else:
            self.assertIn(f"Unknown options: {STRAY}\n", said)


if __name__ == "__main__":
    unittest.main()
