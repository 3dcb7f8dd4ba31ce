#!/usr/bin/env python3
"""The house's own rules: forbidden words, sizes of files and functions, links of the documents.

Prints every offender as `path:line: what and why`; exits 1 when there is one. Reads what git tracks or would track.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES = 60
# Lines without the tests at a file's end; a template counts whole.
FILE_LINES = {".rs": 400, ".py": 400, ".php": 400, ".yaml": 500}
# One nested stack a module: they grow with them, and CloudFormation's limit in bytes, which tests/templates holds, is their own.
ANY_SIZE = {"cloudformation/mautic.yaml", "cloudformation/modules/mautic-service.yaml"}
FORBIDDEN = {
    r"\btodo!|\bunimplemented!": "unfinished code",
    r"\bdbg!": "left-over debugging",
    r"\b(TODO|FIXME|XXX)\b": "unfinished work: finish it, or say it in the documents",
    r"#\[ignore": "a test that does not run",
    r"assert!\(true\)": "a test that cannot fail",
    r"\b(crates\.io|pypi\.org|pythonhosted|npmjs\.(org|com)|deb\.debian|archive\.ubuntu)": "a registry's host name",
    r"(?<![\w./$-])/(work|root|home/\w+)/": "a path of one machine",
    r"\bAKIA(?![0-9A-Z]*EXAMPLE\b)[0-9A-Z]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY": "a secret",
}
PROSE = {".md", ".lock", ".svg", ".pem"}
# Written by tools: versions and hashes, which name where they came from.
GENERATED = {"Cargo.lock", "tests/local-aws/requirements.txt", "tests/templates/checkov/requirements.txt"}


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [Path(name) for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def forbidden_words(path: Path, lines: list[str]) -> list[str]:
    if str(path) in GENERATED or path.name == Path(__file__).name:
        return []
    return [
        f"{path}:{number}: {reason}: {found.group(0)}"
        for number, line in enumerate(lines, 1)
        for pattern, reason in FORBIDDEN.items()
        if (found := re.search(pattern, line))
    ]


def without_tests(path: Path, lines: list[str]) -> list[str]:
    """A Rust file's lines before its test module."""
    if path.suffix != ".rs":
        return lines
    for number, line in enumerate(lines):
        if line.startswith("#[cfg(test)]"):
            return lines[:number]
    return lines


def file_size(path: Path, lines: list[str]) -> list[str]:
    limit = FILE_LINES.get(path.suffix)
    count = len(without_tests(path, lines))
    if limit is None or count <= limit:
        return []
    return [f"{path}:1: {count} lines, more than {limit}: two ideas in one room?"]


def rust_functions(lines: list[str]) -> list[tuple[str, int, int]]:
    """Name, first line and length of each function, found by rustfmt's indentation: it closes where it began."""
    found = []
    for number, line in enumerate(lines):
        opened = re.match(r"(\s*)(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?fn (\w+)", line)
        if not opened:
            continue
        for length, candidate in enumerate(lines[number:], 1):
            if candidate.rstrip() == opened[1] + "}":
                found.append((opened[2], number + 1, length))
                break
            # A body on the same line, or none: a trait's signature ends with a semicolon where it began.
            signature_ends = length == 1 or candidate.startswith(opened[1] + ")")
            if signature_ends and candidate.rstrip().endswith(("}", ";")):
                break
    return found


def python_functions(source: str) -> list[tuple[str, int, int]]:
    return [
        (node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def function_size(path: Path, lines: list[str]) -> list[str]:
    functions = {
        ".rs": lambda: rust_functions(lines),
        ".py": lambda: python_functions("\n".join(lines)),
    }.get(path.suffix)
    return [
        f"{path}:{line}: function {name} has {length} lines, more than {FUNCTION_LINES}"
        for name, line, length in (functions() if functions else [])
        if length > FUNCTION_LINES
    ]


def anchors(path: Path) -> set[str]:
    """The anchors that a code host gives a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path, lines: list[str]) -> list[str]:
    """Every file and heading that a document links to, or names in backticks with a folder, exists."""
    if path.suffix != ".md":
        return []
    problems = []
    for number, line in enumerate(lines, 1):
        for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#?([^)\s]*)\)", line):
            linked = ROOT / path.parent / target if target else ROOT / path
            if not linked.exists():
                problems.append(f"{path}:{number}: links to {target}, which does not exist")
            elif anchor and anchor not in anchors(linked):
                problems.append(f"{path}:{number}: links to {target}#{anchor}, which is no heading there")
        for target in re.findall(r"`((?:cloudformation|functions|shared|tests|docs|tools)/[\w./-]+)`", line):
            if not (ROOT / target).exists():
                problems.append(f"{path}:{number}: names {target}, which does not exist")
    return problems


def offenders() -> list[str]:
    found = []
    for path in tracked():
        try:
            lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += forbidden_words(path, lines)
        if path.suffix not in PROSE and str(path) not in GENERATED | ANY_SIZE:
            found += file_size(path, lines) + function_size(path, lines)
        found += broken_links(path, lines)
    return found


def main() -> int:
    found = offenders()
    print("\n".join(found) if found else "house rules: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
