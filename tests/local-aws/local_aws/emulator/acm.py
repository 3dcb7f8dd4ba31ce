"""ACM: a certificate that is validated by DNS is issued when its record stands in the zone, and not before.

As on AWS the record's name and value follow from account and domain, so that every certificate of a name shares one; with
a HostedZoneId CloudFormation writes it, and leaves it behind when the certificate is deleted.
"""

import hashlib
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import acm
from ministack.services.cloudformation import provisioners

from local_aws.emulator import cloudformation_waits, dns, patches
from local_aws.emulator.resources import Props, aws, run_off_the_loop

NAMES = {
    "ministack.services.acm": ("_certificates", "_validation_options"),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS", "_acm_certificate_create"),
}

TYPE = "AWS::CertificateManager::Certificate"
TTL = 300


def install() -> None:
    """Replace the making of a certificate, in an update too."""
    patches.replace(acm.__name__, "_validation_options", lambda _: validation)
    stock = patches.replace(provisioners.__name__, "_acm_certificate_create", _create)
    assert provisioners._acm_certificate_create is not stock
    provisioners._RESOURCE_HANDLERS[TYPE]["create"] = provisioners._acm_certificate_create
    run_off_the_loop(TYPE)


def validation(domain: str, method: str) -> dict[str, Any]:
    """The record that proves a domain; that of a wildcard is that of the domain below it."""
    base = domain.removeprefix("*.").lower()
    digest = hashlib.sha256(f"{get_account_id()}/{base}".encode()).hexdigest()
    record = {
        "Name": f"_{digest[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{digest[32:]}.xlfgrmvvlj.acm-validations.aws.",
    }
    options = {"DomainName": domain, "ValidationMethod": method, "ValidationStatus": "PENDING_VALIDATION"}
    return {**options, "ResourceRecord": record} if method == "DNS" else options


def _create(stock: Any) -> Any:
    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        arn, attributes = stock(logical_id, props, stack_name)
        certificate = acm._certificates[arn]
        certificate["Status"] = "PENDING_VALIDATION"
        options = certificate["DomainValidationOptions"]
        try:
            _write(options, props)
            for _ in cloudformation_waits.patiently(stack_name):
                for one in options:
                    if _is_proven(one):
                        one["ValidationStatus"] = "SUCCESS"
                if all(one["ValidationStatus"] == "SUCCESS" for one in options):
                    break
        except Exception:
            cloudformation_waits.keep_for_rollback(logical_id, TYPE, arn, props, stack_name)
            raise
        certificate["Status"] = "ISSUED"
        return arn, attributes

    return create


def _write(options: list[dict[str, Any]], props: Props) -> None:
    zones = {
        one["DomainName"]: one["HostedZoneId"]
        for one in props.get("DomainValidationOptions") or []
        if "HostedZoneId" in one
    }
    for one in options:
        if one["DomainName"] not in zones:
            continue
        record = one["ResourceRecord"]
        record_set = {
            "Name": record["Name"],
            "Type": "CNAME",
            "TTL": TTL,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        aws("route53").change_resource_record_sets(HostedZoneId=zones[one["DomainName"]], ChangeBatch=batch)


def _is_proven(option: dict[str, Any]) -> bool:
    record = option.get("ResourceRecord")
    return record is not None and dns.has_value(record["Name"], "CNAME", record["Value"].rstrip("."))
