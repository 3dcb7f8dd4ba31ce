"""The templates as they are written: parsed, not resolved."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Iterator
from typing import Any

import yaml

from pages.page import ROOT

CLOUDFORMATION = ROOT / "cloudformation"


class _Loader(yaml.CSafeLoader):
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


@functools.cache
def modules() -> dict[str, dict[str, Any]]:
    """The modules that the root uses, by name and in its order, each before those that it nests itself."""
    return {path.stem: load(path) for path in dict.fromkeys(_nested(CLOUDFORMATION / "mautic.yaml"))}


def _nested(path: pathlib.Path) -> Iterator[pathlib.Path]:
    for declared in load(path)["Resources"].values():
        if url := declared.get("Properties", {}).get("TemplateURL"):
            below = (path.parent / url).resolve()
            yield below
            yield from _nested(below)


@functools.cache
def every_module() -> dict[str, dict[str, Any]]:
    """The same, and then those that the root does not use yet."""
    paths = sorted((CLOUDFORMATION / "modules").glob("*.yaml"))
    return modules() | {path.stem: load(path) for path in paths if path.stem not in modules()}


def resources(templates: dict[str, dict[str, Any]], *types: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Module, logical id and declaration of every resource of these types."""
    for module, template in templates.items():
        for logical_id, declared in template["Resources"].items():
            if declared["Type"] in types:
                yield module, logical_id, declared
