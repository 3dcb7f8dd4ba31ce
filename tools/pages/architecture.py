"""The table of modules in docs/architecture.md, out of the comments at the head of each template."""

from __future__ import annotations

import re

from pages.page import Page, table, with_parts
from pages.templates import CLOUDFORMATION, modules

PATH = "docs/architecture.md"


def owns(module: str) -> str:
    """What the comment at the template's head says that it owns."""
    text = (CLOUDFORMATION / "modules" / f"{module}.yaml").read_text()
    found = re.search(r"^# Owns: +(.*\n(?:#  +.*\n)*)", text, re.MULTILINE)
    if not found:
        raise SystemExit(f"{module}.yaml does not say what it owns: its head lacks a comment '# Owns: ...'")
    return " ".join(found[1].replace("#", " ").split())


def made() -> Page:
    """The page with its table as the templates are now."""
    rows = [[f"[{name}](../cloudformation/modules/{name}.yaml)", owns(name)] for name in modules()]
    return with_parts(PATH, {"modules": table(["Module", "Owns"], rows)})
