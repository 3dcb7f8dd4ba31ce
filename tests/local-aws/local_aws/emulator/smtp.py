"""SES's SMTP interface: whoever signs in with a key that IAM holds sends what its policies, and SES itself, allow.

The server runs in the emulator's process, because only there the keys' secrets are known.
"""

import email.utils
import hmac
import logging
from email.message import EmailMessage

from aiosmtpd.smtp import Envelope
from ministack.core import iam_evaluator
from ministack.services import iam, ses, ses_v2

from local_aws import certificates, servers_file
from local_aws.emulator import ses as identities
from local_aws.emulator import ses_events
from local_aws.emulator.ses_reports import SIMULATOR, Sent
from local_aws.emulator.settings import SETTINGS
from local_aws.smtp import Mailbox, Server, password

NAMES = {
    "ministack.core.iam_evaluator": ("EvalContext", "evaluate", "_gather_user_policies", "_permissions_boundary"),
    "ministack.services.iam": ("_access_keys", "_users"),
    "ministack.services.ses": ("_account_details",),
    "ministack.services.ses_v2": ("_identities",),
}

ACTION = "ses:SendRawEmail"
CONFIGURATION_SET = "X-SES-CONFIGURATION-SET"

log = logging.getLogger("local-aws.smtp")
_running: list[Server] = []


def install() -> None:
    """Start the server, and say in servers.json where it is."""
    state = SETTINGS.servers_file.parent
    mailbox = Mailbox(state / "aws" / "mail")
    mailbox.clear()
    found = certificates.ensure(state / "aws" / "smtp")
    server = Server(Ses(), mailbox, found)
    server.start()
    _running.append(server)
    host, port = server.address
    entry = {"host": host, "port": port, "ca_file": str(found.authority), "mail": str(mailbox.folder)}
    servers_file.put(state, "smtp", entry)
    log.info("SMTP at %s:%s", host, port)


def environment() -> dict[str, str]:
    """`SMTP_ENDPOINT` for functions: the server that stands in for SES's; `SMTP_CA_BUNDLE`: its authority."""
    addresses = ["{}:{}".format(*server.address) for server in _running]
    authority = SETTINGS.servers_file.parent / "aws" / "smtp" / "ca.pem"
    return {"SMTP_ENDPOINT": addresses[0], "SMTP_CA_BUNDLE": str(authority)} if addresses else {}


class Ses:
    """What IAM and SES say of those who sign in."""

    def user(self, access_key: str, given: str) -> str | None:
        """The user whose active key this is, if the password is the key's."""
        key = iam._access_keys.get_scoped(SETTINGS.account, None, access_key)
        if key is None or key["Status"] != "Active":
            return None
        expected = password(key["SecretAccessKey"], SETTINGS.region)
        return key["UserName"] if hmac.compare_digest(expected.encode(), given.encode()) else None

    def refusal(self, user: str, message: EmailMessage, recipients: list[str]) -> str:
        """Why SES does not send this; "" if it does."""
        identities.verify_all()
        sender = email.utils.parseaddr(message.get("From", ""))[1]
        identity = sender.rpartition("@")[2].lower()
        unverified = [] if _is_verified(identity) else [sender]
        if not (ses._account_details.get("account") or {}).get("ProductionAccessEnabled"):
            unverified += [one for one in recipients if not _takes_mail_from_the_sandbox(one)]
        if unverified:
            place = SETTINGS.region.upper()
            text = (
                "Message rejected: Email address is not verified. The following identities failed the check in region"
            )
            return f"{text} {place}: {', '.join(unverified)}"
        return _denial(user, sender, identity, message.get(CONFIGURATION_SET))

    def sent(self, user: str, message_id: str, message: EmailMessage, envelope: Envelope) -> None:
        """Let the world hear what becomes of a mail; its identity's configuration set is meant where it names none."""
        identity = email.utils.parseaddr(message.get("From", ""))[1].rpartition("@")[2].lower()
        default = (ses_v2._identities.get(identity) or {}).get("ConfigurationSetName") or ""
        mail = Sent(
            message_id=message_id,
            message=message,
            source=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            identity_arn=_arn(f"identity/{identity}"),
            configuration_set=(message.get(CONFIGURATION_SET) or default).strip(),
            user=user,
            operation="SendSmtpEmail",
        )
        ses_events.sent(mail)


def _is_verified(domain: str) -> bool:
    record = ses_v2._identities.get(domain)
    return bool(record and record.get("VerifiedForSendingStatus"))


def _takes_mail_from_the_sandbox(address: str) -> bool:
    domain = address.rpartition("@")[2].lower()
    return domain == SIMULATOR or _is_verified(domain)


def _denial(user: str, sender: str, identity: str, configuration_set: str | None) -> str:
    """SES asks IAM about the identity, and about the configuration set if the mail names one."""
    resources = [_arn(f"identity/{identity}")]
    if configuration_set:
        resources.append(_arn(f"configuration-set/{configuration_set.strip()}"))
    for resource in resources:
        if not _allows(user, resource, sender):
            who = f"arn:aws:iam::{SETTINGS.account}:user/{user}"
            return f"Access denied: User `{who}' is not authorized to perform `{ACTION}' on resource `{resource}'"
    return ""


def _arn(resource: str) -> str:
    return f"arn:aws:ses:{SETTINGS.region}:{SETTINGS.account}:{resource}"


def _allows(user: str, resource: str, sender: str) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{SETTINGS.account}:user/{user}",
        principal_type="User",
        principal_account=SETTINGS.account,
        action=ACTION,
        resource_arn=resource,
        region=SETTINGS.region,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context={"ses:fromaddress": sender},
        principal_keys={},
    )
    policies = iam_evaluator._gather_user_policies(user, SETTINGS.account)
    limits = iam_evaluator._permissions_boundary(iam._users, user, SETTINGS.account)
    return iam_evaluator.evaluate(context, policies, *limits).decision == "Allow"
