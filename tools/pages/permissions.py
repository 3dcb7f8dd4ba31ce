"""docs/permissions.md: what each role may do, out of the policies in the templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pages.page import Page, page, table
from pages.templates import modules

INTRODUCTION = """\
Every role of the stack, who takes it, and what it may do on which resources. Names in `${...}` are filled in by CloudFormation. A
row whose actions begin with "never" is a denial. The tests run with IAM enforced, take single actions away, and see what fails."""
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::UserPolicy")
PSEUDO = re.compile(r"\$\{AWS::\w+\}")
ARN = re.compile(r"^arn::([a-z0-9-]+):[^:]*:[^:]*:(?:policy/service-role/)?(.+)$")


def statements(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The statements of a policy with the condition under which each is there."""
    for one in value if isinstance(value, list) else [value]:
        if "Fn::If" in one:
            condition, then, otherwise = one["Fn::If"]
            for branch, text in ((then, condition), (otherwise, f"not {condition}")):
                if branch != {"Ref": "AWS::NoValue"}:
                    yield from ((statement, text) for statement, _ in statements(branch))
        else:
            yield one, ""


def shown(value: Any) -> str:
    """A resource, or several, as one reads it: what it is and where, without account and region."""
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, str):
        return "anything" if value == "*" else f"`{_short(value)}`"
    ((function, argument),) = value.items()
    match function:
        case "Ref":
            return "this stack" if argument == "AWS::StackId" else f"`{argument}`"
        case "Fn::GetAtt":
            name = argument if isinstance(argument, str) else ".".join(argument)
            return f"`{name.removesuffix('.Arn')}`"
        case "Fn::Sub":
            return f"`{_short(argument if isinstance(argument, str) else argument[0])}`"
        case "Fn::If":
            branches = [shown(one) for one in argument[1:] if one != {"Ref": "AWS::NoValue"}]
            return " or ".join(dict.fromkeys(branches))
    raise SystemExit(f"permissions: a policy names its resource with {function}, which this page cannot show")


def _short(text: str) -> str:
    plain = PSEUDO.sub("", text)
    found = ARN.match(plain)
    return f"{found[1]}: {found[2]}" if found else plain


def policies(template: dict[str, Any], role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents of a role with their names: its own, and those of policies that name it."""
    for one in template["Resources"][role]["Properties"].get("Policies", []):
        yield one["PolicyName"], one["PolicyDocument"]
    for other in template["Resources"].values():
        properties = other.get("Properties", {})
        named = [*properties.get("Roles", []), properties.get("UserName")] if other["Type"] in POLICIES else []
        if {"Ref": role} in named:
            yield properties["PolicyName"], properties["PolicyDocument"]


def rows(template: dict[str, Any], role: str) -> list[list[str]]:
    """A row for each statement of a role."""
    made = []
    for name, document in policies(template, role):
        for statement, condition in statements(document["Statement"]):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            never = "never " if statement["Effect"] == "Deny" else ""
            why = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", statement.get("Sid", name)))
            listed = ", ".join(f"`{one}`" for one in actions)
            made.append([_sentence(why), never + listed, shown(statement["Resource"]), condition])
    return made


def _sentence(words: str) -> str:
    """ReadBothSecrets, cut into words, as a line of a table; abbreviations stay as they are."""
    first, *rest = words.split()
    return " ".join(
        [
            first.capitalize() if first.islower() else first,
            *(one if one.isupper() and len(one) > 1 else one.lower() for one in rest),
        ]
    )


def introduction(properties: dict[str, Any], role: str) -> str:
    """What a role is for, and who takes it. A user is what its policy says."""
    if "AssumeRolePolicyDocument" not in properties:
        return f"**{role}**, a user."
    description = properties["Description"]
    text = description if isinstance(description, str) else description["Fn::Sub"]
    takers = properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    text = text.replace(" of ${Application} ${Environment}", "").replace(
        " ${Application} ${Environment}", " the installation"
    )
    return f"**{role}**, taken by `{takers}`. {text}."


def made() -> Page:
    """The page as the templates are now."""
    blocks = [INTRODUCTION]
    for module, template in modules().items():
        known = ("AWS::IAM::Role", "AWS::IAM::User")
        roles = [name for name, declared in template["Resources"].items() if declared["Type"] in known]
        if roles:
            blocks.append(f"## {module}")
        for role in roles:
            properties = template["Resources"][role]["Properties"]
            managed = ", ".join(shown(one) for one in properties.get("ManagedPolicyArns", []))
            blocks.append(introduction(properties, role))
            if found := rows(template, role):
                blocks.append(table(["For", "Actions", "On", "If"], found))
            if managed:
                blocks.append(f"And AWS's own policy {managed}.")
    return page("docs/permissions.md", "the roles in the templates", "Permissions", blocks)
