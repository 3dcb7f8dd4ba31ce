"""Prevents: a remedy for a message that nobody prints any more."""

import re
import unittest

from pages.page import ROOT

CONTINUED = re.compile(r"\\\n\s*")
# Words of a message that stand for a value are not in the code.
VALUES = r" \.\.\. "


class Troubleshooting(unittest.TestCase):
    """See the sentence."""

    def test_every_quoted_reason_is_one_that_the_code_gives(self):
        sources = [*(ROOT / "functions").rglob("src/**/*.rs"), *(ROOT / "shared").rglob("src/**/*.rs")]
        code = CONTINUED.sub("", "\n".join(path.read_text() for path in sources))
        text = (ROOT / "docs/troubleshooting.md").read_text()
        tables = re.findall(r"\| The reason says \|.*?\n\n", text, re.DOTALL)
        quoted = [one for rows in tables for one in re.findall(r"^\| `(.+?)`", rows, re.MULTILINE)]
        self.assertGreater(len(quoted), 10)
        missing = [one for one in quoted for part in re.split(VALUES, one) if part not in code]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
