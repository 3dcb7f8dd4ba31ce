"""An international domain, given in its xn-- form, goes the whole way; and what is in the way is told in the root's words."""

import unittest

from fixtures import SesDomain
from world import client
from zones import Zone, dkim_tokens, identities

DOMAIN = "xn--bcher-kva.example"
TAKEN = "taken.example"


class AnInternationalDomainIsOneByItsAsciiName(unittest.TestCase):
    """A stack for it, and one whose domain somebody has set up by hand."""

    maxDiff = None

    def test_identity_role_and_records_agree_on_the_name(self) -> None:
        zone = Zone(DOMAIN)
        before = zone.bytes()
        stack = SesDomain("international")
        status = stack.create(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="60", ApexSpf="true")
        self.assertEqual(status, "CREATE_COMPLETE", stack.story())
        outputs = stack.outputs()
        self.assertEqual((outputs["Domain"], outputs["Status"], outputs["HostedZoneId"]), (DOMAIN, "VERIFIED", zone.id))
        self.assertTrue(outputs["IdentityArn"].endswith(f":identity/{DOMAIN}"), outputs["IdentityArn"])
        for token in dkim_tokens(DOMAIN):
            self.assertIn(f"{token}._domainkey.{DOMAIN}", zone.bytes().decode())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(zone.bytes(), before)
        self.assertNotIn(DOMAIN, identities())

    def test_a_reason_names_the_parameter_that_the_operator_sets(self) -> None:
        zone = Zone(TAKEN)
        client("sesv2").create_email_identity(EmailIdentity=TAKEN)
        stack = SesDomain("taken")
        self.assertEqual(stack.create(Domain=TAKEN, HostedZoneId=zone.id), "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("SesDomain", "CREATE_FAILED")
        self.assertIn("set AdoptExisting to true to use it", reason)
        self.assertIn(" The stack's parameter for AdoptExisting is AdoptExistingDomain. See log group", reason)
        self.assertIn(TAKEN, identities())


if __name__ == "__main__":
    unittest.main()
