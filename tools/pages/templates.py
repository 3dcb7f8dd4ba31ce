"""The templates as they are written: parsed, not resolved."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Iterator
from typing import Any

import yaml

from pages.page import ROOT

CLOUDFORMATION = ROOT / "cloudformation"


class _Loader(yaml.SafeLoader):
    """Reads `!Ref X` and the other short forms as their long ones."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    build = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda one: loader.construct_sequence(one, deep=True),
        yaml.MappingNode: lambda one: loader.construct_mapping(one, deep=True),
    }
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": build[type(node)](node)}


_Loader.add_multi_constructor("!", _function)


@functools.cache
def load(path: pathlib.Path) -> dict[str, Any]:
    """A template's content."""
    return yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader with the intrinsic functions


def root() -> dict[str, Any]:
    """The root template."""
    return load(CLOUDFORMATION / "mautic.yaml")


def modules() -> dict[str, dict[str, Any]]:
    """The modules by name, in the order in which the root uses them; those that it does not use yet come last."""
    nested = [one["Properties"].get("TemplateURL") for one in root()["Resources"].values()]
    used = [(CLOUDFORMATION / url).resolve() for url in nested if url]
    every = sorted((CLOUDFORMATION / "modules").glob("*.yaml"))
    return {path.stem: load(path) for path in dict.fromkeys([*used, *every])}


def resources(*types: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Module, logical id and declaration of every resource of these types."""
    for module, template in modules().items():
        for logical_id, declared in template["Resources"].items():
            if declared["Type"] in types:
                yield module, logical_id, declared
