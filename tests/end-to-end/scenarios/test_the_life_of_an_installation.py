"""The root template, deployed as an operator deploys it, with a zone and a real database that had a life before.

Created, deployed again unchanged, updated, updated into a failure, deleted, and made again: each test goes on from what the one
before it left, so that the first failure ends the story.
"""

import unittest
from typing import Any

import databases
import driver
import pymysql
import secrecy
from fixtures import invocations, log_group
from local_aws.cache.session import Refused, Session
from stacks import Stack
from world import STATE, client
from zones import Zone, dkim_tokens, identities, proof_of

NAME = "life"
DOMAIN = "life.example"
SITE = f"mautic.{DOMAIN}"
USER = SCHEMA = "mautic"
SETTINGS = {"Application": NAME, "Environment": "dev", "Domain": DOMAIN, "ApexSpf": "true", "WaitSeconds": "60"}
RIGHTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES"
QUARANTINE = f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN};"
FORBIDDEN = ("CREATE DATABASE other", "SELECT * FROM mysql.user", "GRANT SELECT ON mautic.* TO mautic")
APEX = f'{DOMAIN}. 3600 TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.{DOMAIN} '


class TheLifeOfAnInstallation(unittest.TestCase):
    """One stack, from its first day to its second life."""

    maxDiff = None
    zone: Zone
    before: list[str]
    proof: str
    stack: Stack
    settings: dict[str, str]
    printed: list[str]
    endpoint: str
    first_owner: str
    key: tuple[str, dict[str, str]]
    broken = ""

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(databases.take("8.4"))
        cls.zone, cls.stack, cls.settings, cls.printed = Zone(DOMAIN), Stack(NAME), dict(SETTINGS), []
        cls.before = cls.zone.lines()

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Skip what cannot go well any more."""
        if self.broken:
            setattr(self, self._testMethodName, lambda: self.skipTest(f"{self.broken} did not go well"))
        known = len(result.failures) + len(result.errors)
        answer = super().run(result)
        if len(result.failures) + len(result.errors) > known:
            type(self).broken = self._testMethodName
        return answer

    def deploy(self, code: int = 0, **changes: str) -> str:
        """Deploy with some settings changed; what the driver printed."""
        done = driver.deploy(NAME, **{**self.settings, **changes})
        self.printed.append(done.stdout + done.stderr)
        self.assertEqual(done.returncode, code, self.printed[-1])
        self.stack.adopt()
        return self.printed[-1]

    def picture(self) -> dict[str, Any]:
        """The schema and its user, as the administrator sees them."""
        return databases.picture(databases.server_of(f"{NAME}-dev-1"), SCHEMA, USER)

    def sign_in(self, tls: bool = True) -> Any:
        """A session as Mautic has it, with the secret that the stack made."""
        secret = databases.secret(self.stack.outputs()["DatabaseSecretArn"])
        server = databases.server_of(f"{NAME}-dev-1")
        return databases.connected(server, secret["username"], secret["password"], secret["dbname"], tls)

    def mautic_key(self) -> tuple[str, dict[str, str]]:
        """The secret with Mautic's key, and what it holds: another one could read nothing that the database keeps."""
        secret = self.stack.nested("MauticService").nested("Base").outputs()["ApplicationSecretArn"]
        return secret, databases.secret(secret)

    def functions(self) -> dict[str, int]:
        """How often each function of the installation was invoked."""
        found = {
            "database-init": log_group(self.stack.nested("Database").nested("DatabaseInit"), "DatabaseInitFunction"),
            "ses-domain": log_group(self.stack.nested("Ses"), "SesDomainFunction"),
            "failure-responder": log_group(self.stack.nested("Foundation"), "FailureResponderFunction"),
        }
        return {name: invocations(group) for name, group in found.items()}

    def expected(self, dmarc: str, *mail_from: str) -> list[str]:
        """The zone as it was, with exactly the records that the domain needs."""
        plain = [line for line in self.before if not line.startswith(APEX)]
        tokens = dkim_tokens(DOMAIN)
        balancer = self.stack.nested("LoadBalancer").outputs()["LoadBalancerDnsName"]
        return sorted([
            *plain,
            self.proof,
            f"{SITE}. ALIAS A {balancer}.",
            f'{APEX}" "include:amazonses.com -all"',
            *(f"{one}._domainkey.{DOMAIN}. 300 CNAME {one}.dkim.amazonses.com" for one in tokens),
            *(f"{one}.{DOMAIN}. 300 MX 10 feedback-smtp.eu-central-1.amazonses.com" for one in mail_from),
            *(f'{one}.{DOMAIN}. 300 TXT "v=spf1 include:amazonses.com ~all"' for one in mail_from),
            f'_dmarc.{DOMAIN}. 300 TXT "{dmarc}"',
        ])  # fmt: skip

    def assert_zone_is_as_before(self) -> None:
        """CloudFormation never takes a certificate's proof away again: other certificates of the name may need it."""
        self.assertEqual(sorted(self.zone.lines()), sorted([*self.before, self.proof]), self.stack.story())

    def test_01_a_create_adds_exactly_its_records_to_the_zone(self) -> None:
        printed = self.deploy()
        type(self).proof = proof_of(SITE)
        self.assertEqual(sorted(self.zone.lines()), self.expected("v=DMARC1; p=none;", "mail"), printed)
        outputs = self.stack.outputs()
        self.assertEqual((outputs["SiteUrl"], outputs["SiteDnsRecord"]), (f"https://{SITE}", ""))
        self.assertEqual((outputs["SendingDomain"], outputs["SendingDomainStatus"]), (DOMAIN, "VERIFIED"))
        type(self).key = self.mautic_key()
        self.assertRegex(self.key[1]["secret_key"], "^[0-9a-f]{64}$")

    def test_02_the_schema_and_its_user_are_as_asked_for_and_the_user_may_no_more(self) -> None:
        picture = self.picture()
        self.assertEqual(picture["schema"], [("def", SCHEMA, "utf8mb4", "utf8mb4_unicode_ci", None, "NO")])
        on_the_schema = f"GRANT {RIGHTS} ON `{SCHEMA}`.* TO `{USER}`@`%`"
        self.assertEqual(picture["grants"], [f"GRANT USAGE ON *.* TO `{USER}`@`%`", on_the_schema])
        [(ssl_type, plugin, *_)] = picture["account"]
        self.assertEqual((ssl_type, plugin), ("ANY", "caching_sha2_password"))
        with self.sign_in() as cursor:
            cursor.execute("CREATE TABLE contacts (name VARCHAR(50) PRIMARY KEY)")
            cursor.execute("INSERT INTO contacts VALUES ('Ada 🌻')")
            for forbidden in FORBIDDEN:
                with self.assertRaises(pymysql.Error, msg=forbidden):
                    cursor.execute(forbidden)
        with self.assertRaises(pymysql.OperationalError, msg="a connection without TLS"), self.sign_in(tls=False):
            pass

    def test_02_the_cache_knows_mautic_and_nobody_else(self) -> None:
        outputs = self.stack.outputs()
        secret = databases.secret(outputs["CacheSecretArn"])
        port = int(outputs["CacheEndpoint"].rsplit(":", 1)[1])
        with Session(port, STATE.directory / "cache" / "certificates" / "ca.pem") as session:
            for refused in (("PING",), ("AUTH", "default", secret["password"]), ("AUTH", secret["username"], "wrong")):
                with self.assertRaisesRegex(Refused, "^(NOAUTH|WRONGPASS)"):
                    session(*refused)
            self.assertEqual(session("AUTH", secret["username"], secret["password"]), "OK")
            self.assertEqual(session("SET", "session", "a visitor's", "EX", "60"), "OK")
            # What Symfony's adapter asks for before it trusts the cache with tags.
            self.assertIn("maxmemory_policy:volatile-lru", session("INFO", "memory"))
            for forbidden in ("FLUSHALL", "KEYS *", "CONFIG GET *"):
                with self.assertRaisesRegex(Refused, "^NOPERM"):
                    session(*forbidden.split(" "))

    def test_03_a_deployment_without_changes_says_so_and_invokes_nothing(self) -> None:
        before = self.zone.bytes(), self.picture(), self.functions(), len(self.stack.events())
        self.assertIn(f"Nothing to deploy: the stack {NAME} is up to date.", self.deploy())
        self.assertEqual((self.zone.bytes(), self.picture(), self.functions(), len(self.stack.events())), before)

    def test_04_changed_settings_of_the_domain_arrive_in_the_zone(self) -> None:
        changes = {"DmarcPolicy": "quarantine", "DmarcReportAddress": f"dmarc@{DOMAIN}", "MailFromSubdomain": "bounces"}
        self.settings.update(changes)
        printed = self.deploy()
        # The old MAIL FROM stays until the delete: mail that is on its way still bounces to it, and a rollback finds it.
        self.assertEqual(sorted(self.zone.lines()), self.expected(QUARANTINE, "mail", "bounces"), printed)
        attributes = client("sesv2").get_email_identity(EmailIdentity=DOMAIN)["MailFromAttributes"]
        self.assertEqual(attributes["MailFromDomain"], f"bounces.{DOMAIN}")
        self.assertEqual(attributes["MailFromDomainStatus"], "SUCCESS")
        self.assertEqual(self.mautic_key(), self.key)

    def test_05_a_failed_update_leaves_domain_and_database_as_they_were_and_tells_why(self) -> None:
        taken = f"taken.{DOMAIN}"
        self.zone.change("CREATE", taken, "CNAME", "elsewhere.example")
        before, invoked = (self.zone.bytes(), self.picture()), self.functions()
        printed = self.deploy(code=1, MailFromSubdomain="taken", Reconcile="once")
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE", self.stack.story())
        self.assertEqual((self.zone.bytes(), self.picture()), before, self.stack.story())
        self.assertIn(
            "Ses / SesDomain (Custom::SesDomain) UPDATE_FAILED Received response status [FAILED] from custom resource. "
            f"Message returned: {taken} has the CNAME record elsewhere.example in zone {self.zone.id}, which keeps MX 10 "
            "feedback-smtp.eu-central-1.amazonses.com from being created; remove it, or choose another "
            "MailFromSubdomain: SES needs a name of its own for MAIL FROM. See log group ",
            root_cause(printed),
        )
        now = self.functions()
        # Schema and user went there and back.
        self.assertEqual(now["database-init"], invoked["database-init"] + 4, self.stack.story())
        self.assertEqual(now["failure-responder"], 0)
        with self.sign_in() as cursor:
            cursor.execute("SELECT name FROM contacts")
            self.assertEqual(list(cursor.fetchall()), [("Ada 🌻",)])
        self.assertEqual(self.mautic_key(), self.key)
        self.zone.change("DELETE", taken, "CNAME", "elsewhere.example")

    def test_06_no_secret_is_to_be_seen_anywhere(self) -> None:
        places = [*secrecy.places(), *((f"output {n} of the driver", text) for n, text in enumerate(self.printed, 1))]
        known = secrecy.secrets()
        self.assertEqual(secrecy.leaks(known, places), [])
        self.assertIn(databases.secret(self.stack.outputs()["DatabaseSecretArn"])["password"], known.values())
        # What is looked through is really there: each function's lines, the events, the driver's words.
        seen = {place for place, text in places if '"answered"' in text or "CREATE_COMPLETE" in text}
        self.assertGreater(len(seen), 8, seen)

    def test_07_a_delete_leaves_the_data_with_their_key_and_the_zone_but_for_the_certificates_proof(
        self,
    ) -> None:
        server, before = databases.server_of(f"{NAME}-dev-1"), self.picture()
        type(self).endpoint = self.stack.outputs()["DatabaseEndpoint"]
        type(self).first_owner = self.stack.nested("Database").nested("DatabaseInit").id
        done = driver.delete(self.stack)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.stack.described()["StackStatus"], "DELETE_COMPLETE", self.stack.story())
        self.assert_zone_is_as_before()
        self.assertNotIn(DOMAIN, identities())
        self.assertEqual(databases.picture(server, SCHEMA, USER), before)
        self.assertEqual(databases.rows(server, "SELECT name FROM mautic.contacts"), [("Ada 🌻",)])
        secret, content = self.key
        self.assertEqual(databases.secret(secret), content)

    def test_08_a_new_stack_does_not_take_the_old_ones_schema_without_being_told(self) -> None:
        printed = self.deploy(code=1)
        self.assertEqual(self.stack.described()["StackStatus"], "ROLLBACK_COMPLETE", self.stack.story())
        self.assertIn(
            "Database / DatabaseInit / Database (Custom::Database) CREATE_FAILED Received response status [FAILED] from custom "
            f"resource. Message returned: the schema `{SCHEMA}` on {self.endpoint} belongs to the resource Database of "
            f"stack {self.first_owner}; choose another name, or set AdoptExisting to true to take it away from there. ",
            root_cause(printed),
        )
        self.assert_zone_is_as_before()
        self.assertEqual(driver.delete(self.stack).returncode, 0)

    def test_09_started_from_the_snapshot_it_adopts_them_and_all_data_are_there(self) -> None:
        snapshots = client("rds").describe_db_snapshots(DBInstanceIdentifier=f"{NAME}-dev-1")["DBSnapshots"]
        self.deploy(DatabaseSnapshot=snapshots[-1]["DBSnapshotIdentifier"])
        with self.sign_in() as cursor:
            cursor.execute("SELECT name FROM contacts")
            self.assertEqual(list(cursor.fetchall()), [("Ada 🌻",)])
        self.assertEqual(sorted(self.zone.lines()), self.expected(QUARANTINE, "bounces"))


def root_cause(printed: str) -> str:
    """What the driver calls the root cause, on one line."""
    return " ".join(printed.partition("Root cause: ")[2].split())
