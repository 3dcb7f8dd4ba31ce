"""What Route 53 says to a batch of changes: pure functions over record sets.

A record set is the emulator's own dictionary: Name, Type, TTL, ResourceRecords, AliasTarget, SetIdentifier. The texts are
Route 53's, as users of it have quoted them in public.
"""

import ipaddress
import re
from typing import Any

RecordSet = dict[str, Any]
Change = tuple[str, RecordSet]

LONGEST_STRING = 255
LONGEST_LABEL = 63
LONGEST_NAME = 255
MOST_CHANGES = 1000

# A name as Route 53 stores it: these characters stand for themselves, every other byte is \ooo.
_PLAIN = re.compile(r"[a-z0-9_.\-]")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def stored_name(name: str) -> str:
    """The name in the form in which Route 53 lists it: lower case, escaped, with the final dot."""
    if not name:
        return name
    decoded = _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), name).lower()
    escaped = "".join(
        one if _PLAIN.fullmatch(one) else "".join(f"\\{byte:03o}" for byte in one.encode("latin-1", "replace"))
        for one in decoded
    )
    return escaped if escaped.endswith(".") else f"{escaped}."


def sort_key(name: str) -> tuple[str, ...]:
    """Route 53's order: by labels from the right."""
    return tuple(reversed(stored_name(name).rstrip(".").split(".")))


def is_within(name: str, zone: str) -> bool:
    """Whether the zone may hold this name."""
    return name == zone or name.endswith(f".{zone}")


def identity(record_set: RecordSet) -> tuple[str, str, str]:
    """What makes a record set one and the same."""
    return record_set["Name"], record_set["Type"], record_set.get("SetIdentifier", "")


def _content(record_set: RecordSet) -> RecordSet:
    content = {key: value for key, value in record_set.items() if key not in ("Name", "Type", "SetIdentifier")}
    if "ResourceRecords" in content:
        content["ResourceRecords"] = sorted(content["ResourceRecords"])
    return content


def request_problem(changes: list[Change]) -> str:
    """The objection to the request itself (InvalidInput), or ""."""
    for action, record_set in changes:
        what = (
            f"[Action={action}, Name={record_set['Name']}, Type={record_set['Type']}, "
            f"SetIdentifier={record_set.get('SetIdentifier', 'null')}]"
        )
        plain = bool(record_set.get("ResourceRecords")) and record_set.get("TTL") is not None
        partly = bool(record_set.get("ResourceRecords")) or record_set.get("TTL") is not None
        alias = bool(record_set.get("AliasTarget"))
        expected = (
            "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
        )
        if alias and partly:
            return f"Invalid request: {expected}, but found more than one in Change with {what}"
        if not alias and not partly:
            return f"Invalid request: {expected}, but found none in Change with {what}"
        if not alias and not plain:
            missing = "TTL" if record_set.get("TTL") is None else "ResourceRecords"
            return f"Invalid request: Missing field '{missing}' in Change with {what}"
    return ""


def apply(zone: str, current: list[RecordSet], changes: list[Change]) -> tuple[list[RecordSet], list[str]]:
    """The zone's record sets after the whole batch, or every objection to it: a batch happens altogether or not at all."""
    problems = [] if len(changes) <= MOST_CHANGES else [f"Number of records limit of {MOST_CHANGES} exceeded."]
    problems += _contradictions(changes)
    after = {identity(record_set): record_set for record_set in current}
    for action, record_set in changes:
        problem = _judge(zone, action, record_set, after)
        if problem:
            problems += problem
        elif action == "DELETE":
            del after[identity(record_set)]
        else:
            after[identity(record_set)] = record_set
    result = list(after.values())
    if not problems:
        problems = _zone_problems(zone, result, changes)
    return result, problems


def _contradictions(changes: list[Change]) -> list[str]:
    """A record set may be deleted and created in one batch, and otherwise be named once."""
    seen: dict[tuple[str, str, str], list[str]] = {}
    for action, record_set in changes:
        seen.setdefault(identity(record_set), []).append(action)
    return [
        f"The request contains an invalid set of changes for a resource record set '{key[1]} {key[0]}'"
        for key, actions in seen.items()
        if len(actions) > 1 and actions not in (["DELETE", "CREATE"], ["DELETE", "UPSERT"])
    ]


