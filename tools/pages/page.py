"""A page and the tables in it."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterable, Sequence

ROOT = pathlib.Path(__file__).resolve().parents[2]
MADE_BY = "<!-- Made by `make docs`; edit {source} instead. -->"


@dataclasses.dataclass(frozen=True)
class Page:
    """A whole file below the project's folder."""

    path: str
    text: str


def page(path: str, source: str, title: str, blocks: Iterable[str]) -> Page:
    """The blocks below the title, with a word on where they come from that only an editor sees."""
    return Page(path, "\n\n".join([MADE_BY.format(source=source), f"# {title}", *blocks]) + "\n")


def with_parts(path: str, parts: dict[str, str]) -> Page:
    """A page that people write, with the parts in it that are made: what stands between `<!-- NAME: made ... -->` and `<!-- /NAME -->`."""
    text = (ROOT / path).read_text()
    for name, part in parts.items():
        text, count = re.subn(
            rf"(<!-- {name}: made by `make docs` -->\n).*?(<!-- /{name} -->)",
            lambda found, part=part: f"{found[1]}{part}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
        if count != 1:
            raise SystemExit(f"{path} has {count} places for the part '{name}': there must be one")
    return Page(path, text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
