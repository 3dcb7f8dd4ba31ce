"""IAM is enforced: with one action fewer in a function's role the deployment fails, says which one, and leaves nothing."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import databases
from fixtures import Database, SesDomain, faulty_template
from stacks import Stack
from world import module, world
from zones import Zone, identities

# Allowed to everybody anyway: what stands in the place of the action that is taken away.
HARMLESS = "sts:GetCallerIdentity"


@dataclass(frozen=True)
class Denied:
    """An action that the role of ses-domain lacks, and on what."""

    action: str
    thing: str

    @property
    def label(self) -> str:
        """A name for everything that belongs to it."""
        return self.action.split(":")[1].lower()

    @property
    def domain(self) -> str:
        """Each has a domain of its own."""
        return f"{self.label}.example"


# Not route53:GetChange: a denial is tried again, for a new role may be denied at first; then the records stand already.
DENIED = (
    Denied("ses:GetAccount", "the account"),
    Denied("ses:CreateEmailIdentity", "{domain}"),
    Denied("ses:PutEmailIdentityMailFromAttributes", "{domain}"),
    Denied("ses:TagResource", "{domain}"),
    Denied("route53:ChangeResourceRecordSets", "hosted zone {zone}"),
)


class AFunctionMayDoWhatItsRoleAllows(unittest.TestCase):
    """A stack an action, side by side; each has a zone of its own."""

    maxDiff = None

    def test_a_domain_is_not_made_the_reason_names_the_action_and_the_zone_is_as_before(self) -> None:
        with ThreadPoolExecutor(len(DENIED)) as pool:
            list(pool.map(self.check_domain, DENIED))

    def check_domain(self, denied: Denied) -> None:
        """Deploy without the action."""
        zone = Zone(denied.domain)
        before = zone.bytes()
        stack = SesDomain(f"without-{denied.label}", without(module("Ses"), denied.action))
        status = stack.create(Domain=denied.domain, HostedZoneId=zone.id, WaitSeconds="60")
        self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("SesDomain", "CREATE_FAILED")
        thing = denied.thing.format(domain=denied.domain, zone=zone.id)
        self.assertIn(f"{denied.action} for {thing}", reason)
        self.assertIn(f"is not authorized to perform: {denied.action} ", reason)
        self.assertIn(f"allow {denied.action} on it to the function's role", reason)
        self.assertEqual(zone.bytes(), before, stack.story())
        self.assertNotIn(denied.domain, identities())

    def test_a_secret_that_may_not_be_read_is_named_and_nothing_is_made_in_the_database(self) -> None:
        [server, *_] = world().mysql
        stack = Database("unread", server, without(module("Database/DatabaseInit"), "secretsmanager:GetSecretValue"))
        self.assertEqual(stack.create(), "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("Database", "CREATE_FAILED")
        self.assertIn("secretsmanager:GetSecretValue", reason)
        self.assertIn(stack.master, reason)
        schemas = databases.rows(server, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        self.assertNotIn(("unread",), schemas)

    def test_a_function_that_may_not_invoke_itself_says_so_instead_of_continuing(self) -> None:
        template, parameters = faulty_template()
        fewer = template.replace("[!GetAtt Function.Arn, !Ref FailureResponderArn]", "!Ref FailureResponderArn")
        self.assertNotEqual(fewer, template)
        stack = Stack("alone", fewer)
        self.assertEqual(stack.create(**parameters, Mode="continue", Seconds="3"), "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("Thing", "CREATE_FAILED")
        self.assertIn("Custom::Faulty needs more time, but its function could not invoke itself (AccessDenied", reason)
        self.assertIn("its role needs lambda:InvokeFunction on `arn:aws:lambda:", reason)


def without(template: str, action: str) -> str:
    """A packaged template with one action fewer in its policies."""
    fewer, found = re.subn(rf"(Action: |- ){re.escape(action)}\n", rf"\1{HARMLESS}\n", template)
    assert found, f"no policy of the template allows {action}"
    return fewer
