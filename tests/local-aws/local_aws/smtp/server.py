"""The server's conversation, in SES's words."""

import email
import email.policy
import email.utils
import logging
import ssl
from typing import Protocol

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from local_aws.certificates import Certificates
from local_aws.smtp.mailbox import Mailbox

SIGNED_IN = "235 Authentication successful."
NOT_SIGNED_IN = "535 Authentication Credentials Invalid"

log = logging.getLogger("local-aws.smtp")


class Account(Protocol):
    """Whose keys there are, and what they may do."""

    def user(self, access_key: str, password: str) -> str | None:
        """The user whose active key this is; None if there is none, or the password is not the key's."""

    def refusal(self, user: str, message: email.message.EmailMessage, recipients: list[str]) -> str:
        """Why SES does not send it, as its answer begins after `554 `; "" if it does."""

    def sent(self, user: str, message_id: str, message: email.message.EmailMessage, envelope: Envelope) -> None:
        """Hear of a message that was accepted."""


class _Handler:
    def __init__(self, account: Account, mailbox: Mailbox) -> None:
        self.account, self.mailbox = account, mailbox

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's naming
        content = envelope.original_content or b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        user = str(session.auth_data)
        refusal = self.account.refusal(user, message, envelope.rcpt_tos)
        if refusal:
            log.info("refused: %s", refusal)
            return f"554 {refusal}"
        message_id = self.mailbox.keep(user, envelope.mail_from or "", envelope.rcpt_tos, content)
        self.account.sent(user, message_id, message, envelope)
        return f"250 Ok {message_id}"


class Server(Controller):
    """One server on 127.0.0.1, in a thread of its own; the port is chosen by the system."""

    def __init__(self, account: Account, mailbox: Mailbox, certificates: Certificates) -> None:
        self.account = account
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(certificates.server, certificates.key)
        super().__init__(_Handler(account, mailbox), hostname="127.0.0.1", port=0)

    @property
    def address(self) -> tuple[str, int]:
        """The name that the certificate is good for, and the port."""
        return "localhost", self.server.sockets[0].getsockname()[1]

    def factory(self) -> SMTP:
        """A conversation."""
        return SMTP(
            self.handler,
            hostname="email-smtp.amazonaws.com",
            ident="ESMTP SimpleEmailService-local",
            tls_context=self.tls,
            require_starttls=True,
            auth_required=True,
            auth_require_tls=True,
            authenticator=self._authenticate,
            data_size_limit=40 * 1024 * 1024,
        )

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, given: LoginPassword) -> AuthResult:
        user = self.account.user(given.login.decode(errors="replace"), given.password.decode(errors="replace"))
        message = NOT_SIGNED_IN if user is None else SIGNED_IN
        return AuthResult(success=user is not None, handled=False, message=message, auth_data=user)

    def _trigger_server(self) -> None:
        """aiosmtpd connects to the port that it was given, to see whether it listens; the system chose another."""
        self.port = self.address[1]
        super()._trigger_server()
