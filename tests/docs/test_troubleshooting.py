"""Prevents: a remedy for a message that nobody prints any more."""

import re
import unittest

from pages.page import ROOT

CONTINUED = re.compile(r"\\\n\s*")
# Words of a message that stand for a value are not in the code.
VALUES = r" \.\.\. "


class Troubleshooting(unittest.TestCase):
    """See the sentences."""

    def test_every_quoted_reason_is_one_that_the_code_gives(self):
        sources = [*(ROOT / "functions").rglob("src/**/*.rs"), *(ROOT / "shared").rglob("src/**/*.rs")]
        code = CONTINUED.sub("", "\n".join(path.read_text() for path in sources))
        self.assertEqual(missing("reason", code, 10), [])

    def test_every_quoted_line_of_a_log_is_one_that_the_container_writes(self):
        container = ROOT / "functions/image-build/container"
        code = "\n".join(path.read_text() for folder in ("bin", "lib") for path in (container / folder).iterdir())
        # What Redis and Valkey themselves answer.
        self.assertEqual(missing("log", code + "WRONGPASS", 5), [])


def missing(speaker: str, code: str, fewest: int) -> list[str]:
    """What the page quotes and this code does not say."""
    text = (ROOT / "docs/troubleshooting.md").read_text()
    tables = re.findall(rf"\| The {speaker} says \|.*?\n\n", text, re.DOTALL)
    quoted = [one for rows in tables for one in re.findall(r"^\| `(.+?)`", rows, re.MULTILINE)]
    assert len(quoted) > fewest, quoted
    return [one for one in quoted for part in re.split(VALUES, one) if part not in code]


if __name__ == "__main__":
    unittest.main()
