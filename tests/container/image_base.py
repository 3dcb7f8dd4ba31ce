"""Which image `make verify-image` makes, and beside which MySQL it tries it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from support import CONTAINER

OLDEST_MYSQL = {7: (8, 4), 6: (8, 0)}
"""What a version of Mautic asks for; Mautic 6 is tried on the oldest that its stacks have, Mautic 7 on the newest."""


@dataclass(frozen=True)
class Base:
    """What the image is made from and for; blank is what the Dockerfile and the machine have."""

    tag: str
    digest: str
    image: str
    platform: str

    @classmethod
    def asked_for(cls, environment: Mapping[str, str]) -> "Base":
        """As the variables say; an end with the remedy if they are half of one."""
        base = cls(*(environment.get(name, "") for name in ("MAUTIC_TAG", "MAUTIC_DIGEST", "MAUTIC_IMAGE", "PLATFORM")))
        if bool(base.tag) != bool(base.digest):
            raise SystemExit(
                f"verify-image: MAUTIC_TAG is {base.tag!r} and MAUTIC_DIGEST is {base.digest!r}; give both, or neither. "
                "docker buildx imagetools inspect mautic/mautic:TAG prints a tag's digest."
            )
        return base

    @property
    def options(self) -> list[str]:
        """For `build` and `run`, which the engine must know how to imitate where it is not the machine's own."""
        return [f"--platform={self.platform}"] if self.platform else []

    def arguments(self, site: str) -> list[str]:
        """For `build`, whose image is compiled for this site."""
        told = {"MAUTIC_TAG": self.tag, "MAUTIC_DIGEST": self.digest, "MAUTIC_IMAGE": self.image, "SITE_URL": site}
        return [word for name, value in told.items() if value for word in ("--build-arg", f"{name}={value}")]

    @property
    def major(self) -> int:
        """The major version of Mautic."""
        default = re.search(r"^ARG MAUTIC_TAG=(.*)$", (CONTAINER / "Dockerfile").read_text(), re.MULTILINE)[1]
        return int((self.tag or default).split(".")[0])

    def mysql(self, running: list[dict]) -> dict:
        """The server to try it on."""
        wanted = OLDEST_MYSQL.get(self.major, OLDEST_MYSQL[7])
        release = {tuple(map(int, one["version"].split("."))): one for one in running}
        fit = sorted(version for version in release if version[:2] >= wanted)
        if not fit:
            raise SystemExit(
                f"verify-image: Mautic {self.major} needs MySQL {wanted[0]}.{wanted[1]} or later, and none is here; name one by LOCAL_MYSQL."
            )
        return release[fit[0] if self.major == 6 else fit[-1]]
