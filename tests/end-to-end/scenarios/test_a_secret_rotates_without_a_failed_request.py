"""Database, cache, mail and bounce-handler's passwords rotate in a deployed stack: old and new are both good until no task holds the old one.

Everything is asked of the deployed functions with the rights of their roles. Each test goes on from what the one before it left.
"""

import base64
import contextlib
import json
import smtplib
import ssl
import time
import unittest
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import databases
import driver
import secrecy
from fixtures import lines, log_group
from local_aws import servers_file
from local_aws.cache.session import Refused, Session
from local_aws.rotate import SETTLE_SECONDS, TRIES, Rotation, Seen, rotate
from stacks import Stack
from watch import A_SECOND, Begun, SigningIn
from world import STATE, client, wait_until, world
from zones import Zone

NAME, DOMAIN = "rotate", "rotate.example"
SETTINGS = {"Application": NAME, "Environment": "dev", "Domain": DOMAIN, "WaitSeconds": "60"}
DENY = {"Statement": [{"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}


class ASecretRotatesWithoutAFailedRequest(unittest.TestCase):
    """One stack and its four secrets."""

    maxDiff = None
    stack: Stack
    begun: Begun
    seen: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(databases.take("8.4"))
        Zone(DOMAIN)
        cls.stack = Stack(NAME)
        done = driver.deploy(NAME, **SETTINGS)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.stack.adopt()
        cluster = cls.stack.nested("MauticService").outputs()["ClusterName"]
        cls.begun = Begun(client("ecs").describe_clusters(clusters=[cluster])["clusters"][0]["clusterArn"])
        cls.addClassCleanup(cls.begun.close)
        cls.seen = secrecy.secrets()

    @classmethod
    def tearDownClass(cls) -> None:
        server = databases.server_of(f"{NAME}-dev-1")
        driver.delete(cls.stack)
        databases.forget(server, "mautic", "mautic")

    def setUp(self) -> None:
        self.begun.forget()

    def tearDown(self) -> None:
        """A version that is superseded loses its labels, and cannot be read any more."""
        self.seen.update(secrecy.secrets())

    # --- What there is ------------------------------------------------------------------------------------------------

    def secret(self, output: str) -> Rotation:
        """A secret of the stack."""
        one = Rotation(world().aws, STATE.directory, NAME)
        bounces = {"BouncesSecretArn": self.service().nested("Bounces").outputs()["UserSecretArn"]}
        one.secret = {**self.stack.outputs(), **bounces}[output]
        return one

    def service(self) -> Stack:
        return self.stack.nested("MauticService")

    def module(self, name: str) -> Stack:
        return self.service().nested("Rotation").nested(name)

    def tasks(self) -> dict[str, datetime]:
        """What runs as a service, and since when."""
        ecs, cluster = client("ecs"), self.service().outputs()["ClusterName"]
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        return {one["taskArn"]: one["createdAt"] for one in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]}

    def services(self) -> list[str]:
        """The names of both services."""
        outputs = self.service().outputs()
        return sorted([outputs["WebServiceName"], outputs["WorkerServiceName"]])

    def look(self) -> dict[str, str]:
        """What rotation-rollout says of each secret when it is asked."""
        function = self.module("Rollout").physical_id("RotationRolloutFunction")
        answer = client("lambda").invoke(FunctionName=function, Payload=b"{}")
        told = json.loads(answer["Payload"].read())
        self.assertNotIn("FunctionError", answer, told)
        return told["Secrets"]

    def story(self) -> str:
        """The functions' logs, for the text of a failure."""
        groups = self.service().outputs()["FunctionLogGroupNames"].split(",")
        return "\n".join(line for group in groups for line in lines(group))

    # --- Who signs in -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def tasks_sign_in(self) -> Iterator[None]:
        """Whatever happens meanwhile, nobody is refused who signs in with what a running task holds."""
        with SigningIn(self.secret("DatabaseSecretArn"), self.service().outputs()["ClusterName"]) as tasks:
            yield
            wait_until("a sign-in with the new password", lambda: len(tasks.passwords) > 1, self.story)
        self.assertEqual(tasks.refused, [])
        # The machine does other things as well.
        self.assertGreater(tasks.opened, A_SECOND / 10 * tasks.seconds)

    def cache_lets_in(self, held: dict[str, Any]) -> bool:
        """AUTH and PING over TLS, where Mautic finds its cache."""
        port = int(self.stack.nested("Cache").outputs()["Port"])
        with Session(port, STATE.directory / "cache/certificates/ca.pem") as session:
            try:
                session("AUTH", held["username"], held["password"])
            except Refused as error:
                self.assertRegex(str(error), "^WRONGPASS")
                return False
            return session("PING") == "PONG"

    def smtp_lets_in(self, held: dict[str, Any]) -> bool:
        """STARTTLS and AUTH, as Mautic does it."""
        authority = servers_file.read(STATE.directory)["smtp"]["ca_file"]
        with smtplib.SMTP(held["host"], held["port"], timeout=10) as connection:
            connection.starttls(context=ssl.create_default_context(cafile=authority))
            try:
                return connection.login(held["username"], held["password"])[0] == 235
            except smtplib.SMTPAuthenticationError as error:
                self.assertEqual(error.smtp_code, 535)
                return False

    def rolled_out(self) -> None:
        """Wait until both services are deployed anew. Who looked meanwhile might force a deployment at the same instant."""
        wait_until("the rollout", lambda: len(self.begun.heard()) > 1, self.story)

    def retired(self, secret: Rotation, version: str) -> None:
        """Look as the sweep does: no event tells when ElastiCache is done, or that a refused rotation changed the secret."""
        wait_until("the retirement", lambda: self.look() and "RETIRED" in secret.labels(version), self.story)

    # --- The proofs ---------------------------------------------------------------------------------------------------

    def labels(self, output: str) -> list[list[str]]:
        """The labels of every version."""
        described = client("secretsmanager").describe_secret(SecretId=self.secret(output).secret)
        self.assertTrue(described["RotationEnabled"])
        self.assertNotIn("LastRotatedDate", described)
        return [*described["VersionIdsToStages"].values()]

    def test_01_a_deployment_rotates_nothing(self) -> None:
        outputs = ("DatabaseSecretArn", "CacheSecretArn", "SmtpSecretArn", "BouncesSecretArn")
        # The version that a schedule is tested on holds nothing, and goes.
        wait_until("one version", lambda: all(self.labels(one) == [["AWSCURRENT"]] for one in outputs), self.story)
        self.assertEqual(set(self.look().values()), {"nothing to retire"})

    def test_02_a_held_connection_the_old_and_the_new_password_of_the_database_are_good_until_the_rollout(self) -> None:
        before = self.tasks()
        told: list[str] = []
        with self.tasks_sign_in():
            seen = rotate(world().aws, STATE.directory, NAME, told.append)
        self.assertEqual(seen, (Seen(held=True, old=True, new=True), Seen(held=True, old=False, new=True)))
        self.assertEqual([line.split(" after ")[0] for line in told[-2:]], ["rotated", "rolled out and retired"])
        self.assertEqual(set(before) & set(self.tasks()), set())
        rollouts = len([line for line in told if line.startswith("rolled out")])
        self.assertEqual(self.begun.heard(), sorted(self.services() * rollouts))

    def overlaps(self, output: str, lets_in: Any) -> None:
        """Rotate a secret: both credentials are good until the tasks are replaced, then the new one alone."""
        secret = self.secret(output)
        for _ in range(TRIES):
            self.begun.forget()
            tasks = self.tasks()
            done = secret.rotate(lambda old, new: (lets_in(old), lets_in(new)))
            self.assertNotEqual(done.new["password"], done.old["password"])
            self.rolled_out()
            self.retired(secret, done.first)
            self.assertEqual((lets_in(done.old), lets_in(done.new)), (False, True))
            self.assertEqual(set(tasks) & set(self.tasks()), set())
            self.assertEqual(self.begun.heard(), self.services())
            if done.seen == (True, True) or not done.may_be_late:
                break
        self.assertEqual(done.seen, (True, True))

    def test_03_so_are_those_of_the_cache(self) -> None:
        self.overlaps("CacheSecretArn", self.cache_lets_in)

    def test_04_so_are_those_of_mail(self) -> None:
        self.overlaps("SmtpSecretArn", self.smtp_lets_in)
        user = self.stack.nested("Ses").nested("MailCredentials").physical_id("MailUser")
        self.assertEqual(len(client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]), 1)

    def test_05_so_are_those_of_bounce_handler_without_any_rollout(self) -> None:
        secret = self.secret("BouncesSecretArn")
        first, old = secret.value()
        with secret.connected(old) as held:
            second = secret.begin()
            secret.until_labelled(second, "AWSCURRENT")
            self.retired(secret, first)
            self.assertEqual(secret.look(held, old, secret.value()[1]), Seen(held=True, old=False, new=True))
        self.assertEqual(self.begun.heard(), [])

    def test_06_a_failed_rollout_keeps_the_old_password_and_the_next_rotation_refuses(self) -> None:
        with self.tasks_sign_in():
            self.fail_and_recover()

    def fail_and_recover(self) -> None:
        """A rollout that fails, a rotation that is refused, and a deployment that ends the matter."""
        secret = self.secret("DatabaseSecretArn")
        first, old = secret.value()
        role = self.service().nested("Cluster").outputs()["ExecutionRoleName"]
        client("iam").put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=json.dumps(DENY))
        second = secret.begin()
        secret.until_labelled(second, "AWSCURRENT")
        _, new = secret.value()
        self.rolled_out()
        wait_until("the failure", lambda: self.look()[secret.secret].startswith("failed: "), self.story)
        self.assertEqual((secret.signs_in(old), secret.signs_in(new)), (True, True))
        self.assertNotIn("RETIRED", secret.labels(first))
        self.assertIn('"RolloutFailed":1', "".join(lines(log_group(self.module("Rollout"), "RotationRolloutFunction"))))

        # The next rotation refuses before it makes anything, and says what to do.
        third = secret.begin()
        refusal = f"the credential of its previous version {first} is still good"
        log = log_group(self.module("RotateDatabase"), "RotateDatabaseFunction")
        wait_until("the refusal", lambda: refusal in "".join(lines(log)), self.story)
        self.assertEqual(secret.labels(third), ["AWSPENDING"])
        self.assertEqual((secret.signs_in(old), secret.signs_in(new)), (True, True))
        # It changed the secret, which is no reason to try a failed deployment again.
        time.sleep(2 * SETTLE_SECONDS)
        self.assertRegex(self.look()[secret.secret], "^failed: ")
        self.assertEqual(self.begun.heard(), self.services())

        # Any deployment that succeeds will do; the rotation that was refused goes on where it stands.
        client("iam").delete_role_policy(RoleName=role, PolicyName="deny")
        cluster = self.service().outputs()["ClusterName"]
        for name in self.services():
            client("ecs").update_service(cluster=cluster, service=name, forceNewDeployment=True)
        self.retired(secret, first)
        self.assertEqual((secret.signs_in(old), secret.signs_in(new)), (False, True))
        with self.assertRaises(client("secretsmanager").exceptions.InvalidRequestException):
            secret.begin()
        secret.until_labelled(third, "AWSCURRENT")
        self.retired(secret, second)

    def test_07_secrets_that_rotate_together_make_one_deployment(self) -> None:
        outputs = ("DatabaseSecretArn", "CacheSecretArn", "SmtpSecretArn", "BouncesSecretArn")
        secrets, seconds = [self.secret(one) for one in outputs], 10
        self.settle_within(str(seconds))
        with self.tasks_sign_in():
            for _ in range(TRIES):
                self.begun.forget()
                firsts, began = [secret.value()[0] for secret in secrets], time.monotonic()
                for secret, second in [(secret, secret.begin()) for secret in secrets]:
                    secret.until_labelled(second, "AWSCURRENT")
                were_together = time.monotonic() - began < seconds
                self.rolled_out()
                for secret, first in zip(secrets, firsts, strict=True):
                    self.retired(secret, first)
                # Else the machine was too busy for them to be rotated together.
                if were_together:
                    break
        self.assertEqual((self.begun.heard(), were_together), (self.services(), True))

    def settle_within(self, seconds: str) -> None:
        """What rotates within so many seconds is rolled out together: four functions that start at once need a few here."""
        function = self.module("Rollout").physical_id("RotationRolloutFunction")
        variables = client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        changed = {"Variables": {**variables, "SETTLE_SECONDS": seconds}}
        client("lambda").update_function_configuration(FunctionName=function, Environment=changed)

    def test_08_no_secret_was_told_to_anybody(self) -> None:
        self.assertEqual(secrecy.leaks(self.seen, secrecy.places()), [])
        # What is looked for is everything that was ever good: a rotation of the database in test 2, two in 6, one in 7, or more.
        name = client("secretsmanager").describe_secret(SecretId=self.secret("DatabaseSecretArn").secret)["Name"]
        passwords = {text for one, text in self.seen.items() if one.startswith(f"password in {name} ")}
        self.assertGreaterEqual(len(passwords), 5)
        # And it would be found, also in the one word of base64 that signs in to a mail server.
        for user in ("", "a", "ab", "abc"):
            word = base64.b64encode(f"\0{user}\0{min(passwords)}".encode()).decode()
            self.assertEqual(secrecy.leaks({"it": min(passwords)}, [("a log", f"AUTH PLAIN {word}")]), ["it in a log"])


if __name__ == "__main__":
    unittest.main()
