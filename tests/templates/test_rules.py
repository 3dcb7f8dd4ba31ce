"""Prevents: parameters that contradict each other, accepted by CloudFormation and paid for half an hour later.

The text is what the operator reads, so it is asserted word for word: it says what to change.
"""

from __future__ import annotations

import unittest

from combinations import CERTIFICATE, EXISTING
from template_model import TEMPLATES, RuleRefused, deploy, load

MINIMAL = {"Environment": "dev", "Domain": "example.com"}
PRODUCTION = MINIMAL | {"Environment": "prod", "AlarmEmail": "alarms@example.com"}
REFUSED = {
    "ProductionIsWatched": (
        PRODUCTION | {"AlarmEmail": ""},
        "Production needs somebody to tell. Set AlarmEmail to an address that is read.",
    ),
    "ProductionSurvivesAZoneAndAMistake": (
        PRODUCTION | {"DatabaseMultiAZ": "false"},
        "Production's database has a standby. Leave DatabaseMultiAZ blank, or choose Environment test.",
    ),
    "ProductionSurvivesAZoneAndAMistake, the mistake": (
        PRODUCTION | {"DatabaseDeletionProtection": "false"},
        "Production's database is protected. Leave DatabaseDeletionProtection blank; before an installation is removed for "
        "good, run aws rds modify-db-instance --no-deletion-protection --db-instance-identifier NAME.",
    ),
    "ProductionSurvivesAZoneAndAMistake, the cache": (
        PRODUCTION | {"CacheReplicas": "0"},
        "Production's cache has a replica. Leave CacheReplicas blank, or choose Environment test.",
    ),
    "CacheClusterIsComplete": (
        MINIMAL | {"CacheClusterMode": "true", "CacheReplicas": "0"},
        "A cluster fails over by itself, to replicas. Leave CacheReplicas blank, or set it to 1 or 2.",
    ),
    "CacheShardsNeedACluster": (
        MINIMAL | {"CacheShards": "3"},
        "Only a cluster has shards. Set CacheClusterMode to true, or leave CacheShards blank.",
    ),
    "DatabaseFitsMautic": (
        MINIMAL | {"DatabaseVersion": "8.0"},
        "Mautic 7 refuses MySQL 8.0. Set DatabaseVersion to 8.4, or MauticVersion to 6.0.",
    ),
    "ExternalDnsWritesNothing": (
        MINIMAL | {"ExternalDns": "true", "HostedZoneId": "Z0123456789", "CertificateArn": CERTIFICATE},
        "No zone is written with ExternalDns. Leave HostedZoneId, HostedZoneRoleArn and SiteHostedZoneId blank, or set it "
        "false.",
    ),
    "CertificateCanBeProven": (
        MINIMAL | {"ExternalDns": "true"},
        "No zone of this account can prove a new certificate. Set CertificateArn, or SiteHostedZoneId to the site's zone if "
        "it is here.",
    ),
    "CertificateCanBeProven, with the zone in another account": (
        MINIMAL | {"HostedZoneRoleArn": "arn:aws:iam::210987654321:role/dns"},
        "No zone of this account can prove a new certificate. Set CertificateArn, or SiteHostedZoneId to the site's zone if "
        "it is here.",
    ),
    "DmarcReportsNeedAPolicy": (
        MINIMAL | {"DmarcPolicy": "", "DmarcReportAddress": "dmarc@example.com"},
        "The report address stands in the DMARC record. Set DmarcPolicy to none at least.",
    ),
    "ExistingNetworkIsComplete": (
        MINIMAL | EXISTING | {"IsolatedSubnetIds": ""},
        "An existing VPC comes with its subnets. Set PublicSubnetIds, PrivateSubnetIds and IsolatedSubnetIds.",
    ),
    "NewNetworkIsOnItsOwn": (
        MINIMAL | EXISTING | {"VpcId": ""},
        "Without VpcId a new network is made. Set VpcId, or leave the subnets and route tables blank.",
    ),
    "NewNetworkIsOnItsOwn, without a way out": (
        MINIMAL | {"NatGateways": "none"},
        "Functions would reach no AWS service. Set InterfaceEndpoints to functions, or NatGateways to one.",
    ),
}


class Rules(unittest.TestCase):
    maxDiff = None

    def test_each_contradiction_is_refused_with_its_remedy(self):
        for name, (parameters, text) in REFUSED.items():
            with self.subTest(name), self.assertRaises(RuleRefused) as raised:
                deploy(parameters)
            self.assertEqual(str(raised.exception), text)

    def test_every_rule_has_its_contradiction_here(self):
        self.assertEqual({name.split(",")[0] for name in REFUSED}, set(load(TEMPLATES / "mautic.yaml")["Rules"]))

    def test_what_is_left_blank_is_never_refused(self):
        for parameters in (MINIMAL, MINIMAL | {"Environment": "test"}, PRODUCTION):
            deploy(parameters)

    def test_mautic_6_may_use_either_mysql(self):
        for version in ("8.0", "8.4"):
            deploy(MINIMAL | {"MauticVersion": "6.0", "DatabaseVersion": version})


if __name__ == "__main__":
    unittest.main()
