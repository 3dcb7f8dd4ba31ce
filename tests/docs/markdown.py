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
    for found in re.finditer(rf"(?:^|(?<=\$\()|(?<=[;&|(] )|(?<=\())[ \t]*({name} .+)", piece, re.MULTILINE):
        yield _first(piece[found.start(1) :])


def _first(text: str) -> str:
    """The first command of a text: ends at an unquoted `;`, `|`, `&`, `)`, or line break."""
    quote, depth, position = "", 0, 0
    for position, letter in enumerate(text):  # noqa: B007 - the position is used after the loop
        if quote == "'" or (quote and letter == quote):
            quote = "" if letter == quote else quote
        elif text.startswith("$(", position):
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif letter in "\"'":
            quote = quote or letter
        elif not quote and letter in ";|&)\n":
            return text[:position]
    return text[: position + 1]
