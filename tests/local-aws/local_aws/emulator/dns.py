"""What the world's resolvers would answer, from the hosted zones: the most specific public zone speaks for a name."""

from ministack.services import route53

from local_aws.emulator import route53_rules

NAMES = {"ministack.services.route53": ("_records", "_zones")}


def values(name: str, kind: str) -> list[str]:
    """The values of a name's records of one type."""
    owner = route53_rules.stored_name(name)
    zones = [
        zone
        for zone in route53._zones.values()
        if not zone.get("private") and route53_rules.is_within(owner, zone["name"])
    ]
    if not zones:
        return []
    longest = max(len(zone["name"]) for zone in zones)
    return [
        value
        for zone in zones
        if len(zone["name"]) == longest
        for record_set in route53._records.get(zone["id"], [])
        if (record_set["Name"], record_set["Type"]) == (owner, kind)
        for value in record_set.get("ResourceRecords") or []
    ]


def has_value(name: str, kind: str, value: str) -> bool:
    """Whether one of the records points at this name; dots at the end and case do not matter."""
    return value.lower() in [found.rstrip(".").lower() for found in values(name, kind)]


def has_only_mx(name: str, value: str) -> bool:
    """SES wants its own mail exchanger and no other at a MAIL FROM domain."""
    return [" ".join(found.rstrip(".").lower().split()) for found in values(name, "MX")] == [value.lower()]


def authorises_ses(name: str) -> bool:
    """Whether the name has exactly one SPF record, and it includes SES."""
    texts = ["".join(route53_rules.text_strings(value) or []) for value in values(name, "TXT")]
    policies = [text.lower().split() for text in texts if text.lower().split()[:1] == ["v=spf1"]]
    return len(policies) == 1 and any(term.lstrip("+") == "include:amazonses.com" for term in policies[0])
