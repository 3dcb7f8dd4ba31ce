"""An SMTP server that answers as SES's does: STARTTLS, then a password derived from an access key, then mail.

It knows no AWS itself: an `Account` says whose a key is and what it may send. The mail that it accepts stays below the state
directory, for whoever wants to look.
"""

from local_aws.smtp.mailbox import Mailbox
from local_aws.smtp.passwords import password
from local_aws.smtp.server import Account, Server

__all__ = ["Account", "Mailbox", "Server", "password"]
