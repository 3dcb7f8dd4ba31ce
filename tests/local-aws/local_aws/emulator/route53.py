"""Route 53: batches are judged as Route 53 judges them, changes spread after a moment, lists page as its lists do."""

import time
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.services import route53
from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches, route53_rules
from local_aws.emulator.resources import Props

NAMES = {
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_r53_record_set_build_rs",
    ),
    "ministack.services.route53": (
        "_build_change_info_el",
        "_build_hosted_zone_el",
        "_change_resource_record_sets",
        "_changes",
        "_error_response",
        "_find",
        "_findall",
        "_get_change",
        "_list_hosted_zones",
        "_list_hosted_zones_by_name",
        "_lock",
        "_new_change",
        "_normalise_name",
        "_parse_body",
        "_parse_record_set",
        "_records",
        "_text",
        "_xml_response",
        "_zones",
    ),
}

SPREADING_SECONDS = 0.5
LARGEST_PAGE = 100
RECORD_SET = "AWS::Route53::RecordSet"

_submitted: dict[str, float] = {}


def install() -> None:
    """Replace the operations that are judged or paged otherwise."""
    module = route53.__name__
    patches.replace(module, "_normalise_name", lambda _: route53_rules.stored_name)
    patches.replace(module, "_change_resource_record_sets", lambda _: change_record_sets)
    patches.replace(module, "_get_change", lambda _: get_change)
    patches.replace(module, "_list_hosted_zones", lambda _: list_zones)
    patches.replace(module, "_list_hosted_zones_by_name", lambda _: list_zones_by_name)
    provisioners._RESOURCE_HANDLERS[RECORD_SET] = {
        "create": create_record_set,
        "update": update_record_set,
        "delete": delete_record_set,
    }


class Refused(RuntimeError):
    """Route 53's objections to a batch, in its brackets."""


def submit(zone_id: str, changes: list[route53_rules.Change], comment: str = "") -> dict[str, Any]:
    """Apply a batch to a zone, altogether or not at all; call it under the emulator's lock."""
    zone = route53._zones[zone_id]
    after, problems = route53_rules.apply(zone["name"], route53._records[zone_id], changes)
    if problems:
        raise Refused(f"[{', '.join(problems)}]")
    route53._records[zone_id] = after
    change = route53._new_change(comment)
    _submitted[change["id"]] = time.monotonic()
    return change


def change_record_sets(zone_id: str, body: bytes) -> Any:
    """ChangeResourceRecordSets."""
    root = route53._parse_body(body)
    batch = route53._find(root, "ChangeBatch") if root is not None else None
    listed = route53._find(batch, "Changes") if batch is not None else None
    if listed is None:
        return route53._error_response("MalformedInput", "ChangeBatch is not valid")
    changes = []
    for element in route53._findall(listed, "Change"):
        action = route53._text(element, "Action")
        if action not in ("CREATE", "DELETE", "UPSERT"):
            return route53._error_response("InvalidInput", f"Invalid XML ; '{action}' is not an Action")
        changes.append((action, route53._parse_record_set(route53._find(element, "ResourceRecordSet"))))
    problem = route53_rules.request_problem(changes)
    if problem:
        return route53._error_response("InvalidInput", problem)
    with route53._lock:
        if zone_id not in route53._zones:
            return _no_such_zone(zone_id)
        try:
            change = submit(zone_id, changes, route53._text(batch, "Comment"))
        except Refused as refusal:
            return route53._error_response("InvalidChangeBatch", str(refusal))
    return route53._xml_response(
        "ChangeResourceRecordSetsResponse", lambda root: route53._build_change_info_el(root, change)
    )


