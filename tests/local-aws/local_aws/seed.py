"""A zone as a customer has one before this project arrives, and the bucket that packages go to."""

from collections.abc import Callable

from local_aws.service import client
from local_aws.state import REGION

RECORDS = (
    ("", "A", 300, ("192.0.2.10",)),
    ("", "MX", 3600, ("10 mx1.{zone}", "20 mx2.{zone}")),
    # Two strings in one record, as a provider's console splits what is longer than 255 bytes.
    (
        "",
        "TXT",
        3600,
        (
            '"google-site-verification=rXOxyZounnZasA8Z7oaD3c14JdjS9aKSWvsR1EbUSIQ"',
            '"v=spf1 ip4:192.0.2.0/24 include:_spf.{zone} " "-all"',
        ),
    ),
    ("_spf", "TXT", 3600, ('"v=spf1 ip4:198.51.100.0/24 ~all"',)),
    ("mx1", "A", 3600, ("192.0.2.25",)),
    ("mx2", "A", 3600, ("192.0.2.26",)),
    ("www", "CNAME", 300, ("{zone}",)),
)


def seed(aws: dict[str, str], zone: str, bucket: str, say: Callable[[str], None] = print) -> None:
    """Create the hosted zone and the bucket where they are absent; records that exist are left alone."""
    keys = (aws["endpoint"], aws["access_key"], aws["secret_key"])
    route53, s3 = client("route53", *keys), client("s3", *keys)
    if any(one["Name"] == f"{zone}." for one in route53.list_hosted_zones()["HostedZones"]):
        say(f"hosted zone {zone} exists")
    else:
        zone_id = route53.create_hosted_zone(Name=zone, CallerReference=f"seed-{zone}")["HostedZone"]["Id"]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes(zone)})
        say(f"hosted zone {zone} ({zone_id.removeprefix('/hostedzone/')}) with {len(RECORDS)} record sets")
    if bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        say(f"bucket {bucket} exists")
    else:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        say(f"bucket {bucket}")


def changes(zone: str) -> list[dict]:
    """The seeded records as one batch."""
    return [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": f"{label}.{zone}" if label else zone,
                "Type": kind,
                "TTL": ttl,
                "ResourceRecords": [{"Value": value.format(zone=zone)} for value in values],
            },
        }
        for label, kind, ttl, values in RECORDS
    ]
