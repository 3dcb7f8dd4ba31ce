"""PHP, Apache and PHP libraries for the tests of the container, fetched once into `php` below the state directory; nothing of it runs on."""

from collections.abc import Callable
from pathlib import Path

from local_aws import servers_file
from local_aws.state import DEFAULT_STATE

from . import fetching, libraries
from .installation import Installation
from .libraries import Libraries

__all__ = ["Installation", "Libraries", "fetch", "fetch_libraries"]


def fetch(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> Installation:
    """The PHP, fetched if it is not there yet, or `LocalAwsError` with what to do."""
    with servers_file.own_directory(state, "php") as home:
        return fetching.find(home, say)


def fetch_libraries(state: Path = DEFAULT_STATE, say: Callable[[str], None] = print) -> list[Libraries]:
    """Each Predis that can be had, fetched if it is not there yet, or `LocalAwsError` with what to do."""
    with servers_file.own_directory(state, "php") as home:
        return libraries.find(home, say)
