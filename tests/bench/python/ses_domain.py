"""The common shape of an SES domain custom resource: create the identity, upsert its records, answer."""

from __future__ import annotations

import boto3
import runtime


def upsert(name: str, kind: str, value: str) -> dict:
    record = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}
    return {"Action": "UPSERT", "ResourceRecordSet": record}


def handler(event: dict) -> None:
    properties = event["ResourceProperties"]
    domain = properties["Domain"]
    ses = boto3.client("sesv2")
    tokens = ses.create_email_identity(EmailIdentity=domain)["DkimAttributes"]["Tokens"]
    ses.put_email_identity_mail_from_attributes(EmailIdentity=domain, MailFromDomain=f"mail.{domain}")
    changes = [upsert(f"{token}._domainkey.{domain}", "CNAME", f"{token}.dkim.amazonses.com") for token in tokens]
    changes.append(upsert(f"mail.{domain}", "MX", "10 feedback-smtp.eu-central-1.amazonses.com"))
    changes.append(upsert(f"mail.{domain}", "TXT", '"v=spf1 include:amazonses.com ~all"'))
    changes.append(upsert(f"_dmarc.{domain}", "TXT", '"v=DMARC1; p=none"'))
    zone = properties["HostedZoneId"]
    boto3.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    runtime.answer(event, "SUCCESS", domain, {"Status": "PENDING"})


runtime.run(handler)
