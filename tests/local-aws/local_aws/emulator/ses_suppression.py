"""SES: the account's suppression list. What stands on it gets no mail that names a configuration set which minds the list."""

import time
import urllib.parse
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, json_response
from ministack.services import ses_v2

NAMES = {
    "ministack.services.ses_v2": ("_config_sets", "_json_err"),
}

Answer = tuple[int, dict[str, str], bytes]
PLACE = "/suppression/addresses"
REASONS = ("BOUNCE", "COMPLAINT")

_list: AccountRegionScopedDict = AccountRegionScopedDict()


def route(method: str, sub: str, data: dict[str, Any]) -> Answer | None:
    """The operations on the list; None for everything else."""
    if (method, sub) == ("PUT", PLACE):
        return put(data)
    if (method, sub) == ("GET", PLACE):
        return json_response({"SuppressedDestinationSummaries": list(_list.values())})
    if not sub.startswith(f"{PLACE}/"):
        return None
    address = urllib.parse.unquote(sub.removeprefix(f"{PLACE}/")).lower()
    if address not in _list:
        return ses_v2._json_err(
            "NotFoundException", f"Email address {address} does not exist on your suppression list.", 404
        )
    if method == "DELETE":
        _list.pop(address)
        return json_response({})
    return json_response({"SuppressedDestination": _list[address]})


def put(data: dict[str, Any]) -> Answer:
    """PutSuppressedDestination; an address may stand there already."""
    address, reason = str(data.get("EmailAddress", "")).lower(), data.get("Reason")
    if "@" not in address or reason not in REASONS:
        return ses_v2._json_err("BadRequestException", f"An address and one of {', '.join(REASONS)} are needed.")
    _list[address] = {"EmailAddress": address, "Reason": reason, "LastUpdateTime": int(time.time())}
    return json_response({})


def among(recipients: tuple[str, ...], configuration_set: str) -> frozenset[str]:
    """Those whom the list keeps mail from; the account minds both reasons where a configuration set says nothing."""
    options = (ses_v2._config_sets.get(configuration_set) or {}).get("SuppressionOptions") or {}
    minded = options.get("SuppressedReasons", list(REASONS))
    found = ((one.lower(), _list.get(one.lower())) for one in recipients)
    return frozenset(address for address, entry in found if entry and entry["Reason"] in minded)
