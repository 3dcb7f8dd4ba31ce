"""SES: identities exist once, and verify while their records stand in the zone that would answer for them."""

import json
import re
import secrets
import string
import time
from typing import Any

from ministack.core.responses import get_region, json_response
from ministack.services import ses, ses_v2
from ministack.services.cloudformation import provisioners

from local_aws.emulator import dns, patches, ses_metrics, ses_suppression
from local_aws.emulator.resources import Props, add_attributes, flag

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS", "_ses_email_identity_apply"),
    "ministack.services.ses": ("_account_details", "_identities", "_make_identity"),
    "ministack.services.ses_v2": (
        "_config_sets",
        "_identities",
        "_json_err",
        "_missing_config_set",
        "_resource_arn",
        "_ses_tags",
        "_tenant_delete_block",
        "handle_request",
    ),
}

Answer = tuple[int, dict[str, str], bytes]
IDENTITY = "AWS::SES::EmailIdentity"
SANDBOX_QUOTA = {"Max24HourSend": 200.0, "MaxSendRate": 1.0}
_PREFIX = re.compile(r"^/v[12]/email")
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})+", re.IGNORECASE)


def install() -> None:
    """Take the operations on identities over; leave the rest to the emulator."""
    patches.replace(ses_v2.__name__, "handle_request", _handler)
    add_attributes(IDENTITY, _dkim_attributes)
    stock = provisioners._RESOURCE_HANDLERS[IDENTITY]

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        name = props["EmailIdentity"]
        if name in ses_v2._identities:
            raise RuntimeError(f"Resource of type '{IDENTITY}' with identifier '{name}' already exists.")
        _create(name, {"DkimSigningAttributes": props.get("DkimSigningAttributes") or {}})
        answer = stock["create"](logical_id, props, stack_name)
        _keep_tags(name, props)
        return answer

    def update(name: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> tuple[str, Props]:
        answer = stock["update"](name, old, new, stack_name, logical_id)
        _keep_tags(answer[0], new)
        return answer

    provisioners._RESOURCE_HANDLERS[IDENTITY] = {**stock, "create": create, "update": update}


def _keep_tags(name: str, props: Props) -> None:
    ses_v2._ses_tags[ses_v2._resource_arn("identity", name)] = list(props.get("Tags") or [])


def _handler(stock: Any) -> Any:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        sub = _PREFIX.sub("", path).rstrip("/")
        verify_all()
        ses._account_details.setdefault("account", {"ProductionAccessEnabled": False})
        try:
            data = json.loads(body) if body else {}
        except ValueError:
            return _error("BadRequestException", "The request body is not JSON")
        answer = ses_suppression.route(method, sub, data) or route(method, sub, data)
        if answer is not None:
            return answer
        answer = await stock(method, path, headers, body, query)
        if (method, sub) == ("POST", "/outbound-emails") and answer[0] == 200:
            ses_metrics.accepted()
        return _in_the_sandbox(answer) if (method, sub) == ("GET", "/account") else answer

    return handle


def _error(code: str, message: str, status: int = 400) -> Answer:
    return ses_v2._json_err(code, message, status)


def _in_the_sandbox(answer: Answer) -> Answer:
    account = json.loads(answer[2])
    if not account["ProductionAccessEnabled"]:
        account["SendQuota"] |= SANDBOX_QUOTA
    return json_response(account)


def route(method: str, sub: str, data: dict[str, Any]) -> Answer | None:
    """The operations on identities, and refusals of what the emulator would take; None for everything else."""
    if (method, sub) == ("POST", "/identities"):
        return create_identity(data)
    if (method, sub) == ("POST", "/outbound-emails"):
        # The emulator judges identities and the sandbox by itself.
        wanted = data.get("ConfigurationSetName")
        return ses_v2._missing_config_set(wanted) if wanted and wanted not in ses_v2._config_sets else None
    match = re.fullmatch(r"/identities/([^/]+)(/[a-z/-]+)?", sub)
    if match is None:
        return None
    name, part = match.group(1), match.group(2) or ""
    record = ses_v2._identities.get(name)
    operation = _OPERATIONS.get((method, part))
    if operation is None:
        return None
    if record is None:
        return _error("NotFoundException", f"Email identity {name} does not exist.", 404)
    return operation(name, record, data)


def create_identity(data: dict[str, Any]) -> Answer:
    """CreateEmailIdentity."""
    name = data.get("EmailIdentity", "")
    if "@" not in name and not _DOMAIN.fullmatch(name):
        return _error("BadRequestException", f"Invalid domain name <{name}>.")
    if name in ses_v2._identities:
        return _error("AlreadyExistsException", f"Email identity {name} already exist.")
    wanted = data.get("ConfigurationSetName")
    if wanted and wanted not in ses_v2._config_sets:
        return ses_v2._missing_config_set(wanted)
    record = _create(name, data)
    return json_response(
        {
            "IdentityType": record["IdentityType"],
            "VerifiedForSendingStatus": record["VerifiedForSendingStatus"],
            "DkimAttributes": record["DkimAttributes"],
        }
    )


def _create(name: str, data: dict[str, Any]) -> dict[str, Any]:
    is_domain = "@" not in name
    signing = data.get("DkimSigningAttributes") or {}
    record = {
        "EmailIdentity": name,
        "IdentityType": "DOMAIN" if is_domain else "EMAIL_ADDRESS",
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": False,
        "VerificationStatus": "PENDING",
        "DkimAttributes": _new_dkim(is_domain, signing.get("NextSigningKeyLength", "RSA_2048_BIT")),
        "MailFromAttributes": {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
        "Policies": {},
        "Tags": list(data.get("Tags") or []),
        "ConfigurationSetName": data.get("ConfigurationSetName") or "",
    }
    ses_v2._identities[name] = record
    ses_v2._ses_tags[ses_v2._resource_arn("identity", name)] = list(record["Tags"])
    ses._identities[name] = ses._make_identity(name, "Domain" if is_domain else "EmailAddress")
    verify_all()
    return record


def _new_dkim(is_domain: bool, key_length: str) -> dict[str, Any]:
    """Three tokens, which are others when a domain is created again."""
    alphabet = string.ascii_lowercase + string.digits
    tokens = ["".join(secrets.choice(alphabet) for _ in range(32)) for _ in range(3)] if is_domain else []
    return {
        "SigningEnabled": is_domain,
        "Status": "PENDING" if is_domain else "NOT_STARTED",
        "Tokens": tokens,
        "SigningAttributesOrigin": "AWS_SES",
        "NextSigningKeyLength": key_length,
        "CurrentSigningKeyLength": key_length,
        "LastKeyGenerationTimestamp": int(time.time()),
    }


def verify_all() -> None:
    """Look every identity up in the zones, as SES does all the time."""
    for name, record in list(ses_v2._identities.items()):
        tokens = record["DkimAttributes"].get("Tokens") or []
        targets = ((f"{token}._domainkey.{name}", f"{token}.dkim.amazonses.com") for token in tokens)
        verified = bool(tokens) and all(dns.has_value(owner, "CNAME", value) for owner, value in targets)
        record["DkimAttributes"]["Status"] = "SUCCESS" if verified else "PENDING" if tokens else "NOT_STARTED"
        record["VerifiedForSendingStatus"] = verified
        record["VerificationStatus"] = "SUCCESS" if verified else "PENDING"
        first_generation = ses._identities.get(name)
        if first_generation is not None:
            first_generation["VerificationStatus"] = "Success" if verified else "Pending"
        _verify_mail_from(record["MailFromAttributes"])


def _verify_mail_from(attributes: dict[str, Any]) -> None:
    domain = attributes.get("MailFromDomain")
    if not domain:
        attributes.pop("MailFromDomain", None)
        attributes.pop("MailFromDomainStatus", None)
        return
    ready = dns.has_only_mx(domain, f"10 feedback-smtp.{get_region()}.amazonses.com") and dns.authorises_ses(domain)
    attributes["MailFromDomainStatus"] = "SUCCESS" if ready else "PENDING"


def _get(name: str, record: dict[str, Any], _: dict[str, Any]) -> Answer:
    shown = {key: value for key, value in record.items() if key not in ("EmailIdentity", "CreatedTimestamp")}
    shown["Tags"] = ses_v2._ses_tags.get(ses_v2._resource_arn("identity", name), [])
    if not shown.get("ConfigurationSetName"):
        shown.pop("ConfigurationSetName", None)
    return json_response(shown)


def _delete(name: str, _: dict[str, Any], __: dict[str, Any]) -> Answer:
    arn = ses_v2._resource_arn("identity", name)
    blocked = ses_v2._tenant_delete_block(arn)
    if blocked:
        return blocked
    ses_v2._identities.pop(name)
    ses_v2._ses_tags.pop(arn, None)
    ses._identities.pop(name, None)
    return json_response({})


def _put_mail_from(name: str, record: dict[str, Any], data: dict[str, Any]) -> Answer:
    domain, identity = data.get("MailFromDomain") or "", name.rpartition("@")[2]
    if domain and not domain.lower().endswith(f".{identity.lower()}"):
        text = f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{name}>."
        return _error("BadRequestException", text)
    behaviour = data.get("BehaviorOnMxFailure") or "USE_DEFAULT_VALUE"
    if behaviour not in ("USE_DEFAULT_VALUE", "REJECT_MESSAGE"):
        return _error("BadRequestException", f"BehaviorOnMxFailure must not be {behaviour}")
    record["MailFromAttributes"] = {"BehaviorOnMxFailure": behaviour}
    if domain:
        record["MailFromAttributes"]["MailFromDomain"] = domain
    verify_all()
    return json_response({})


def _put_dkim(_: str, record: dict[str, Any], data: dict[str, Any]) -> Answer:
    record["DkimAttributes"]["SigningEnabled"] = flag(data.get("SigningEnabled", False))
    return json_response({})


def _put_dkim_signing(_: str, record: dict[str, Any], data: dict[str, Any]) -> Answer:
    if data.get("SigningAttributesOrigin") != "AWS_SES":
        return _error("BadRequestException", "The local AWS knows Easy DKIM only: SigningAttributesOrigin AWS_SES")
    length = (data.get("SigningAttributes") or {}).get("NextSigningKeyLength")
    if length:
        record["DkimAttributes"]["NextSigningKeyLength"] = length
    dkim = record["DkimAttributes"]
    return json_response({"DkimStatus": dkim["Status"], "DkimTokens": dkim["Tokens"]})


def _put_configuration_set(_: str, record: dict[str, Any], data: dict[str, Any]) -> Answer:
    wanted = data.get("ConfigurationSetName") or ""
    if wanted and wanted not in ses_v2._config_sets:
        return ses_v2._missing_config_set(wanted)
    record["ConfigurationSetName"] = wanted
    return json_response({})


def _put_feedback(_: str, record: dict[str, Any], data: dict[str, Any]) -> Answer:
    record["FeedbackForwardingStatus"] = flag(data.get("EmailForwardingEnabled", False))
    return json_response({})


_OPERATIONS = {
    ("GET", ""): _get,
    ("DELETE", ""): _delete,
    ("PUT", "/mail-from"): _put_mail_from,
    ("PUT", "/dkim"): _put_dkim,
    ("PUT", "/dkim/signing"): _put_dkim_signing,
    ("PUT", "/configuration-set"): _put_configuration_set,
    ("PUT", "/feedback"): _put_feedback,
}


def _dkim_attributes(name: str, _: Props) -> Props:
    tokens = ses_v2._identities[name]["DkimAttributes"].get("Tokens") or []
    names = {f"DkimDNSTokenName{n}": f"{token}._domainkey.{name}" for n, token in enumerate(tokens, 1)}
    return names | {f"DkimDNSTokenValue{n}": f"{token}.dkim.amazonses.com" for n, token in enumerate(tokens, 1)}
