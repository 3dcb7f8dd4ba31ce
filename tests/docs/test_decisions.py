"""Prevents: a decision that nobody finds, and one without its price."""

import re
import unittest

from pages.page import ROOT

FOLDER = ROOT / "docs" / "decisions"
NEEDED = ["Context", "Decision", "Cost"]


class Decisions(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def test_the_index_lists_every_decision_by_its_title_and_in_its_order(self):
        titles = {path.name: path.read_text().split("\n", 1)[0] for path in sorted(FOLDER.glob("0*.md"))}
        self.assertGreater(len(titles), 5)
        rows = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
        self.assertEqual([(name, f"# {number} {title}") for number, name, title in rows], list(titles.items()))

    def test_every_number_is_given_once(self):
        numbers = [path.name[:4] for path in FOLDER.glob("0*.md")]
        self.assertEqual(sorted(numbers), sorted(set(numbers)))

    def test_every_decision_says_its_context_the_decision_and_what_it_costs(self):
        for path in FOLDER.glob("0*.md"):
            with self.subTest(path.name):
                parts = re.findall(r"^\*\*(\w+)\.\*\*", path.read_text(), re.MULTILINE)
                self.assertEqual([one for one in parts if one in NEEDED], NEEDED)


if __name__ == "__main__":
    unittest.main()
