"""An update goes well for the domain and for the database, then fails at a resource after them: A to B, and back to A."""

import unittest
from typing import Any

import databases
from fixtures import Database, SesDomain, faulty_template
from stacks import Stack
from world import client, module, once, world
from zones import Zone, identities

DOMAIN = "back.example"
LATER = """
  Later:
    DependsOn: {before}
    Type: Custom::Faulty
    Properties:
      ServiceToken: {function}
      ServiceTimeout: 60
      Name: later
      Mode: {mode}
"""


@once
def function() -> str:
    """A function that succeeds or fails as it is told."""
    template, parameters = faulty_template()
    stack = Stack("later", template)
    assert stack.create(**parameters) == "CREATE_COMPLETE", stack.story()
    name = stack.physical_id("Function")
    return client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]


def followed(template: str, before: str, mode: str) -> str:
    """The module's text with a resource after its last custom resource."""
    assert "\nOutputs:\n" in template
    later = LATER.format(before=before, function=function(), mode=mode)
    return template.replace("\nOutputs:\n", f"{later}\nOutputs:\n")


class AnUpdateUndoneLate(unittest.TestCase):
    """The modules as stacks of their own, with one more resource."""

    maxDiff = None

    def fail_late(self, stack: Stack, original: str, before: str, **changes: str) -> None:
        """Update with the changes, and with a failure after `before` has taken them."""
        stack.template = followed(original, before, "fail")
        self.assertEqual(stack.update(**changes), "UPDATE_ROLLBACK_COMPLETE", stack.story())
        self.assertIn("`later` was told to fail", stack.reason("Later", "UPDATE_FAILED"))
        statuses = [one["ResourceStatus"] for one in stack.events() if one["LogicalResourceId"] == before]
        self.assertGreater(
            statuses.count("UPDATE_COMPLETE"), 1, f"{before} did not go there and back:\n{stack.story()}"
        )


class AnUpdateOfADomainUndoneLate(AnUpdateUndoneLate):
    """Custom::SesDomain."""

    def test_leaves_its_records_and_its_identity_as_they_were(self) -> None:
        zone, original = Zone(DOMAIN), module("Ses")
        untouched = zone.bytes()
        stack = SesDomain("back-domain", followed(original, "SesDomain", "succeed"))
        settings = {"Domain": DOMAIN, "HostedZoneId": zone.id, "WaitSeconds": "60"}
        self.assertEqual(stack.create(**settings), "CREATE_COMPLETE", stack.story())
        before, identity = zone.lines(), self.identity()
        changes = {"DmarcPolicy": "reject", "MailFromSubdomain": "other"}
        self.fail_late(stack, original, "SesDomain", **settings, **changes)
        # What an update wrote at a new name stays, and does no harm there, until the stack is deleted.
        kept = [line for line in zone.lines() if line.startswith(f"other.{DOMAIN}. ")]
        self.assertEqual(len(kept), 2, kept)
        self.assertEqual([line for line in zone.lines() if line not in kept], before)
        self.assertEqual(self.identity(), identity)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(zone.bytes().decode(), untouched.decode())
        self.assertNotIn(DOMAIN, identities())

    def identity(self) -> dict[str, Any]:
        """What SES knows of it, but for the marks of what was written."""
        answer = client("sesv2").get_email_identity(EmailIdentity=DOMAIN)
        return {name: value for name, value in answer.items() if name not in ("Tags", "ResponseMetadata")}


class AnUpdateOfADatabaseUndoneLate(AnUpdateUndoneLate):
    """Custom::Database and Custom::DatabaseUser, moved to another schema and back."""

    def test_leaves_the_schema_its_data_and_the_users_rights_as_they_were(self) -> None:
        for number, server in enumerate(world().mysql):
            with self.subTest(server["version"]):
                self.check(f"back{number}", server)

    def check(self, name: str, server: dict[str, Any]) -> None:
        """A schema and a user of this name."""
        stack = Database(name, server)
        original = stack.template
        stack.template = followed(original, "DatabaseUser", "succeed")
        self.assertEqual(stack.create(), "CREATE_COMPLETE", stack.story())
        self.sign_in(stack, "CREATE TABLE contacts SELECT 'Ada' AS name")
        before = self.picture(server, name)
        # The schema's name stands in the secret: each way makes a new password.
        self.fail_late(stack, original, "DatabaseUser", DatabaseName=f"{name}b")
        self.assertEqual(self.picture(server, name), before, stack.story())
        self.assertEqual(self.sign_in(stack, "SELECT name FROM contacts"), [("Ada",)])

    def picture(self, server: dict[str, Any], name: str) -> dict[str, Any]:
        """The schema and the user, but for the password and the marks."""
        seen = databases.picture(server, name, name)
        return {part: value for part, value in seen.items() if part != "account"}

    def sign_in(self, stack: Database, statement: str) -> list[tuple[Any, ...]]:
        """What the stack's user gets for a statement."""
        secret = databases.secret(stack.physical_id("ApplicationSecret"))
        with databases.connected(stack.server, secret["username"], secret["password"], secret["dbname"]) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
