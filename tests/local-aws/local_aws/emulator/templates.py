"""Templates are read by libyaml, and each once: the emulator's own loader, in Python, takes an eighth of all its time."""

import functools
import pickle
from collections.abc import Callable
from typing import Any

import yaml

from local_aws.emulator.patches import replace

ENGINE = "ministack.services.cloudformation.engine"
NAMES = {ENGINE: ("CfnLoader", "_parse_template")}


def install() -> None:
    """Replace the loader; what it makes of tags and scalars stays the emulator's."""
    replace(ENGINE, "CfnLoader", by_libyaml)
    replace(ENGINE, "_parse_template", once)


def once(parse: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """Parse a text the first time; afterwards give a copy, for the engine writes into what it has read."""
    pickled = functools.lru_cache(maxsize=128)(lambda text: pickle.dumps(parse(text)))
    return lambda text: pickle.loads(pickled(text))


def by_libyaml(loader: Any) -> Any:
    """A loader like this one whose scanner and parser are libyaml's."""
    tables = ("yaml_constructors", "yaml_multi_constructors", "yaml_implicit_resolvers", "yaml_path_resolvers")
    return type(loader.__name__, (yaml.CSafeLoader,), {name: getattr(loader, name) for name in tables})