def _judge(zone: str, action: str, record_set: RecordSet, now: dict[Any, RecordSet]) -> list[str]:
    name, kind = record_set["Name"], record_set["Type"]
    what = f"resource record set [name='{name}', type='{kind}'"
    what += f", set-identifier='{record_set['SetIdentifier']}']" if record_set.get("SetIdentifier") else "]"
    existing = now.get(identity(record_set))
    if action == "DELETE" and existing is None:
        return [f"Tried to delete {what} but it was not found"]
    if action == "DELETE" and _content(existing) != _content(record_set):
        return [f"Tried to delete {what} but the values provided do not match the current values"]
    if action == "DELETE":
        return []
    if action == "CREATE" and existing is not None:
        return [f"Tried to create {what} but it already exists"]
    return _name_problems(zone, record_set) or _value_problems(record_set)


def _name_problems(zone: str, record_set: RecordSet) -> list[str]:
    name, kind = record_set["Name"], record_set["Type"]
    if not is_within(name, zone):
        return [f"RRSet with DNS name {name} is not permitted in zone {zone}"]
    if kind == "CNAME" and name == zone:
        return [f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"]
    plain = _ESCAPE.sub("x", name).rstrip(".")
    if any(len(label) > LONGEST_LABEL for label in plain.split(".")):
        return [f"FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{name.rstrip('.')}'"]
    if any(not label for label in plain.split(".")):
        return [f"FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{name.rstrip('.')}'"]
    if len(plain) + 1 > LONGEST_NAME:
        return [f"FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{name.rstrip('.')}'"]
    return []


def _zone_problems(zone: str, after: list[RecordSet], changes: list[Change]) -> list[str]:
    """What only the result shows: CNAME beside anything else, and the two sets that a zone cannot do without."""
    problems = []
    kinds: dict[str, set[str]] = {}
    for record_set in after:
        kinds.setdefault(record_set["Name"], set()).add(record_set["Type"])
    for action, record_set in changes:
        name, kind = record_set["Name"], record_set["Type"]
        others = kinds.get(name, set()) - {kind}
        if action == "DELETE" or "CNAME" not in kinds.get(name, set()) or not others:
            continue
        if kind == "CNAME":
            problems.append(
                f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the "
                f"same DNS name in zone {zone}"
            )
        else:
            problems.append(
                f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME "
                f"with the same DNS name already exists in zone {zone}"
            )
    if "SOA" not in kinds.get(zone, set()):
        problems.append("A HostedZone must contain exactly one SOA record.")
    if "NS" not in kinds.get(zone, set()):
        problems.append("A HostedZone must contain at least one NS record for the zone itself.")
    return problems


def _value_problems(record_set: RecordSet) -> list[str]:
    values = record_set.get("ResourceRecords") or []
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        return [f"Duplicate Resource Record: '{value}'" for value in repeated]
    if record_set["Type"] == "CNAME" and len(values) > 1:
        return [
            f"InvalidResourceRecord: a CNAME record set has exactly one value, '{record_set['Name']}' has {len(values)}"
        ]
    problems = ((value, _value_problem(record_set["Type"], value)) for value in values)
    return [
        f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        for value, problem in problems
        if problem
    ]


def _value_problem(kind: str, value: str) -> str:
    match kind:
        case "TXT" | "SPF":
            return _text_problem(value)
        case "A":
            return "" if _is_address(value, 4) else "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        case "AAAA":
            return "" if _is_address(value, 6) else "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        case "MX":
            ok = re.fullmatch(r"\d{1,5}\s+\S+", value) and int(value.split()[0]) <= 65535
            return "" if ok else "InvalidMXRecord (Value must be a priority and a domain name)"
        case "CNAME" | "NS" | "PTR":
            return "" if re.fullmatch(r"\S+", value) else "InvalidDomainName (Value is not a valid domain name)"
    return ""


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def text_strings(value: str) -> list[str] | None:
    """The quoted strings of a TXT value, still escaped; None where it is not a list of quoted strings."""
    strings, rest = [], value.strip()
    while rest:
        match = re.match(r'"((?:[^"\\]|\\.)*)"\s*', rest, re.DOTALL)
        if match is None:
            return None
        strings.append(match.group(1))
        rest = rest[match.end() :]
    return strings


def text_length(escaped: str) -> int:
    """How many bytes a string of a TXT value has: \\ooo and \\x are one each."""
    return len(re.sub(r"\\[0-7]{3}|\\.", "x", escaped, flags=re.DOTALL).encode())


def _text_problem(value: str) -> str:
    strings = text_strings(value)
    if not strings:
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    if any(text_length(one) > LONGEST_STRING for one in strings):
        return "CharacterStringTooLong (Value is too long)"
    if any(ord(character) > 126 or ord(character) < 32 for one in strings for character in one):
        return "InvalidCharacterString (Value contains unescaped characters)"
    return ""
