"""What answers at a site's address in the place of Mautic: sign-in page, forms, and the part of the REST API that tests them.

It is no Mautic. It has the settings that the stack gave its web tasks, reads the secrets that they would be given, and sends mail
through the SMTP server with the stack's own credentials; the answers have the shapes of Mautic's own (`tests/local-aws/README.md`
says what is left out). Everything that it is told is kept in memory.
"""

from local_aws.site.authority import Authority
from local_aws.site.mautic import Mautic, Settings
from local_aws.site.server import Server

__all__ = ["Authority", "Mautic", "Server", "Settings"]
