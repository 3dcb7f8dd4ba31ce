"""The root template in a VPC that was there before, for a domain whose DNS is nobody's business but the customer's.

No zone is written and no network is made; what is to be made by hand comes back complete: made so, everything verifies.
"""

import shlex
import unittest
from typing import Any

import databases
import driver
from stacks import Stack
from world import REGION, client
from zones import Zone, dkim_tokens, identities

NAME = "guest"
DOMAIN = "guest.example"
SITE = f"marketing.{DOMAIN}"
DMARC = f"v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN};"
# What only exists where a network is made.
OF_A_NETWORK = (
    ("vpcs", "Vpcs", "VpcId"),
    ("subnets", "Subnets", "SubnetId"),
    ("route_tables", "RouteTables", "RouteTableId"),
    ("internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("nat_gateways", "NatGateways", "NatGatewayId"),
    ("addresses", "Addresses", "AllocationId"),
)


class ANetworkAndADnsOfTheCustomersOwn(unittest.TestCase):
    """One stack."""

    maxDiff = None

    def setUp(self) -> None:
        self.addCleanup(databases.take("8.0"))
        self.ec2 = client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        self.subnets = {
            kind: [self.subnet(10 * row + column, zone) for column, zone in enumerate("ab")]
            for row, kind in enumerate(("public", "private", "isolated"))
        }
        self.settings = {
            "Application": NAME,
            "Environment": "dev",
            "Domain": DOMAIN,
            "ExternalDns": "true",
            "DmarcPolicy": "reject",
            "DmarcReportAddress": f"dmarc@{DOMAIN}",
            "SiteDomain": SITE,
            "CertificateArn": client("acm").request_certificate(DomainName=SITE)["CertificateArn"],
            "VpcId": self.vpc,
            # The other release has the other server, where there are two: nobody waits for the longer story of the first.
            "MauticVersion": "6.0",
            "DatabaseVersion": "8.0",
            "AdoptExistingDatabase": "true",
            **{f"{kind.title()}SubnetIds": ",".join(ids) for kind, ids in self.subnets.items()},
        }

    def subnet(self, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=REGION + zone)
        return made["Subnet"]["SubnetId"]

    def network(self) -> dict[str, set[str]]:
        """Everything in the customer's VPC that a network consists of."""
        found = {}
        for name, key, identity in OF_A_NETWORK:
            described = getattr(self.ec2, f"describe_{name}")()[key]
            found[name] = {one[identity] for one in described if self.vpc in str(one)}
        return found

    def deploy(self, **changes: str) -> Stack:
        done = driver.deploy(NAME, **{**self.settings, **changes})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return Stack(NAME).adopt()

    def test_no_zone_and_no_network_is_touched_and_what_is_asked_for_is_complete(self) -> None:
        zone, network = Zone(DOMAIN), self.network()
        before = zone.bytes()
        stack = self.deploy()
        server = databases.server_of(f"{NAME}-dev-1")
        self.addCleanup(databases.forget, server, "mautic", "mautic")
        self.assertEqual(zone.bytes(), before, stack.story())
        self.assertEqual(self.network(), network)
        self.assert_all_is_in_the_given_network(stack)
        outputs = stack.outputs()
        self.assertEqual(outputs["SendingDomainStatus"], "PENDING")
        self.assertEqual(outputs["DnsRecords"].splitlines(), self.zone_file())
        [balancer] = self.balancers()
        self.assertEqual(outputs["SiteDnsRecord"], f"{SITE}. 300 IN CNAME {balancer['DNSName']}.")

        self.make_by_hand(zone, outputs["DnsRecords"])
        stack = self.deploy(Reconcile="once")
        self.assertEqual(stack.outputs()["SendingDomainStatus"], "VERIFIED", zone.lines())

        by_hand = zone.bytes()
        self.assertEqual(driver.delete(stack).returncode, 0, stack.story())
        self.assertEqual((zone.bytes(), self.network()), (by_hand, network))
        self.assertNotIn(DOMAIN, identities())

    def balancers(self) -> list[dict[str, Any]]:
        mine = {one for one in self.subnets["public"]}
        found = client("elbv2").describe_load_balancers()["LoadBalancers"]
        return [one for one in found if {zone["SubnetId"] for zone in one["AvailabilityZones"]} == mine]

    def assert_all_is_in_the_given_network(self, stack: Stack) -> None:
        self.assertEqual(len(self.balancers()), 1)
        made = [event["ResourceType"] for one in stack.tree() for event in one.events()]
        self.assertNotIn("AWS::EC2::VPC", made)
        self.assertNotIn("AWS::EC2::Subnet", made)
        name = stack.nested("Database").nested("DatabaseInit").physical_id("DatabaseInitFunction")
        function = client("lambda").get_function_configuration(FunctionName=name)
        self.assertEqual(sorted(function["VpcConfig"]["SubnetIds"]), sorted(self.subnets["private"]))
        [instance] = client("rds").describe_db_instances(DBInstanceIdentifier=f"{NAME}-dev-1")["DBInstances"]
        of_the_database = [one["SubnetIdentifier"] for one in instance["DBSubnetGroup"]["Subnets"]]
        self.assertEqual(sorted(of_the_database), sorted(self.subnets["isolated"]))

    def zone_file(self) -> list[str]:
        """Each record that the domain needs, in the words of a zone file."""
        return [
            f"$ORIGIN {DOMAIN}.",
            "$TTL 300",
            *(f"{one}._domainkey IN CNAME {one}.dkim.amazonses.com." for one in dkim_tokens(DOMAIN)),
            f"mail IN MX 10 feedback-smtp.{REGION}.amazonses.com.",
            'mail IN TXT "v=spf1 include:amazonses.com ~all"',
            f'_dmarc IN TXT "{DMARC}"',
        ]

    def make_by_hand(self, zone: Zone, text: str) -> None:
        """What an operator does with the output: each line as a record of the zone."""
        for line in text.splitlines():
            if line.startswith(("$", ";")):
                continue
            name, _, kind, *value = shlex.split(line, posix=False)
            zone.change("CREATE", f"{name}.{DOMAIN}", kind, " ".join(value))
