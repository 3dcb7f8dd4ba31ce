"""`make smoke` of an installation that works, of one that does not, and by somebody who may do just what the documents say.

One installation: each test changes it and goes on from there. In Mautic's place the local AWS answers, with the settings and the
secrets that the stack gave its tasks.
"""

import contextlib
import json
import re
import signal
import subprocess
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import databases
import driver
import secrecy
from local_aws import servers_file
from stacks import Stack
from world import AWS_CLI, DRIVER, ROOT, STATE, client, run, started, wait_until, world
from zones import Zone

NAME = "smoke"
DOMAIN = "smoke.example"
SETTINGS = {
    "Application": NAME,
    "Environment": "dev",
    "Domain": DOMAIN,
    "WaitSeconds": "60",
    "MauticVersion": "6.0",
    "DatabaseVersion": "8.0",
    "MauticApi": "true",
}
CHECKS = ("login", "form", "ses", "mail", "delivery", "job", "removal")


def variables(**given: str) -> dict[str, str]:
    """What `make smoke` is told: the driver that is built, and the way to the site, as `make env` prints it."""
    site = servers_file.read(STATE.directory)["site"]
    path = f"{AWS_CLI.parent}:{world().environment['PATH']}"
    place = {"SITE_CONNECT_TO": f"{site['host']}:{site['port']}", "SITE_CA_FILE": site["ca_file"]}
    return {"DRIVER": str(DRIVER), "PATH": path, "STACK": NAME, **place, **given}


def command(*words: str, **given: str) -> list[Any]:
    """`tools/smoke`, which `make smoke` calls."""
    told = [f"{name}={value}" for name, value in variables(**given).items()]
    return ["env", *told, ROOT / "tools" / "smoke", *words]


def marks(printed: str) -> dict[str, str]:
    """How each check ended."""
    return {check: mark for mark, check in re.findall(r"^  (ok|skipped|FAILED) +(\w+) ", printed, re.MULTILINE)}


def seen(printed: str, check: str) -> str:
    """What was seen, without the time."""
    found = re.search(rf"^  \w+ +{check} +(?:[\d.]+ (?:min \d+ )?s  )?(.+)$", printed, re.MULTILINE)
    return found[1] if found else ""


