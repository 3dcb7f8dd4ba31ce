"""The README's commands, typed as they stand, on a local AWS of their own: `make end-to-end` runs this.

What the README shows as output must come out. A block that cannot run here says why in a comment that a reader does not see.
Everything lies below `.local/readme`, apart from what `make up` of a developer runs.
"""

import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import unittest
from collections.abc import Iterator

import botocore
from local_aws import service
from local_aws.state import State
from markdown import Block, blocks
from pages.page import ROOT

STATE = ROOT / ".local" / "readme"
BUCKET = "readme-packages"
MINUTES = 60
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
# What a real account, and an operator, would bring: placeholder in the README -> here.
FILLED = {
    "https://BUCKET.s3.amazonaws.com": f"$AWS_ENDPOINT_URL/{BUCKET}",
    "BUCKET": BUCKET,
    "Environment=prod": f"Environment=prod FunctionArchitecture={ARCHITECTURE}",
}


def environment() -> dict[str, str]:
    """A shell's, without what make and an operator's own AWS would bring in."""
    kept = {
        name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "RUSTUP_HOME", "CARGO_HOME") if name in os.environ
    }
    path = f"{ROOT}/.local/venv/bin:{ROOT}/.local/tools/bin:{os.environ['PATH']}"
    return {
        **kept,
        "PATH": path,
        "LOCAL_AWS_STATE": str(STATE),
        "PYTHONPATH": str(ROOT / "tests/local-aws"),
        "NO_COLOR": "1",
        "AWS_DATA_PATH": str(STATE / "aws-data"),
    }


def quick_waiters() -> None:
    """`aws cloudformation wait` looks every half minute; the CLI's own data folder may say otherwise."""
    shipped = pathlib.Path(botocore.__file__).parent / "data/cloudformation/2010-05-15/waiters-2.json"
    own = STATE / "aws-data/cloudformation/2010-05-15/waiters-2.json"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(re.sub(r'"delay": ?\d+', '"delay": 1', shipped.read_text()))


def shell(script: str, where: os.PathLike | str = ROOT) -> str:
    """Runs it as somebody would who typed it; the output, or an error with all of it."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=where,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20 * MINUTES,
    )
    if done.returncode != 0:
        raise AssertionError(f"{script}\nended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def borrow_servers() -> None:
    """Uses the MySQL, Redis and Valkey that were fetched already; their data are our own."""
    for kind in ("mysql", "cache"):
        for recipe in (ROOT / ".local" / kind).glob("*/recipe"):
            own = STATE / kind / recipe.parent.name
            own.mkdir(parents=True, exist_ok=True)
            shutil.copy(recipe, own / "recipe")
            if not (own / "prefix").exists():
                (own / "prefix").symlink_to(recipe.parent / "prefix")


def shape(text: str) -> list[str]:
    """The lines without what differs from run to run: numbers, and the space around them."""
    lines = (re.sub(r"\d+", "#", " ".join(line.split())) for line in text.splitlines())
    return [re.sub(r"\[ ?# s\]", "[# s]", line) for line in lines if line]


def chapters() -> dict[str, list[Block]]:
    """The README's blocks by their heading."""
    found: dict[str, list[Block]] = {}
    for block in blocks((ROOT / "README.md").read_text()):
        found.setdefault(block.heading, []).append(block)
    return found


class ReadmeCommands(unittest.TestCase):
    """See the sentences; they run in the order of the alphabet, each on its own."""

    maxDiff = None

    def setUp(self):
        STATE.mkdir(parents=True, exist_ok=True)
        borrow_servers()
        quick_waiters()
        self.stop()
        self.addCleanup(self.stop)

    def stop(self):
        shell("make down")

    def test_every_block_runs_here_or_says_why_not(self):
        run = {"See it work, without an AWS account", "With the AWS CLI alone", "Removal"}
        for heading, found in chapters().items():
            for block in found:
                with self.subTest(f"{heading}: {block.text[:60]}"):
                    self.assertIn(block.language, ("sh", "text"))
                    self.assertNotEqual(heading in run, block.reason is not None)

    def test_make_up_the_smoke_test_and_make_down_print_what_the_readme_shows(self):
        found = chapters()["See it work, without an AWS account"]
        self.assertEqual([block.language for block in found], ["sh", "text"] * 3)
        for command, shown in zip(found[::2], found[1::2], strict=True):
            with self.subTest(command.text):
                printed = iter(shape(shell(command.text)))
                missing = [line for line in shape(shown.text) if line not in printed]
                self.assertEqual(
                    missing, [], "lines that the README shows and the command does not print, in this order"
                )

    def test_the_commands_of_a_real_deployment_and_of_its_removal_work(self):
        shell(
            f"python3 -m local_aws mysql start; python3 -m local_aws cache fetch; python3 -m local_aws start\n"
            f"python3 -m local_aws seed --zone example.com --bucket {BUCKET}"
        )
        place = STATE / "operator"
        self.given_a_distribution(place)
        printed = {number: self.typed(block, place) for number, block in self.steps(place)}
        self.assertIn("SiteUrl", printed[3])
        self.assertIn("Modify", printed[4])
        kept = printed[6]
        self.assertRegex(kept, "arn:aws:kms:")
        self.assertNotRegex(kept, "arn:aws:rds:[^ ]+:db:")

    def given_a_distribution(self, place):
        """What `make package` leaves, with this machine's functions, as the README's reader was given it."""
        shutil.rmtree(place, ignore_errors=True)
        (place / "dist").mkdir(parents=True)
        shell(f"{sys.executable} tools/stage.py --quick target/lambda-local {place}/dist/aws")

    def steps(self, place) -> Iterator[tuple[int, Block]]:
        """The blocks in their order, and between them what the text tells the reader to do by hand."""
        found = chapters()
        check, package, deploy, lock, look = found["With the AWS CLI alone"]
        yield 0, check
        yield 1, package
        yield 2, deploy
        yield 3, lock
        self.every_stack_is_locked(place)
        # An update: a newer version of the templates.
        module = place / "dist/aws/modules/ses-alarms.yaml"
        text = module.read_text()
        self.assertIn("clean its addresses", text)
        module.write_text(text.replace("clean its addresses", "clean out its addresses"))
        yield 1, package
        yield 4, look
        remove, left = found["Removal"]
        yield 5, remove
        yield 6, left

    def every_stack_is_locked(self, place):
        """Files are three stacks deep: a policy of the root, or of the stack above them, does not reach them."""
        policy = json.loads((place / "dist/aws/stack-policy.json").read_text())
        aws = State(STATE).published()
        cloudformation = service.client("cloudformation", aws["endpoint"], aws["access_key"], aws["secret_key"])
        found = {
            one["StackName"]: cloudformation.get_stack_policy(StackName=one["StackId"]).get("StackPolicyBody", "{}")
            for one in cloudformation.describe_stacks()["Stacks"]
        }
        self.assertTrue(any("-MauticService-" in name and "-Files-" in name for name in found), sorted(found))
        self.assertEqual([name for name, text in found.items() if json.loads(text) != policy], [])

    def typed(self, block: Block, place) -> str:
        """The block with its placeholders filled in, typed into a shell of the local AWS."""
        script = block.text
        for name, value in FILLED.items():
            script = re.sub(rf"\b{re.escape(name)}\b", value, script)
        return shell(f'eval "$(python3 -m local_aws env)"\n{script}', place)


if __name__ == "__main__":
    unittest.main()
