"""What we read and replace inside the pinned emulator, checked before anything starts.

The emulator is a dependency without a plug-in interface: our modules replace private functions of it. Each of them
declares the names that it touches in a table `NAMES`; `require` compares the tables with the installed emulator, so
that another version fails with the name that vanished and not in the middle of somebody's deployment.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PACKAGE = "ministack"
VERSION = "1.5.33"

Names = Mapping[str, tuple[str, ...]]


class IncompatibleEmulator(RuntimeError):
    """The installed emulator is not the one that these patches were written for."""


def require_version() -> None:
    """Raise `IncompatibleEmulator` unless the pinned version is the one that is installed."""
    try:
        installed = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        installed = "(none)"
    if installed != VERSION:
        raise IncompatibleEmulator(
            f"{PACKAGE} {installed} is installed, but the local AWS is written for {VERSION}: "
            "install tests/local-aws/requirements.txt"
        )


def require(tables: Iterable[Names]) -> None:
    """Raise `IncompatibleEmulator` naming everything that the installed emulator lacks."""
    missing = [f"{module}.{name}" for table in tables for module, name in _absent(table)]
    if missing:
        raise IncompatibleEmulator(
            f"{PACKAGE} {VERSION} has no {', '.join(missing)}: "
            "the package was modified, or a table NAMES in tests/local-aws/local_aws/emulator/ is wrong"
        )


def _absent(table: Names) -> Iterable[tuple[str, str]]:
    for module, names in table.items():
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            yield from ((module, name) for name in names)
            continue
        yield from ((module, name) for name in names if not _has(loaded, name))


def _has(owner: Any, name: str) -> bool:
    """Whether the module has the name; one with a dot is a class's own."""
    for part in name.split("."):
        if not hasattr(owner, part):
            return False
        owner = getattr(owner, part)
    return True


def replace(module: str, name: str, wrap: Callable[[Any], Any]) -> Any:
    """Put `wrap(original)` in the place of `module.name`, and wherever the emulator imported it; return the original.

    A module that did `from .stacks import x` holds a reference of its own, which a plain assignment would miss.
    """
    original = getattr(importlib.import_module(module), name)
    replacement = wrap(original)
    for loaded_name, loaded in list(sys.modules.items()):
        if loaded_name.split(".")[0] == PACKAGE and vars(loaded).get(name) is original:
            setattr(loaded, name, replacement)
    return original
