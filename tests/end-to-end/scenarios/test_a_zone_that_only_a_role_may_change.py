"""The domain's zone belongs to somebody else, who lends a role: the function assumes it, and has no right of its own there.

Here role and zone are in the same account as the stack. What another account adds, that the role's trust policy names a
stranger, is judged by the same code; that AWS finds the zone of the other account is not shown.
"""

import json
import unittest

from fixtures import SesDomain
from world import client
from zones import Zone, dkim_tokens, identities

DOMAIN = "lent.example"
ACTIONS = ["GetChange", "GetHostedZone", "ListHostedZones", "ListResourceRecordSets", "ChangeResourceRecordSets"]


class AZoneThatOnlyARoleMayChange(unittest.TestCase):
    """A stack with the role, and one whom the role does not trust."""

    maxDiff = None

    def role(self, name: str, trusted: str) -> str:
        """A role as the zone's owner makes it."""
        iam = client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        rights = {"Effect": "Allow", "Action": [f"route53:{action}" for action in ACTIONS], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_role_policy(RoleName=name, PolicyName="zone", PolicyDocument=policy)
        return arn

    def own_rights(self, stack: SesDomain) -> list[str]:
        """The actions that the function's own role allows."""
        iam, role = client("iam"), stack.physical_id("SesDomainRole")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        actions = [statement["Action"] for document in documents for statement in document["Statement"]]
        return [one for group in actions for one in ([group] if isinstance(group, str) else group)]

    def test_the_records_are_made_with_the_role_and_taken_away_with_it(self) -> None:
        zone = Zone(DOMAIN)
        before = zone.bytes()
        account = client("sts").get_caller_identity()["Account"]
        role = self.role("lends-its-zone", f"arn:aws:iam::{account}:root")
        stack = SesDomain("lent")
        status = stack.create(Domain=DOMAIN, HostedZoneRoleArn=role, WaitSeconds="60")
        self.assertEqual(status, "CREATE_COMPLETE", stack.story())
        rights = self.own_rights(stack)
        self.assertIn("sts:AssumeRole", rights)
        self.assertEqual([one for one in rights if one.startswith("route53:")], [])
        self.assertEqual((stack.outputs()["Status"], stack.outputs()["HostedZoneId"]), ("VERIFIED", zone.id))
        for token in dkim_tokens(DOMAIN):
            self.assertIn(f"{token}._domainkey.{DOMAIN}. 300 CNAME {token}.dkim.amazonses.com", zone.lines())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(zone.bytes(), before)

    def test_a_role_that_trusts_somebody_else_is_named_and_nothing_is_left(self) -> None:
        domain = "refused.example"
        zone = Zone(domain)
        before = zone.bytes()
        role = self.role("trusts-others", "arn:aws:iam::210987654321:root")
        stack = SesDomain("refused")
        status = stack.create(Domain=domain, HostedZoneRoleArn=role, WaitSeconds="60")
        self.assertEqual(status, "ROLLBACK_COMPLETE", stack.story())
        reason = stack.reason("SesDomain", "CREATE_FAILED")
        self.assertIn(role, reason)
        self.assertIn("sts:AssumeRole", reason)
        self.assertEqual(zone.bytes(), before)
        self.assertNotIn(domain, identities())
