"""A stack is deleted while its custom resource is still waiting: both end at once, and nothing is left behind.

The domain's records go to the zone of the parent domain, while the domain has a public zone of its own: as with a missing
delegation, the world never sees them, and the Create waits for a verification that does not come.
"""

import json
import unittest

from fixtures import SesDomain, keeping, lines, log_group
from world import module, wait_until
from zones import Zone, dkim_tokens, identities

PARENT = "cancelled.example"
DOMAIN = f"news.{PARENT}"
# The function outlives the stack here: its log tells how the Create ended.
FUNCTION = ("SesDomainFunction", "SesDomainRole", "SesDomainPolicy", "SesDomainLogGroup")


class ADeleteBesideARunningCreate(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def test_both_end_within_seconds_and_the_zone_is_as_it_was(self) -> None:
        zone, shadow = Zone(PARENT), Zone(DOMAIN, seeded=False)
        before = zone.bytes(), shadow.bytes()
        stack = SesDomain("cancelled", keeping(module("Ses"), *FUNCTION))
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
        self.assertEqual(stack.reason("SesDomain", "CREATE_FAILED"), "Resource creation cancelled")
        answers = wait_until(
            "the end of both",
            lambda: found if len(found := answered(group)) == 2 else None,
            lambda: "\n".join([stack.story(), *lines(group)]),
        )
        self.assertEqual(answers, {"Create": "FAILED", "Delete": "SUCCESS"}, "\n".join(lines(group)))
        self.assertEqual((zone.bytes(), shadow.bytes()), before)

    def ended(self, stack: SesDomain) -> bool:
        status = stack.described()["StackStatus"]
        if status != "CREATE_IN_PROGRESS":
            self.fail(f"{status} before the domain existed:\n{stack.story()}")
        return False


def answered(group: str) -> dict[str, str]:
    """How each request ended, by what its function logged."""
    entries = [json.loads(line) for line in lines(group)]
    return {
        entry["spans"][0]["request_type"]: entry["outcome"] for entry in entries if entry.get("message") == "answered"
    }
