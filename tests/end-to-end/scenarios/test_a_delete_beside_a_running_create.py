"""A stack is deleted while its custom resource is still waiting: both end at once, and nothing is left behind.

The domain's records go to the zone of the parent domain, while the domain has a public zone of its own: as with a missing
delegation, the world never sees them, and the Create waits for a verification that does not come.
"""

import unittest

from fixtures import SesDomain, lines, log_group
from world import wait_until
from zones import Zone, dkim_tokens, identities

PARENT = "cancelled.example"
DOMAIN = f"news.{PARENT}"


class ADeleteBesideARunningCreate(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def test_both_end_within_seconds_and_the_zone_is_as_it_was(self) -> None:
        zone, shadow = Zone(PARENT), Zone(DOMAIN, seeded=False)
        before = zone.bytes(), shadow.bytes()
        stack = SesDomain("cancelled")
        stack.begin(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="600")
        wait_until("the domain's identity", lambda: DOMAIN in identities() or self.ended(stack))
        tokens = dkim_tokens(DOMAIN)
        wait_until("the domain's records", lambda: all(one in zone.bytes().decode() for one in tokens))
        group = log_group(stack, "SesDomainFunction")
        self.assertEqual(stack.described()["StackStatus"], "CREATE_IN_PROGRESS", stack.story())

        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual((zone.bytes(), shadow.bytes()), before)
        self.assertNotIn(DOMAIN, identities())
        self.assertLess(stack.took("SesDomain", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"), 20, stack.story())
        self.assertIn("Resource creation cancelled", stack.story())

    def ended(self, stack: SesDomain) -> bool:
        status = stack.described()["StackStatus"]
        if status != "CREATE_IN_PROGRESS":
            self.fail(f"{status} before the domain existed:\n{stack.story()}")
        return False
