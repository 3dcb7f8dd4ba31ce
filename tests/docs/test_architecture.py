"""Prevents: a function that the architecture does not speak of."""

import re
import unittest

from pages.page import ROOT


class Architecture(unittest.TestCase):
    """See the sentence."""

    def test_every_function_has_its_line(self):
        listed = re.findall(r"^- `functions/([\w-]+)`", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
        functions = [path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")]
        self.assertEqual(sorted(listed), sorted(functions))


if __name__ == "__main__":
    unittest.main()
