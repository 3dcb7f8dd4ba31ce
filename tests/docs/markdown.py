"""What the documents say in code: blocks, spans, and the shell commands in them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from pages.page import ROOT

FENCE = re.compile(r"(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)\n```", re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {4,}|\t)\S.*\n?)+", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, why it is not run, and the heading that it stands below."""

    heading: str
    language: str
    text: str
    reason: str | None


def documents() -> dict[str, str]:
    """Every document for people, by its path."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks in their order."""
    for found in FENCE.finditer(text):
        headings = re.findall(r"^##+ (.+)$", text[: found.start()], re.MULTILINE)
        yield Block(headings[-1] if headings else "", found["language"], found["text"], found["reason"])


def spans(text: str) -> list[str]:
    """What stands between backticks in running text, line breaks as spaces."""
    return [" ".join(span.split()) for span in SPAN.findall(INDENTED.sub("", FENCE.sub("", text)))]


def code(text: str) -> list[str]:
    """Every piece of code: blocks, indented lines, spans; lines that a backslash continues are joined."""
    fenced = [found["text"] for found in FENCE.finditer(text) if found["language"] in ("", "sh")]
    indented = INDENTED.findall(FENCE.sub("", text))
    return [re.sub(r"\\\n\s*", " ", piece) for piece in [*fenced, *indented, *spans(text)]]


def commands(piece: str, name: str) -> Iterator[str]:
    """The commands of that name in a piece of code, those inside `$(...)` too, each up to where the shell ends it."""
    begins = rf"(?:^[ \t]*|(?<=\$\()|(?<=[;&|(] )|(?<=\())(?={name} )"
    for found in re.finditer(begins, piece, re.MULTILINE):
        yield _first(piece[found.end() :])


def _first(text: str) -> str:
    """The first command of a text, up to an unquoted `;`, `|`, `&`, `>`, `)` or line break; what `$(...)` would give becomes 1."""
    kept, open_, position = "", [], 0
    while position < len(text):
        letter, inside = text[position], open_[-1] if open_ else ""
        if not open_ and letter in ";|&>)\n":
            break
        if text.startswith("$(", position) and inside != "'":
            kept += "" if ")" in open_ else "1"
            open_.append(")")
            position += 2
            continue
        kept += "" if ")" in open_ else letter
        if letter == inside:
            open_.pop()
        elif letter in "\"'" and inside not in ("'", '"'):
            open_.append(letter)
        position += 1
    return kept
