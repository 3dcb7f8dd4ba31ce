"""The root template with each environment's own parameter file: created, updated in every module, and deleted."""

import json
import unittest

import databases
from stacks import Stack
from world import ARCHITECTURE, ROOT, client, root
from zones import Zone, proof_of

FILES = sorted((ROOT / "cloudformation" / "environments").glob("*.json"))
# Where the file leaves a blank for the operator.
OPERATOR = {"AlarmEmail": "alarms@example.org"}
# The other release than that of the longest story, which holds the server of its own meanwhile.
RELEASE = {"MauticVersion": "6.0", "DatabaseVersion": "8.0"}


class EveryEnvironmentComesAndGoes(unittest.TestCase):
    """A stack an environment, one after the other: they share a database server."""

    maxDiff = None

    def setUp(self) -> None:
        self.addCleanup(databases.take(RELEASE["DatabaseVersion"]))

    def test_it_is_created_updated_and_deleted_and_the_zone_is_as_before(self) -> None:
        self.assertGreaterEqual(len(FILES), 4)
        for path in FILES:
            with self.subTest(environment=path.stem):
                self.check(path.stem, json.loads(path.read_text())["Parameters"])

    def check(self, name: str, given: dict[str, str]) -> None:
        domain = f"{name}.environments.example"
        zone = Zone(domain)
        before = zone.lines()
        settings = {
            **OPERATOR,
            **given,
            **RELEASE,
            "Application": f"as-{name}",
            "Domain": domain,
            "HostedZoneId": zone.id,
        }
        settings |= {"FunctionArchitecture": ARCHITECTURE, "WaitSeconds": "60", "DmarcReportAddress": ""}
        stack = Stack(f"as-{name}", root())
        self.assertEqual(stack.create(**settings), "CREATE_COMPLETE", stack.story())
        instance = f"as-{name}-{given['Environment']}-1"
        self.addCleanup(databases.forget, databases.server_of(instance), "mautic", "mautic")
        proof = proof_of(f"mautic.{domain}")
        self.assertEqual(stack.outputs()["SiteUrl"], f"https://mautic.{domain}")
        self.assertEqual(stack.outputs()["SendingDomainStatus"], "VERIFIED")

        changed = {**settings, "LogRetentionDays": "60", "Reconcile": "once"}
        self.assertEqual(stack.update(**changed), "UPDATE_COMPLETE", stack.story())

        # What an operator has to do first, where it is protected.
        client("rds").modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(sorted(zone.lines()), sorted([*before, proof]))
        databases.forget(databases.server_for(RELEASE["DatabaseVersion"]), "mautic", "mautic")
