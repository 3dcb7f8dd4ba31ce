"""docs/environments.md: everything that differs between the environments, by the resolved templates themselves.

`make docs` writes it; test_environments_page.py fails when it is out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from combinations import Deployment, environments
from template_model import PLACEHOLDER, ROOT, TEMPLATES

PATH = ROOT / "docs" / "environments.md"
# The least that the rules accept everywhere, so that nothing but the environment decides.
SAME = {"Domain": "example.com", "AlarmEmail": "alarms@example.com"}
HEAD = """\
<!-- Made by `make docs` out of the templates; edit those instead. -->

# What differs between the environments

`Environment` decides sizes and safety. This page lists every property of every resource that is not the same in dev, test and
prod when the other parameters are left alone. What is not listed is the same. A parameter with a value of its own wins over the
environment: [parameters.md](parameters.md). Names and tags that only carry the environment's name are left out.
"""
FILES = """\
## What the shipped parameter files choose

`make deploy ENV=...` takes its parameters from `cloudformation/environments/`. Put your own domain and addresses there.
"""


def leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each value of a property with its path; a list of names and values by those names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(f"{path}.{key}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            keyed = item.get("Key") or item.get("Name") if isinstance(item, dict) else None
            yield from leaves(f"{path}[{keyed if isinstance(keyed, str) else number}]", item)
    elif isinstance(value, bool):
        yield path, str(value).lower()
    else:
        yield path, PLACEHOLDER.sub(r"`\1.\2`", str(value))


def properties(environment: str) -> dict[str, dict[tuple[str, str], str]]:
    """Module -> (resource, property) -> value, the environment's own name made neutral."""
    deployment = Deployment(environment, {"Environment": environment, **SAME})
    found: dict[str, dict[tuple[str, str], str]] = {}
    for stack in deployment.stacks[1:]:
        module = found.setdefault(stack.module, {})
        for resource in stack.resources.values():
            module[resource.logical_id, ""] = "yes"
            for path, value in leaves("", resource.properties):
                module[resource.logical_id, path.lstrip(".")] = re.sub(rf"\b{environment}\b", "ENVIRONMENT", value)
    return found


def differences(by_environment: list[dict[tuple[str, str], str]]) -> list[list[str]]:
    """A row for each property that is not the same everywhere, and one for each resource that is not made everywhere."""
    keys = sorted(
        dict.fromkeys(key for one in by_environment for key in one), key=_resources_first_seen(by_environment)
    )
    partial = {
        resource for resource, path in keys if not path and not all((resource, "") in one for one in by_environment)
    }
    rows = []
    for resource, path in keys:
        values = [one.get((resource, path), "") for one in by_environment]
        if len(set(values)) == 1 or (resource in partial and path):
            continue
        absent = "not set" if path else "no"
        rows.append([f"`{resource}`", f"`{path}`" if path else "is made", *(value or absent for value in values)])
    return rows


def _resources_first_seen(by_environment: list[dict[tuple[str, str], str]]) -> Callable[[tuple[str, str]], int]:
    """The order of the rows: resource by resource, as the template has them."""
    order = {resource: number for number, (resource, _) in enumerate(key for one in by_environment for key in one)}
    return lambda key: order[key[0]]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def text() -> str:
    """The page as the templates are now."""
    names = environments()
    resolved = [properties(name) for name in names]
    blocks = [HEAD.rstrip()]
    for module in dict.fromkeys(module for one in resolved for module in one):
        rows = differences([one.get(module, {}) for one in resolved])
        if rows:
            blocks += [f"## {module}", table(["Resource", "Property", *names], rows)]
    files = [json.loads((TEMPLATES / "environments" / f"{name}.json").read_text())["Parameters"] for name in names]
    parameters = dict.fromkeys(parameter for one in files for parameter in one)
    chosen = [[f"`{name}`", *(str(one.get(name, "")) for one in files)] for name in parameters]
    return "\n\n".join([*blocks, FILES.rstrip(), table(["Parameter", *names], chosen)]) + "\n"


if __name__ == "__main__":
    PATH.write_text(text())
    print(PATH.relative_to(ROOT))
