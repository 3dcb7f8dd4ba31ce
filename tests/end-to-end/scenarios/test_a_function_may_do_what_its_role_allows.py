"""IAM is enforced: with one action fewer in a function's role the deployment fails, says which one, and leaves nothing."""

import unittest
from concurrent.futures import ThreadPoolExecutor

from fixtures import SesDomain
from world import module
from zones import Zone, identities

# An action of the role, and what the operator reads when it is missing.
MISSING = {
    "ses:CreateEmailIdentity": "",
    "ses:PutEmailIdentityMailFromAttributes": "",
    "route53:ChangeResourceRecordSets": "",
    "ses:GetAccount": "",
}


class AFunctionMayDoWhatItsRoleAllows(unittest.TestCase):
    """A stack an action, side by side; each has a zone of its own."""

    maxDiff = None

    def test_an_action_that_the_role_lacks_is_named_and_the_zone_is_left_as_it_was(self) -> None:
        with ThreadPoolExecutor(len(MISSING)) as pool:
            for found in pool.map(deploy_without, MISSING):
                with self.subTest(found.action):
                    self.assertEqual(found.status, "ROLLBACK_COMPLETE", found.stack.story())
                    self.assertIn(MISSING[found.action], found.stack.reason("SesDomain", "CREATE_FAILED"))
                    print(found.stack.reason("SesDomain", "CREATE_FAILED"))
                    self.assertEqual(found.after, found.before, found.stack.story())
                    self.assertNotIn(found.domain, identities())


class Found:
    pass


def deploy_without(action: str) -> Found:
    found = Found()
    found.action = action
    name = action.split(":")[1].lower()
    found.domain = f"{name}.example"
    zone = Zone(found.domain)
    found.before = zone.bytes()
    found.stack = SesDomain(f"without-{name}", without(module("Ses"), action))
    found.status = found.stack.create(Domain=found.domain, HostedZoneId=zone.id, WaitSeconds="60")
    found.after = zone.bytes()
    return found


def without(template: str, action: str) -> str:
    fewer = template.replace(f"- {action}\n", f"- {action.split(':')[0]}:ListTagsForResource\n").replace(f"Action: {action}\n", "Action: ses:ListTagsForResource\n")
    assert fewer != template, f"the template allows no {action}"
    return fewer
