"""Every environment with every combination of features: what the property tests run over.

A feature is a name and the parameters that choose it; one is taken from each group. Combinations that the root's rules
refuse fall out; `test_combinations.py` holds that every feature is still reached.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

from template_model import TEMPLATES, RuleRefused, Stack, deploy

Parameters = dict[str, Any]

EXISTING = {
    "VpcId": "vpc-0123456789abcdef0",
    "PublicSubnetIds": "subnet-0000000a,subnet-0000000b",
    "PrivateSubnetIds": "subnet-0000001a,subnet-0000001b",
    "IsolatedSubnetIds": "subnet-0000002a,subnet-0000002b",
}
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
FEATURES: dict[str, dict[str, Parameters]] = {
    "network": {
        "new": {},
        "three zones": {"ZoneCount": "3"},
        "three zones with one NAT": {"ZoneCount": "3", "NatGateways": "one", "InterfaceEndpoints": "functions"},
        "NAT a zone": {"NatGateways": "one-a-zone", "InterfaceEndpoints": "all", "VpcCidr": "10.0.0.0/20"},
        "no NAT": {"NatGateways": "none", "InterfaceEndpoints": "all", "ZoneCount": "3"},
        "existing": EXISTING,
        "existing with route tables": EXISTING | {"RouteTableIds": "rtb-0000000a", "InterfaceEndpoints": "all"},
    },
    "dns": {
        "zone searched": {},
        "zone given": {"HostedZoneId": "Z0123456789ABCDEFGHIJ", "ApexSpf": "true", "WaitSeconds": "3540"},
        "zone elsewhere": {
            "HostedZoneRoleArn": "arn:aws:iam::210987654321:role/dns",
            "SiteHostedZoneId": "Z0ABCDEFGHIJ123456789",
            "WaitSeconds": "0",
            "SiteDomain": "marketing.example.net",
            "StickySessions": "true",
            "WebFirewallMode": "count",
            "WebFirewallRateLimit": "500",
        },
        "external": {"ExternalDns": "true", "MailFromSubdomain": "", "DmarcPolicy": "", "CertificateArn": CERTIFICATE},
    },
    "database": {
        "default": {},
        "for Mautic 6": {
            "MauticVersion": "6.0",
            "DatabaseVersion": "8.0",
            "DatabaseInsights": "off",
            "Spot": "none",
            "ContainerInsights": "enhanced",
            "FileSystemThroughput": "elastic",
        },
        "from a snapshot": {"DatabaseSnapshot": "rds:mautic-prod-1-2026-11-23", "DatabaseGeneration": "2"},
        "own size": {
            "DatabaseInstanceClass": "db.r7g.xlarge",
            "DatabaseStorage": "400",
            "DatabaseMaxStorage": "2000",
            "DatabaseMultiAZ": "true",
            "DatabaseBackupDays": "14",
            "DatabaseDeletionProtection": "true",
            "DatabaseInsights": "advanced",
            "DatabaseMonitoringSeconds": "15",
            "FileSystemThroughput": "bursting",
            "AdoptExistingDatabase": "true",
        },
    },
    "cache": {
        "single": {},
        "cluster": {
            "CacheClusterMode": "true",
            "CacheEngine": "valkey",
            "CacheNodeType": "cache.r7g.large",
            "CacheShards": "2",
            "CacheReplicas": "2",
            "CacheSnapshotDays": "0",
        },
        "cluster as it comes": {"CacheClusterMode": "true"},
    },
    "notice": {
        "nobody": {},
        "somebody": {
            "AlarmEmail": "alarms@example.com",
            "LogRetentionDays": "90",
            "LogLevel": "WARN",
            "EcsExec": "true",
        },
    },
}


class Deployment:
    """One combination, resolved."""

    def __init__(self, name: str, parameters: Parameters) -> None:
        self.name, self.parameters = name, parameters
        self.stacks = deploy(parameters)
        self.root = self.stacks[0]
        self.modules: dict[str, Stack] = {stack.module: stack for stack in self.stacks}

    def __str__(self) -> str:
        return self.name

    @property
    def environment(self) -> str:
        """dev, test or prod."""
        return str(self.parameters["Environment"])

    def resources(self, *types: str) -> list[Any]:
        """The resources of all modules, or those of the given types."""
        found = [resource for stack in self.stacks for resource in stack.resources.values()]
        return [resource for resource in found if not types or resource.type in types]


def environments() -> list[str]:
    """The values that Environment takes, from the template."""
    import template_model

    return template_model.load(TEMPLATES / "mautic.yaml")["Parameters"]["Environment"]["AllowedValues"]


@functools.cache
def deployments() -> tuple[Deployment, ...]:
    """All combinations that the rules allow, and the parameter files."""
    made = []
    for environment, *chosen in itertools.product(environments(), *(group.items() for group in FEATURES.values())):
        parameters: Parameters = {"Environment": environment, "Domain": "example.com"}
        for _, feature in chosen:
            parameters |= feature
        name = ", ".join([environment, *(name for name, _ in chosen)])
        try:
            made.append(Deployment(name, parameters))
        except RuleRefused:
            continue
    return (*made, *parameter_files())


def parameter_files() -> list[Deployment]:
    """The environments as they are shipped."""
    return [
        Deployment(path.name, json.loads(path.read_text())["Parameters"])
        for path in sorted((TEMPLATES / "environments").glob("*.json"))
    ]