class ASmokeTestTellsWhatWorks(unittest.TestCase):
    """One installation."""

    maxDiff = None
    stack: Stack

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(databases.take("8.0"))
        cls.addClassCleanup(databases.forget, databases.server_for("8.0"), "mautic", "mautic")
        cls.zone = Zone(DOMAIN)
        cls.deploy()

    @classmethod
    def tearDownClass(cls) -> None:
        ecs, cluster = client("ecs"), cls.stack.nested("MauticService").outputs()["ClusterName"]
        # A cluster with tasks cannot be deleted; who is told to leave may have left one behind, even a moment later.
        for task in ecs.list_tasks(cluster=cluster, family="job-runs")["taskArns"]:
            ecs.stop_task(cluster=cluster, task=task)
        done = driver.delete(cls.stack)
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    def deploy(cls, **changes: str) -> None:
        """Deploy with some settings changed."""
        done = driver.deploy(NAME, **{**SETTINGS, **changes})
        assert done.returncode == 0, done.stdout + done.stderr
        cls.stack = Stack(NAME).adopt()

    def tried(self, code: int, *words: str, **given: str) -> str:
        """Test it; what was printed, in which no secret stands."""
        done = run(*command(*words, **given), check=False)
        printed = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, printed)
        self.assertEqual(secrecy.leaks(secrecy.secrets(), [("the output", printed)]), [])
        return printed

    def left(self) -> list[str]:
        """What stands in the stand-in's memory, by whoever signs in as the administrator."""
        service = self.stack.nested("MauticService").outputs()
        secret = databases.secret(service["AdministratorSecretArn"])
        given = variables()
        curl = [
            "curl",
            "--silent",
            "--cacert",
            given["SITE_CA_FILE"],
            "--user",
            f"{secret['username']}:{secret['password']}",
        ]
        place = f"mautic.{DOMAIN}:443:{given['SITE_CONNECT_TO']}"
        found = []
        for kind in ("forms", "emails", "contacts"):
            answer = run(*curl, "--connect-to", place, f"https://mautic.{DOMAIN}/api/{kind}").stdout
            found += [f"{kind}: {one}" for one in json.loads(answer)[kind]]
        return found

    def mails(self) -> list[str]:
        folder = Path(servers_file.read(STATE.directory)["smtp"]["mail"])
        texts = [one.read_text() for one in folder.glob("*.eml")]
        return [text for text in texts if f"From: Mautic <mautic@{DOMAIN}>" in text]

    def test_1_an_installation_that_works_passes_every_check_and_keeps_nothing(self) -> None:
        printed = self.tried(0)
        self.assertEqual(marks(printed), dict.fromkeys(CHECKS, "ok"), printed)
        self.assertIn(f"Smoke test of {NAME} at https://mautic.{DOMAIN}/", printed)
        self.assertEqual(printed.splitlines()[-2], "7 ok, 0 skipped, 0 failed")
        self.assertEqual(seen(printed, "job"), "mautic:segments:update ran as its schedule runs it and ended with 0.")
        self.assertEqual(seen(printed, "removal"), "What was made in Mautic is removed: 4.")
        self.assertEqual(self.left(), [])
        [mail] = self.mails()
        self.assertIn("X-SES-CONFIGURATION-SET: " + self.stack.outputs()["ConfigurationSet"], mail)
        self.assertRegex(mail, r"To: success\+mail-\d+-\d+@simulator\.amazonses\.com")

    def test_2_the_permissions_that_the_documents_list_suffice(self) -> None:
        document = (ROOT / "docs" / "operations.md").read_text()
        table = document[
            document.index("Whoever tests needs") : document.index("## A test environment from production")
        ]
        actions = sorted(set(re.findall(r"`([a-z]+:[A-Za-z]+)`", table)))
        self.assertGreater(len(actions), 12, table)
        key = self.user_who_may(actions)
        printed = self.tried(0, **key)
        self.assertEqual(marks(printed), dict.fromkeys(CHECKS, "ok"), printed)
        printed = self.tried(1, READ_ONLY="1", **key)
        self.assertEqual(
            marks(printed), {"login": "ok", "form": "skipped", "ses": "ok", "mail": "skipped", "job": "FAILED"}, printed
        )
        # No job's last line is logged here.
        self.assertEqual(seen(printed, "job"), "No job has ended within 2 hours.")
        key = self.user_who_may(
            [one for one in actions if one not in ("ses:SendEmail", "ecs:RunTask", "secretsmanager:GetSecretValue")]
        )
        printed = self.tried(1, **key)
        failed = {"login": "ok", **dict.fromkeys(("form", "ses", "mail", "job"), "FAILED"), "delivery": "skipped"}
        self.assertEqual(marks(printed), failed, printed)
        for check, action in (
            ("form", "secretsmanager:GetSecretValue"),
            ("ses", "ses:SendEmail"),
            ("job", "ecs:RunTask"),
        ):
            self.assertIn(f"is not authorized to perform: {action}", seen(printed, check))
        self.assertIn("needs the permissions in docs/operations.md, Smoke test.", printed)

    def user_who_may(self, actions: list[str]) -> dict[str, str]:
        """The key of a user who may do this and nothing else."""
        iam, name = client("iam"), f"tester-{len(actions)}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def test_3_somebody_who_leaves_leaves_nothing_behind(self) -> None:
        given = variables()
        way = ("--connect-to", given["SITE_CONNECT_TO"], "--ca-file", given["SITE_CA_FILE"], "--aws", AWS_CLI)
        with self.job_that("runs"), started(DRIVER, "smoke", "--stack", NAME, *way, stderr=subprocess.STDOUT) as child:
            printed = ""
            for line in child.stdout:
                printed += line
                if marks(line).get("form"):
                    child.send_signal(signal.SIGINT)
            code = child.wait()
        self.assertEqual((code, marks(printed)["form"], marks(printed)["removal"]), (130, "ok", "ok"), printed)
        self.assertNotIn("job", marks(printed))
        self.assertEqual(self.left(), [])

    @contextlib.contextmanager
    def job_that(self, ending: str) -> Iterator[None]:
        """Meanwhile the job's schedule starts an image whose tag asks for this ending."""
        service, scheduler, ecs = self.stack.nested("MauticService").outputs(), client("scheduler"), client("ecs")
        group = service["ScheduleGroupName"]
        schedule = scheduler.get_schedule(GroupName=group, Name="UpdateSegments")
        self.assertIn("mautic:segments:update", schedule["Target"]["Input"])
        container, family = {"name": "job", "image": f"example/mautic:7.2-{ending}", "essential": True}, f"job-{ending}"
        definition = ecs.register_task_definition(family=family, containerDefinitions=[container])["taskDefinition"]
        before = schedule["Target"]["EcsParameters"]["TaskDefinitionArn"]
        keep = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        request = {name: schedule[name] for name in keep}
        request["Target"]["EcsParameters"]["TaskDefinitionArn"] = definition["taskDefinitionArn"]
        scheduler.update_schedule(**request)
        try:
            yield
        finally:
            request["Target"]["EcsParameters"]["TaskDefinitionArn"] = before
            scheduler.update_schedule(**request)

    def test_4_a_job_that_fails_is_a_failure_with_its_exit_code(self) -> None:
        service = self.stack.nested("MauticService").outputs()
        with self.job_that("exits-3"):
            printed = self.tried(1)
        self.assertEqual(marks(printed), {**dict.fromkeys(CHECKS, "ok"), "job": "FAILED"}, printed)
        self.assertEqual(seen(printed, "job"), "mautic:segments:update ended with exit code 3.")
        self.assertIn(f"aws logs tail {service['JobLogGroupName']} --log-stream-names job/job/", printed)

    def test_5_without_web_tasks_the_site_is_the_load_balancers(self) -> None:
        service, ecs = self.stack.nested("MauticService").outputs(), client("ecs")
        web = {"cluster": service["ClusterName"], "service": service["WebServiceName"]}
        before = ecs.describe_services(cluster=web["cluster"], services=[web["service"]])["services"][0]["desiredCount"]
        self.scale(web, 0)
        try:
            printed = self.tried(1)
        finally:
            self.scale(web, before)
        self.assertEqual(
            [marks(printed)[check] for check in ("login", "form", "ses", "job")], ["FAILED", "FAILED", "ok", "ok"]
        )
        self.assertEqual(seen(printed, "login"), f"https://mautic.{DOMAIN}/s/login answered 503.")

    def scale(self, service: dict[str, str], count: int) -> None:
        ecs = client("ecs")
        ecs.update_service(**service, desiredCount=count)

        def is_scaled() -> bool:
            found = ecs.describe_services(cluster=service["cluster"], services=[service["service"]])["services"][0]
            return found["runningCount"] == count

        wait_until(f"{count} web tasks", is_scaled)

    def test_6_what_is_switched_off_is_skipped_and_says_how_to_switch_it_on(self) -> None:
        self.deploy(HoldMail="true", MauticApi="false")
        printed = self.tried(0)
        skipped = {"login": "ok", "form": "skipped", "ses": "ok", "mail": "skipped", "job": "ok"}
        self.assertEqual(marks(printed), skipped, printed)
        self.assertEqual(seen(printed, "form"), "Mautic's API is off.")
        self.assertIn("To have it tested, deploy with MauticApi=true.", printed)
        held = "Mail is held: Mautic would believe that it was sent, and it would go nowhere."
        self.assertEqual(seen(printed, "mail"), held)

    def test_7_what_is_no_installation_is_not_tested(self) -> None:
        printed = self.tried(2, STACK="")
        self.assertEqual(printed, "make smoke: which installation? Say ENV=dev, ENV=test or ENV=prod, or STACK=NAME\n")
        printed = self.tried(1, "test", STACK="")
        self.assertIn("stack-driver: there is no stack mautic-test in ", printed)
        nested = self.stack.nested("Foundation").described()["StackName"]
        printed = self.tried(1, STACK=nested)
        self.assertIn(
            f"the stack {nested} has no output SiteUrl: name the root stack of an installation, or its site with --site URL",
            printed,
        )


if __name__ == "__main__":
    unittest.main()
