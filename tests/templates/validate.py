"""Runs cloudformation-validate, AWS's offline checker, over every template; it has a library but no command.

Use: python tests/templates/validate.py [TEMPLATE...]; without arguments every template below cloudformation/.
Exit status 1 when anything is found that IGNORED does not name with its reason.
"""

from __future__ import annotations

import os
import pathlib
import sys

from cloudformation_validate import RegoEngine

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Rule, part of the message -> why such a finding is no fault here.
IGNORED: dict[tuple[str, str], str] = {
    ("W3002", ""): "nested templates and packages are local paths until `aws cloudformation package` uploads them",
    (
        "W1001",
        "",
    ): "it does not look through Fn::If in outputs; cfn-lint's W1001 does, and so does the suite references",
    ("W1030", ""): "it does not see that the condition around Fn::If excludes the value; cfn-lint's W1030 does",
    ("W2509", "SecretArn"): "the ARN of a secret is no secret",
    ("E3025", "'' is not one of"): "blank means the environment's value, which the condition around it takes",
    ("E3062", "DBInstanceClass ''"): "blank means the environment's value, which the condition around it takes",
    (
        "I4010",
        "",
    ): "each template opens with a comment on what it owns and needs; a second place for it would fall behind",
    ("I9001", ""): "that a property is create-only is a fact about the type, not a finding",
    ("I9003", ""): "instance classes are checked against every region: the stack runs in any",
    ("I9040", ""): "the nested stack's tags reach every resource; the suite resource_tagging holds that",
}


def is_ignored(rule: str, message: str) -> bool:
    """Whether IGNORED explains such a finding."""
    return any(rule == ignored and part in message for ignored, part in IGNORED)


def findings(template: pathlib.Path, engine: RegoEngine) -> list[str]:
    """One line a finding: place, severity, rule, message."""
    report = engine.validate_template(str(template))
    return [
        f"{os.path.relpath(template)}:{found.start_line}: {found.severity.name} {found.rule_id}: {found.message}"
        for found in report.diagnostics
        if not is_ignored(found.rule_id, found.message)
    ]


def main(arguments: list[str]) -> int:
    """Checks the given templates, or all of them."""
    templates = [pathlib.Path(argument).resolve() for argument in arguments]
    templates = templates or sorted((ROOT / "cloudformation").rglob("*.yaml"))
    engine = RegoEngine()
    found = [line for template in templates for line in findings(template, engine)]
    print("\n".join(found) or f"cloudformation-validate: {len(templates)} templates, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