def _no_such_zone(zone_id: str) -> Any:
    return route53._error_response("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)


def get_change(change_id: str) -> Any:
    """GetChange: PENDING until the change has had the time to spread."""
    with route53._lock:
        change = route53._changes.get(change_id)
        if change is None:
            text = f"Could not find resource with ID: {change_id}"
            return route53._error_response("NoSuchChange", text, 404)
        if time.monotonic() - _submitted.get(change_id, 0.0) >= SPREADING_SECONDS:
            change["status"] = "INSYNC"
        observed = dict(change)
    return route53._xml_response("GetChangeResponse", lambda root: route53._build_change_info_el(root, observed))


def _query(params: dict[str, Any], name: str) -> str:
    value = params.get(name, "")
    return (value[0] if isinstance(value, list) else value) or ""


def _page_size(params: dict[str, Any]) -> int:
    return min(int(_query(params, "maxitems") or LARGEST_PAGE), LARGEST_PAGE)


def list_zones(params: dict[str, Any]) -> Any:
    """ListHostedZones: the marker is the first zone of the page that it asks for."""
    marker, size = _query(params, "marker"), _page_size(params)
    with route53._lock:
        zones = sorted(route53._zones.values(), key=lambda zone: zone["id"])
    zones = [zone for zone in zones if zone["id"] >= marker]

    def build(root: Element) -> None:
        _zones(root, zones[:size])
        SubElement(root, "Marker").text = marker
        SubElement(root, "IsTruncated").text = str(len(zones) > size).lower()
        if len(zones) > size:
            SubElement(root, "NextMarker").text = zones[size]["id"]
        SubElement(root, "MaxItems").text = str(size)

    return route53._xml_response("ListHostedZonesResponse", build)


def list_zones_by_name(params: dict[str, Any]) -> Any:
    """ListHostedZonesByName: the name is where the list starts, not what it is restricted to."""
    name, zone_id, size = _query(params, "dnsname"), _query(params, "hostedzoneid"), _page_size(params)
    if zone_id and not name:
        return route53._error_response("InvalidInput", "Invalid request: HostedZoneId requires DNSName")

    def position(zone: dict[str, Any]) -> tuple[tuple[str, ...], str]:
        return route53_rules.sort_key(zone["name"]), zone["id"]

    with route53._lock:
        zones = sorted(route53._zones.values(), key=position)
    if name:
        start = (route53_rules.sort_key(name), zone_id)
        zones = [zone for zone in zones if position(zone) >= start]

    def build(root: Element) -> None:
        _zones(root, zones[:size])
        if name:
            SubElement(root, "DNSName").text = name
        if zone_id:
            SubElement(root, "HostedZoneId").text = zone_id
        SubElement(root, "IsTruncated").text = str(len(zones) > size).lower()
        if len(zones) > size:
            SubElement(root, "NextDNSName").text = zones[size]["name"]
            SubElement(root, "NextHostedZoneId").text = zones[size]["id"]
        SubElement(root, "MaxItems").text = str(size)

    return route53._xml_response("ListHostedZonesByNameResponse", build)


def _zones(root: Element, zones: list[dict[str, Any]]) -> None:
    listed = SubElement(root, "HostedZones")
    for zone in zones:
        route53._build_hosted_zone_el(listed, zone)


def _change_from_template(action: str, props: Props) -> str:
    record_set = provisioners._r53_record_set_build_rs(props)
    with route53._lock:
        zone_id = _zone_of(props)
        if zone_id not in route53._zones:
            raise Refused(f"No hosted zone found with ID: {zone_id}")
        submit(zone_id, [(action, record_set)])
    return record_set["Name"]


def _zone_of(props: Props) -> str:
    if props.get("HostedZoneId"):
        return str(props["HostedZoneId"]).removeprefix("/hostedzone/")
    name = route53_rules.stored_name(str(props.get("HostedZoneName", "")))
    found = [zone["id"] for zone in route53._zones.values() if zone["name"] == name]
    if len(found) != 1:
        raise Refused(f"{len(found)} hosted zones are named {name}: give HostedZoneId")
    return found[0]


def create_record_set(_: str, props: Props, __: str) -> tuple[str, Props]:
    """AWS::Route53::RecordSet."""
    name = _change_from_template("CREATE", props)
    return name, {"Name": name}


def update_record_set(physical_id: str, old: Props, new: Props, _: str) -> tuple[str, Props]:
    """A changed name or type is another record set; the engine deletes the old one afterwards."""
    same = all(old.get(key) == new.get(key) for key in ("Name", "Type", "HostedZoneId", "HostedZoneName"))
    name = _change_from_template("UPSERT" if same else "CREATE", new)
    return name if not same else physical_id, {"Name": name}


def delete_record_set(_: str, props: Props) -> None:
    """Delete the record set as the template describes it; one that is gone already is no failure."""
    try:
        _change_from_template("DELETE", props)
    except Refused as refusal:
        if "but it was not found" not in str(refusal):
            raise
