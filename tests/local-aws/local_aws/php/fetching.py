"""PHP and Apache as private copies out of the machine's distribution, as the tests of the container need them."""

from collections.abc import Callable
from pathlib import Path

from local_aws import machine
from local_aws.apt import PrivateApt
from local_aws.errors import LocalAwsError
from local_aws.packages import Recipe, Shelf

from .installation import Installation, from_prefix

REMEDY = """\
No PHP 8.1 or later could be had for the tests of the container. It comes from Debian's or Ubuntu's archive, which apt-get must be able
to reach as /etc/apt names it; nothing is installed system-wide. On another system run these tests in a container of one of the two."""

# symfony/mailer reads the mail DSN in the tests as it does in Mautic.
PACKAGES = ("php-cli", "php-mysql", "php-redis", "php-symfony-mailer", "libapache2-mod-php", "apache2-bin")


def find(home: Path, say: Callable[[str], None]) -> Installation:
    """The PHP, fetched if need be; `home` is its own directory."""
    return Shelf(home, from_prefix, REMEDY).take([_recipe()], say)[0]


def _recipe() -> Recipe:
    distribution, codename = machine.distribution()
    if distribution not in ("debian", "ubuntu"):
        raise LocalAwsError(REMEDY)
    archive = machine.archive(machine.sources(), codename)
    components = ("main", "universe") if distribution == "ubuntu" else ("main",)
    # Ubuntu's updates carry what its release was corrected by; Debian's release is corrected in place.
    suites = (codename, f"{codename}-updates")

    def fetch(work: Path) -> PrivateApt:
        apt = PrivateApt(work, archive.line(suites, components))
        apt.fetch(*PACKAGES)
        return apt

    return Recipe(f"PHP and Apache of {distribution} {codename}", fetch)
