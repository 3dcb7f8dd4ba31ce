"""The image beside the task definitions that run it: what one side names, the other has."""

import re
import unittest

from support import CONTAINER, REPOSITORY, TestCase

TEMPLATES = [REPOSITORY / f"cloudformation/modules/mautic-{name}.yaml" for name in ("tasks", "release-task")]
DOCKERFILE = (CONTAINER / "Dockerfile").read_text()


def templates() -> str:
    """The text of all task definitions."""
    return "\n".join(path.read_text() for path in TEMPLATES)


def code() -> str:
    """All of the image's own code."""
    return "\n".join(path.read_text() for path in CONTAINER.rglob("*") if path.suffix != ".pem" and path.is_file())


class TheTasksAndTheImage(TestCase):
    def test_every_path_that_is_mounted_empty_is_a_volume_and_no_other(self):
        volumes = set(re.findall(r'"(/[^"]+)"', re.search(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE)[1]))
        mounted = set(re.findall(r"SourceVolume: (\w+), ContainerPath: (/[\w/]+)", templates()))
        shared = {name for name, path in mounted if path.startswith("/mautic/")}
        self.assertEqual(shared, {"media", "import"})
        self.assertEqual(volumes, {path for name, path in mounted if name not in shared})

    def test_every_variable_of_a_task_is_read(self):
        given = set(re.findall(r"Name: ([A-Z][A-Z_]+)\b", templates()))
        self.assertIn("MAUTIC_SECRET_KEY", given)
        # Mautic itself reads this one, and a JSON object it must be.
        unread = {name for name in given if not re.search(rf"\b{name}\b", code())} - {"MAUTIC_MAILER_CUSTOM_HEADERS"}
        self.assertEqual(unread, set())

    def test_no_variable_but_a_setting_of_mautic_s_is_named_like_one_that_mautic_reads_as_json(self):
        # "10.0.0.0/16" in MAUTIC_TRUSTED_PROXIES would come before the file and be no JSON: Mautic's page of settings would fail.
        self.assertNotIn("MAUTIC_TRUSTED_PROXIES", templates() + DOCKERFILE)

    def test_port_user_and_health_check(self):
        self.assertEqual(set(re.findall(r"ContainerPort: (\d+)", templates())), {"8080"})
        self.assertIn("\nEXPOSE 8080\n", DOCKERFILE)
        self.assertIn("WEB_PORT=8080", DOCKERFILE)
        self.assertEqual(set(re.findall(r"User: '([\d:]+)'", templates())), {"33:33"})
        self.assertTrue(DOCKERFILE.rstrip().endswith('CMD ["web"]'))
        self.assertEqual(re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1], "33:33")
        check = re.search(r"Command: \[CMD, ([\w/]+)\]", templates())[1]
        self.assertEqual(check, "/usr/local/bin/healthy")
        self.assertTrue((CONTAINER / "bin/healthy").is_file())

    def test_everything_ends_within_the_time_that_ecs_gives_it(self):
        limits = [int(number) for number in re.findall(r"StopTimeout: (\d+)", templates())]
        self.assertEqual(limits, [60, 120, 120, 120])  # web, worker, job, release
        apache = int(
            re.search(r"^GracefulShutdownTimeout (\d+)$", (CONTAINER / "apache.conf").read_text(), re.MULTILINE)[1]
        )
        job = float(re.search(r"GRACE = ([\d.]+);", (CONTAINER / "lib/command.php").read_text())[1])
        self.assertLess(apache, 60 - 5)
        self.assertLess(job, 120 - 5)

    def test_every_role_of_a_task_is_one_of_the_entrypoint_s(self):
        roles = set(re.findall(r"^ +Command: \[(\w+)", templates(), re.MULTILINE)) - {"CMD"}
        self.assertEqual(roles, {"web", "worker", "job", "release"})
        listed = re.search(r"^(web \| .*)\) shift", (CONTAINER / "bin/entrypoint").read_text(), re.MULTILINE)[1]
        self.assertEqual(set(listed.split(" | ")), roles)

    def test_the_authorities_of_rds_are_those_that_the_functions_trust(self):
        def without_heads(text: str) -> list[str]:
            return [line for line in text.splitlines() if not line.startswith("#")]

        regions = sorted((REPOSITORY / "shared/database/data/rds").glob("*.pem"))
        theirs = [line for one in regions for line in without_heads(one.read_text())]
        self.assertGreater(len(theirs), 1000)
        self.assertEqual(without_heads((CONTAINER / "rds-global-bundle.pem").read_text()), theirs)

    def test_what_is_fetched_for_the_image_is_pinned_by_content(self):
        self.assertRegex(DOCKERFILE, r"ARG MAUTIC_DIGEST=sha256:[0-9a-f]{64}\n")
        self.assertIn("FROM ${MAUTIC_IMAGE}:${MAUTIC_TAG}@${MAUTIC_DIGEST} AS build", DOCKERFILE)
        self.assertRegex(DOCKERFILE, r"ARG PHPREDIS_SHA256=[0-9a-f]{64}\n")
        self.assertEqual(len(re.findall(r"https?://(?!\*)\S+\.tgz", DOCKERFILE)), 1)

    def test_everything_that_the_dockerfile_copies_is_in_its_folder(self):
        sources = [word for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
        for source in sources:
            if not source.startswith("--") and source != "/":
                self.assertTrue((CONTAINER / source).exists(), source)


if __name__ == "__main__":
    unittest.main()
