"""What CodeBuild runs: every way through build.sh, with a docker and an aws that do what the test says and note what they were told."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import REPOSITORY

SCRIPT = REPOSITORY / "functions/image-build/build.sh"
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
BASE_DIGEST = "sha256:" + "b" * 64
LIMIT = "toomanyrequests: You have reached your unauthenticated pull rate limit."
REMEDY = (
    "build: Docker Hub's limit is used up: wait an hour, or set the stack's parameter ImageBase to a secret with an account, "
    "or to a mirror"
)
# As BuildKit prints a step that fails: the seconds since it began stand before each line, and compilers say whatever they like.
STEP = """#9 [build 3/8] RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get upgrade --yes
#9 3.429 Get:7 http://example.org/debian bookworm/main amd64 curl amd64 7.88.1-10 [315 kB]
#9 12.500 Unpacking curl (7.88.1-10) over (7.88.1-9) ...
#9 503.2 /tmp/redis/library.c:429:12: warning: unused variable 'timeout' [-Wunused-variable]
#9 504.1 redis.h:502: note: 'rate limit' declared here
#9 ERROR: process "/bin/bash -euo pipefail -c apt-get upgrade" did not complete successfully: exit code: 100"""
STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop-MauticService-1-Image-2/3"
ROOT = "arn:aws:cloudformation:eu-central-1:123456789012:stack/mautic-prod/4"
# Each program notes its arguments and its input, then plays. State is kept in files: a tag's digest, and how often to fail.
FAKE = """#!/usr/bin/env python3
import json, os, pathlib, sys
place = pathlib.Path(__file__).resolve().parent
name, told = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
given = "" if sys.stdin.isatty() else sys.stdin.read()
with (place / "calls").open("a") as calls:
    calls.write(json.dumps([name, *told, *([given.strip()] if "--password-stdin" in told else [])]) + "\\n")
state = json.loads((place / "state").read_text())
def keep():
    (place / "state").write_text(json.dumps(state))
def option(one):
    return told[told.index(one) + 1]
def tag():
    return option("--image-ids").removeprefix("imageTag=")
def refuse(text):
    print(text, file=sys.stderr)
    sys.exit(1)
what = " ".join(told[:2])
if state["refused"].get(told[0] if name == "docker" else what):
    text = state["refused"][told[0] if name == "docker" else what].pop(0)
    keep()
    refuse(text)
if name == "docker" and told[0] == "push":
    pushed = told[1].rsplit(":", 1)[1]
    if pushed in state["images"]:
        refuse("tag invalid: The image tag already exists and cannot be overwritten because the tag is immutable.")
    state["images"][pushed] = "sha256:" + pushed
elif name == "docker" and told[0] == "build":
    state["attests"] = os.environ.get("BUILDX_NO_DEFAULT_ATTESTATIONS") != "1"
elif what == "buildx imagetools":
    print(state["base"])
elif what == "ecr describe-images":
    if tag() not in state["images"]:
        refuse("ImageNotFoundException")
    print(state["images"][tag()])
elif what == "ecr batch-get-image":
    print(json.dumps({"of": state["images"][tag()]}))
elif what == "ecr put-image":
    state["images"][option("--image-tag")] = json.loads(option("--image-manifest"))["of"]
elif what == "ecr get-login-password":
    print("token")
elif what == "ecr describe-image-scan-findings":
    print(state.get("findings", '{\\n  "HIGH": 2\\n}'))
elif what == "ecs list-services":
    print("arn:web\\tarn:worker")
elif what == "cloudformation describe-stacks":
    print(state["root"])
keep()
"""


