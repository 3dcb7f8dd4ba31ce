"""Templates are read by libyaml: the emulator's own loader, in Python, takes an eighth of all its time."""

from typing import Any

import yaml

from local_aws.emulator.patches import replace

ENGINE = "ministack.services.cloudformation.engine"
NAMES = {ENGINE: ("CfnLoader", "_parse_template")}


def install() -> None:
    """Replace the loader; what it makes of tags and scalars stays the emulator's."""
    replace(ENGINE, "CfnLoader", by_libyaml)


def by_libyaml(loader: Any) -> Any:
    """A loader like this one whose scanner and parser are libyaml's."""
    tables = ("yaml_constructors", "yaml_multi_constructors", "yaml_implicit_resolvers", "yaml_path_resolvers")
    return type(loader.__name__, (yaml.CSafeLoader,), {name: getattr(loader, name) for name in tables})
