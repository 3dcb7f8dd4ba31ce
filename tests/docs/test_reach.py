"""Prevents: a page that nobody can find."""

import re
import unittest

from markdown import documents
from pages.page import ROOT

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


class Reach(unittest.TestCase):
    """See the sentence."""

    def test_every_document_can_be_reached_from_the_readme_by_links(self):
        texts = documents()
        reached, waiting = set(), ["README.md"]
        while waiting:
            path = waiting.pop()
            if path in texts and path not in reached:
                reached.add(path)
                folder = (ROOT / path).parent
                linked = [(folder / target).resolve() for target in LINK.findall(texts[path])]
                waiting += [str(one.relative_to(ROOT)) for one in linked if one.is_relative_to(ROOT)]
        self.assertGreater(len(reached), 20)
        self.assertEqual(texts.keys() - reached, set())


if __name__ == "__main__":
    unittest.main()
