"""Writes data/taggable.txt: what each resource type in the templates does with tags, by AWS's schemas as cfn-lint has them.

Use: .local/venv/bin/python tests/templates/taggable.py, after a template uses a new type, and when cfn-lint is renewed. The suite
resource_tagging fails while the file lacks a type, or has one that no template uses.
"""

from __future__ import annotations

import pathlib
import re

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "templates" / "data" / "taggable.txt"
TYPE = re.compile(r"^ {4}Type: (AWS::\w+::\w+)", re.MULTILINE)


def behaviour(resource_type: str) -> str:
    """`inherits` the stack's tags when it is made, has only its `own`, or `none`."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    tagging = schema.get("tagging", {"taggable": schema.get("taggable", False)})
    if not tagging["taggable"]:
        return "none"
    name = tagging.get("tagProperty", "/properties/Tags").rsplit("/", 1)[-1]
    return f"{'inherits' if tagging.get('tagOnCreate', True) else 'own'} {name}"


def main() -> None:
    """Every type of every template, one a line."""
    templates = (ROOT / "cloudformation").rglob("*.yaml")
    types = sorted({found for path in templates for found in TYPE.findall(path.read_text())})
    TABLE.write_text("".join(f"{one} {behaviour(one)}\n" for one in types))
    print(TABLE.relative_to(ROOT))


if __name__ == "__main__":
    main()
