"""PHP and Apache for the tests of the container, fetched once into `php` below the state directory; nothing of it runs on."""

from collections.abc import Callable
from pathlib import Path

from local_aws import servers_file
from local_aws.state import DEFAULT_STATE

from . import fetching
from .installation import Installation

__all__ = ["Installation", "fetch"]


def fetch(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> Installation:
    """The PHP, fetched if it is not there yet, or `LocalAwsError` with what to do."""
    with servers_file.own_directory(state, "php") as home:
        return fetching.find(home, say)
