"""docs/parameters.md: every parameter, rule and output of the root template, in the groups that the console shows."""

from __future__ import annotations

from typing import Any

from pages.page import Page, page, table
from pages.templates import root

INTRODUCTION = """\
The parameters of `cloudformation/mautic.yaml`, in the groups that the AWS console shows. Blank means what the description
says; where it names sizes by environment, a blank parameter follows them, also when a later version of the templates
changes them. [environments.md](environments.md) lists everything that the environment decides."""


def blocks_of(template: dict[str, Any]) -> list[str]:
    """The sections below the title."""
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    blocks = [INTRODUCTION]
    for group in interface["ParameterGroups"]:
        rows = [_parameter(name, template["Parameters"][name]) for name in group["Parameters"]]
        blocks += [
            f"## {group['Label']['default']}",
            table(["Parameter", "What it decides", "Default", "Allowed"], rows),
        ]
    refusals = [f"- {one['AssertDescription']}" for rule in template["Rules"].values() for one in rule["Assertions"]]
    outputs = [[f"`{name}`", declared["Description"]] for name, declared in template["Outputs"].items()]
    return [
        *blocks,
        "## What is refused",
        "Rules judge the parameters together before anything is made. Each says what to do:",
        "\n".join(refusals),
        "## Outputs",
        table(["Output", "What it is"], outputs),
    ]


def _parameter(name: str, declared: dict[str, Any]) -> list[str]:
    default = declared.get("Default")
    shown = "" if default is None else "blank" if default == "" else f"`{default}`"
    return [f"`{name}`", declared["Description"].strip(), shown, _allowed(declared)]


def _allowed(declared: dict[str, Any]) -> str:
    if "AllowedValues" in declared:
        return ", ".join("blank" if value == "" else f"`{value}`" for value in declared["AllowedValues"])
    if "MinValue" in declared:
        return f"{declared['MinValue']} to {declared['MaxValue']}"
    return declared.get("ConstraintDescription", "").rstrip(".")


def made() -> Page:
    """The page as the template is now."""
    return page("docs/parameters.md", "the root template", "Parameters and outputs", blocks_of(root()))
