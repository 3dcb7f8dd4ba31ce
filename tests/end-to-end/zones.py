"""Hosted zones, and what stands in them."""

import json
from typing import Any

from local_aws.seed import changes
from world import client


class Zone:
    """A public hosted zone with records of its own, as a customer has one before this project arrives."""

    def __init__(self, name: str, seeded: bool = True) -> None:
        self.name = name
        self.route53 = client("route53")
        created = self.route53.create_hosted_zone(Name=name, CallerReference=name)
        self.id = created["HostedZone"]["Id"].removeprefix("/hostedzone/")
        if seeded:
            self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": changes(name)})

    def record_sets(self) -> list[dict[str, Any]]:
        """Every record set, in Route 53's order."""
        pages = self.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.id)
        return [one for page in pages for one in page["ResourceRecordSets"]]

    def bytes(self) -> bytes:
        """The record sets as Route 53 lists them: two equal texts are two equal zones."""
        return json.dumps(self.record_sets(), indent=1).encode()

    def lines(self) -> list[str]:
        """A line a record, as in a zone file."""
        found = []
        for one in self.record_sets():
            records = [f"{one.get('TTL')} {one['Type']} {record['Value']}" for record in one.get("ResourceRecords", [])]
            alias = [f"ALIAS {one['Type']} {one['AliasTarget']['DNSName']}"] if "AliasTarget" in one else []
            found += [f"{one['Name']} {text}" for text in (*records, *alias)]
        return found

    def change(self, action: str, name: str, kind: str, *values: str) -> None:
        """Change a record set by hand."""
        record_set = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": one} for one in values]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record_set}]}
        self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)


def identities() -> list[str]:
    """The domains and addresses that SES knows."""
    return [one["IdentityName"] for one in client("sesv2").list_email_identities()["EmailIdentities"]]


def dkim_tokens(domain: str) -> list[str]:
    """The tokens that SES wants to see in the domain's zone."""
    return client("sesv2").get_email_identity(EmailIdentity=domain)["DkimAttributes"]["Tokens"]


def proof_of(name: str) -> str:
    """The record that proves to ACM that the name is ours, as a line of its zone."""
    for one in client("acm").list_certificates()["CertificateSummaryList"]:
        if one["DomainName"] == name:
            certificate = client("acm").describe_certificate(CertificateArn=one["CertificateArn"])["Certificate"]
            record = certificate["DomainValidationOptions"][0]["ResourceRecord"]
            return f"{record['Name']} 300 {record['Type']} {record['Value']}"
    raise AssertionError(f"ACM has no certificate of {name}")
