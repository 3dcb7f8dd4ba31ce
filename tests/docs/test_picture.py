"""Prevents: a picture that a code host does not show, or that a reader in the dark cannot see, or that forgot a function."""

import unittest
import xml.etree.ElementTree as ElementTree

from pages.page import ROOT

SVG = "{http://www.w3.org/2000/svg}"


class Picture(unittest.TestCase):
    """See the sentences."""

    def setUp(self):
        self.text = (ROOT / "docs/architecture.svg").read_text()
        self.root = ElementTree.fromstring(self.text)

    def test_it_needs_nothing_but_itself(self):
        foreign = [
            one for one in ("<script", "<image", "<foreignObject", "href=", "@import", "var(") if one in self.text
        ]
        self.assertEqual(foreign, [])
        self.assertEqual(self.root.tag, f"{SVG}svg")

    def test_it_is_told_to_those_who_cannot_see_it(self):
        self.assertEqual(self.root.get("aria-labelledby"), "title desc")
        for name in ("title", "desc"):
            self.assertGreater(len(self.root.find(f"{SVG}{name}").text.split()), 5)

    def test_every_colour_has_one_for_the_dark(self):
        light, dark = self.root.find(f".//{SVG}style").text.split("@media (prefers-color-scheme: dark)")
        coloured = {rule.split("{")[0].strip() for rule in light.split("}") if "#" in rule.split("{")[-1]}
        for one in coloured:
            self.assertRegex(dark, rf"{one.replace('.', r'[.]')}\b")

    def test_nothing_lies_outside_of_it(self):
        _, _, width, height = map(float, self.root.get("viewBox").split())
        for one in self.root.iter():
            if one.tag in (f"{SVG}rect", f"{SVG}text"):
                right = float(one.get("x", 0)) + float(one.get("width", 0))
                bottom = float(one.get("y", 0)) + float(one.get("height", 0))
                self.assertTrue(right <= width and bottom <= height, ElementTree.tostring(one))

    def test_every_function_is_in_it(self):
        shown = {one.text for one in self.root.iter(f"{SVG}text")}
        functions = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")}
        self.assertEqual(functions - shown, set())


if __name__ == "__main__":
    unittest.main()