class TheBuild(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)
        for name in ("docker", "aws"):
            (self.place / name).write_text(FAKE)
            (self.place / name).chmod(0o755)
        self.state = {"images": {}, "refused": {}, "base": BASE_DIGEST, "root": ROOT}

    def run_it(self, code=0, **variables):
        """What it printed itself; what docker and aws said is in `errors`."""
        (self.place / "state").write_text(json.dumps(self.state))
        (self.place / "calls").write_text("")
        told = {
            "PATH": f"{self.place}:{os.environ['PATH']}",
            "REPOSITORY_URI": f"{REGISTRY}/shop",
            "IMAGE_TAG": "0123",
            "PATCH": "",
            "MAUTIC_IMAGE": "mautic/mautic",
            "MAUTIC_TAG": "7.2.0-apache",
            "MAUTIC_DIGEST": "",
            "PAUSE": "0",
            **variables,
        }
        done = subprocess.run(
            ["bash", SCRIPT], env=told, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.state, self.errors = json.loads((self.place / "state").read_text()), done.stderr
        return [line for line in done.stdout.splitlines() if line.startswith("build: ")]

    def calls(self, *beginning):
        found = [json.loads(line) for line in (self.place / "calls").read_text().splitlines()]
        return [one for one in found if one[: len(beginning)] == list(beginning)]

    def test_an_image_is_built_from_the_base_by_its_digest_and_pushed(self):
        digest = "sha256:" + "d" * 64
        printed = self.run_it(MAUTIC_DIGEST=digest, SITE_URL="https://shop.example.com")
        image = f"{REGISTRY}/shop:0123"
        self.assertEqual(
            printed,
            [
                f"build: signed in to {REGISTRY}",
                f"build: {image} from mautic/mautic:7.2.0-apache@{digest}",
                f"build: pushed {image}",
                "build: its digest is sha256:0123",
            ],
        )
        [build] = self.calls("docker", "build")
        told = [
            "MAUTIC_IMAGE=mautic/mautic",
            "MAUTIC_TAG=7.2.0-apache",
            f"MAUTIC_DIGEST={digest}",
            "SITE_URL=https://shop.example.com",
        ]
        self.assertEqual([word for word in build if "=" in word], told)
        self.assertEqual(build[-1], "container")
        self.assertEqual(
            self.calls("docker", "login"),
            [["docker", "login", "--username", "AWS", "--password-stdin", REGISTRY, "token"]],
        )
        self.assertEqual(self.calls("docker", "buildx") + self.calls("aws", "sns") + self.calls("aws", "ecs"), [])

    def test_what_is_pushed_is_one_image_that_ecr_can_scan(self):
        self.run_it()
        self.assertIs(self.state["attests"], False)

    def test_every_build_argument_is_one_of_the_dockerfile_s(self):
        dockerfile = (SCRIPT.parent / "container/Dockerfile").read_text()
        told = set(re.findall(r'--build-arg "(\w+)=', SCRIPT.read_text()))
        self.assertGreaterEqual(len(told), 4)
        self.assertEqual(told - set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE)), set())

    def test_the_template_s_bases_are_the_dockerfile_s(self):
        dockerfile = (SCRIPT.parent / "container/Dockerfile").read_text()
        template = (REPOSITORY / "cloudformation/modules/mautic-image.yaml").read_text()
        bases = re.findall(r"Tag: ([\w.-]+)\n +Digest: (sha256:[0-9a-f]{64})\n +PatchTag: ([\w.-]+)\n", template)
        default = [re.search(rf"^ARG MAUTIC_{name}=(.*)$", dockerfile, re.MULTILINE)[1] for name in ("TAG", "DIGEST")]
        six = re.search(r"MAUTIC_TAG=(6[\w.-]+)\n.*MAUTIC_DIGEST=(sha256:[0-9a-f]{64})", dockerfile).groups()
        self.assertEqual([base[:2] for base in bases], [tuple(default), six])
        for tag, _, patch in bases:
            # The same version of Mautic: a patch has no migrations.
            self.assertEqual(patch, re.match(r"\d+\.\d+\.\d+", tag)[0] + "-apache")

    def test_what_is_there_is_not_built(self):
        self.state["images"]["0123"] = "sha256:0123"
        printed = self.run_it()
        self.assertEqual(printed, [f"build: {REGISTRY}/shop:0123 is there already", "build: its digest is sha256:0123"])
        self.assertEqual(self.calls("docker"), [])

    def test_without_a_digest_the_newest_is_taken(self):
        self.run_it()
        [build] = self.calls("docker", "build")
        self.assertIn(f"MAUTIC_DIGEST={BASE_DIGEST}", build)
        self.state = {**self.state, "images": {}, "base": "nothing"}
        printed = self.run_it(code=1)
        self.assertEqual(
            printed[-1], "build: mautic/mautic:7.2.0-apache has no digest that could be read; is the tag there?"
        )

    def test_docker_hub_s_limit_is_waited_for_and_then_named(self):
        self.state["refused"] = {"build": [LIMIT, "error: 503 Service Unavailable"]}
        self.run_it()
        self.assertEqual(len(self.calls("docker", "build")), 3)
        self.state = {**self.state, "images": {}, "refused": {"build": [LIMIT] * 9}}
        printed = self.run_it(code=1)
        self.assertEqual(len(self.calls("docker", "build")), 5)
        self.assertEqual(printed[-1], REMEDY)

    def test_a_limit_at_the_look_up_of_the_digest_is_told_in_docker_s_words_and_with_the_remedy(self):
        self.state["refused"] = {"buildx": [LIMIT, "429 Too Many Requests"]}
        self.run_it(PATCH="20261201")
        self.assertEqual(len(self.calls("docker", "buildx")), 3)
        self.state = {**self.state, "images": {}, "refused": {"buildx": [LIMIT] * 9}}
        printed = self.run_it(code=1, PATCH="20261201")
        self.assertEqual(len(self.calls("docker", "buildx")), 5)
        self.assertIn(LIMIT, self.errors)
        unread = "build: the digest of mautic/mautic:7.2.0-apache could not be read; the lines above say why"
        self.assertEqual(printed[-2:], [REMEDY, unread])
        self.assertEqual(self.calls("docker", "build"), [])

    def test_a_tag_that_there_is_not_is_told_in_docker_s_words(self):
        self.state["refused"] = {"buildx": ["ERROR: docker.io/mautic/mautic:7.2.0-apache: not found"] * 9}
        printed = self.run_it(code=1)
        self.assertEqual(len(self.calls("docker", "buildx")), 1)
        self.assertIn("7.2.0-apache: not found", self.errors)
        self.assertIn("could not be read; the lines above say why", printed[-1])

    def test_what_does_not_pass_is_not_repeated(self):
        self.state["refused"] = {"build": [STEP] * 9}
        printed = self.run_it(code=1)
        self.assertEqual(len(self.calls("docker", "build")), 1)
        self.assertNotIn(REMEDY, printed)

    def test_what_a_registry_says_when_it_is_out_of_breath_passes(self):
        for words in (
            "unexpected status from HEAD request to https://registry.example.org/v2/: 500 Internal Server Error",
            "received unexpected HTTP status: 504 Gateway Time-out",
            "dial tcp 192.0.2.1:443: i/o timeout",
            "net/http: TLS handshake timeout",
            "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
            "read tcp 192.0.2.1:443: read: connection reset by peer",
        ):
            with self.subTest(words):
                self.state = {**self.state, "images": {}, "refused": {"build": [f"{STEP}\n{words}"]}}
                self.run_it()
                self.assertEqual(len(self.calls("docker", "build")), 2)

    def test_ecr_s_own_limit_is_waited_for_and_not_called_docker_hub_s(self):
        self.state["refused"] = {"push": ["toomanyrequests: Rate exceeded"] * 9}
        printed = self.run_it(code=1)
        self.assertEqual(len(self.calls("docker", "push")), 5)
        self.assertNotIn(REMEDY, printed)

    def test_a_push_that_another_build_was_faster_with_is_good(self):
        self.state["refused"] = {"push": ["tag invalid: immutable"]}
        (self.place / "docker").write_text(
            FAKE.replace("if state[", "if told[0] == 'push': state['images']['0123'] = 'sha256:other'\nif state[", 1)
        )
        printed = self.run_it()
        self.assertEqual(
            printed[-2:],
            [f"build: {REGISTRY}/shop:0123 was pushed by another build meanwhile", "build: its digest is sha256:other"],
        )

    def test_a_push_that_is_refused_otherwise_is_not(self):
        self.state["refused"] = {"push": ["denied: not authorized"]}
        self.assertEqual(
            self.run_it(code=1)[-1], f"build: {REGISTRY}/shop:0123 could not be pushed; the lines above say why"
        )

    def test_an_account_and_a_mirror_are_signed_in_to_and_the_password_is_no_argument(self):
        printed = self.run_it(REGISTRY_USERNAME="ada", REGISTRY_PASSWORD="s3nt1nel")
        self.assertIn("build: signed in to Docker Hub as ada", printed)
        [_, hub] = self.calls("docker", "login")
        self.assertEqual(hub, ["docker", "login", "--username", "ada", "--password-stdin", "s3nt1nel"])
        self.assertNotIn("s3nt1nel", "\n".join(printed))
        self.state["images"] = {}
        mirror = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
        self.assertIn(f"build: signed in to {mirror}", self.run_it(MAUTIC_IMAGE=f"{mirror}/docker-hub/mautic/mautic"))
        self.state["images"] = {}
        self.run_it(MAUTIC_IMAGE=f"{REGISTRY}/docker-hub/mautic/mautic")
        self.assertEqual(len(self.calls("docker", "login")), 1, "the same registry is signed in to once")

    def test_where_tasks_name_a_tag_it_follows_the_newest_build(self):
        self.run_it(ROLLING="true")
        self.assertEqual(self.state["images"], {"0123": "sha256:0123", "rolling-0123": "sha256:0123"})
        self.run_it(ROLLING="true")
        self.assertEqual(self.calls("aws", "ecr", "put-image"), [], "it is there already")
        printed = self.run_it(ROLLING="true", PATCH="20261201", CLUSTER="shop-dev")
        self.assertEqual(self.state["images"]["rolling-0123"], "sha256:0123-20261201")
        self.assertEqual(
            printed[-4:],
            [
                "build: rolling-0123 is sha256:0123-20261201 now",
                "build: arn:web starts anew",
                "build: arn:worker starts anew",
                'build: its scan found: {"HIGH":2}',
            ],
        )
        restarted = [one[one.index("--service") + 1] for one in self.calls("aws", "ecs", "update-service")]
        self.assertEqual(restarted, ["arn:web", "arn:worker"])

    def test_today_s_patch_has_today_s_tag(self):
        self.run_it(PATCH="today")
        day = subprocess.run(["date", "-u", "+%Y%m%d"], capture_output=True, text=True, check=True).stdout.strip()
        self.assertEqual(list(self.state["images"]), [f"0123-{day}"])

    def test_whoever_decides_is_told_with_the_command_that_deploys(self):
        self.run_it(PATCH="20261201", TOPIC_ARN="arn:topic", STACK_ID=STACK, CADENCE="weekly")
        [told] = self.calls("aws", "sns", "publish")
        self.assertEqual(told[told.index("--subject") + 1], "A corrected image of Mautic")
        message = told[told.index("--message") + 1]
        self.assertIn("The image of mautic-prod was built anew", message)
        self.assertIn(f'{REGISTRY}/shop@sha256:0123-20261201\nIts scan found: {{"HIGH":2}}\n', message)
        command = message.splitlines()[-1]
        self.assertIn("--parameters ParameterKey=ImagePatches,ParameterValue=weekly-20261201 $(aws ", command)
        # As a shell reads it, with parameters that the stack has.
        self.state["root"] = "ParameterKey=Domain,UsePreviousValue=true"
        (self.place / "state").write_text(json.dumps(self.state))
        (self.place / "calls").write_text("")
        subprocess.run(
            ["bash", "-c", command],
            env={"PATH": f"{self.place}:{os.environ['PATH']}"},
            check=True,
            stdin=subprocess.DEVNULL,
        )
        [update] = self.calls("aws", "cloudformation", "update-stack")
        self.assertEqual(
            update[update.index("--parameters") + 1 :],
            ["ParameterKey=ImagePatches,ParameterValue=weekly-20261201", "ParameterKey=Domain,UsePreviousValue=true"],
        )

    def test_a_scan_that_finds_nothing_says_so(self):
        self.state["findings"] = ""
        printed = self.run_it(PATCH="20261201", TOPIC_ARN="arn:topic", STACK_ID=STACK, CADENCE="weekly")
        self.assertEqual(printed[-2:], ["build: its scan found: nothing", "build: told arn:topic"])

    def test_a_scan_that_does_not_end_keeps_nobody_from_being_told(self):
        self.state["refused"] = {"ecr wait": ["Max attempts exceeded"]}
        printed = self.run_it(PATCH="20261201", TOPIC_ARN="arn:topic", STACK_ID=STACK, CADENCE="weekly")
        self.assertEqual(printed[-2:], ["build: its scan found: nothing that is known yet", "build: told arn:topic"])


if __name__ == "__main__":
    unittest.main()
