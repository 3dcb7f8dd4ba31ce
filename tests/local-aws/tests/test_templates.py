"""Templates read by libyaml are what the emulator's own loader makes of them."""

import unittest
from pathlib import Path

import support  # noqa: F401 - makes the package importable
import yaml
from local_aws.emulator.templates import by_libyaml, once
from ministack.services.cloudformation.engine import CfnLoader

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "cloudformation").rglob("*.yaml"))
# Each short form in its scalar, sequence and mapping shape, and what YAML would take for something else.
SHAPES = """
A: !Sub "${B}-${C.D}"
B: !GetAtt C.D.E
C: !GetAtt [D, E]
D: !Join ["-", [!Ref A, !Select [0, !GetAZs ""]]]
E: !If [F, {G: !Ref AWS::NoValue}, !FindInMap [H, !Ref I, J]]
Version: 2012-10-17
Day: 2026-11-28
Numbers: [010, 1e3, "010", 0x1F, 1_000]
Words: [yes, off, ~, null, "null", 'it''s']
Text: |
  two
  lines
Folded: >-
  one
  line
Same: &same {K: v}
Again: *same
"""


class Templates(unittest.TestCase):
    """See the sentences."""

    def test_every_template_reads_alike(self):
        self.assertGreater(len(TEMPLATES), 10)
        for path in TEMPLATES:
            with self.subTest(path.name):
                self.assert_alike(path.read_text())

    def test_every_short_form_and_scalar_reads_alike(self):
        self.assert_alike(SHAPES)

    def test_it_is_libyamls_parser_that_reads(self):
        self.assertTrue(issubclass(by_libyaml(CfnLoader), yaml.CSafeLoader))

    def test_a_broken_template_is_refused_with_the_place(self):
        with self.assertRaisesRegex(yaml.YAMLError, "line 2, column 4"):
            yaml.load("A: b\nC: [d\n", by_libyaml(CfnLoader))

    def test_a_text_is_parsed_once_and_each_reader_has_a_copy(self):
        texts = []

        def parse(text: str) -> dict[str, list[str]]:
            texts.append(text)
            if not text:
                raise ValueError("empty")
            return {"Resources": [text]}

        read = once(parse)
        read("a")["Resources"].append("b")
        self.assertEqual((read("a"), read("c")), ({"Resources": ["a"]}, {"Resources": ["c"]}))
        self.assertEqual(texts, ["a", "c"])
        for _ in range(2):
            with self.assertRaisesRegex(ValueError, "empty"):
                read("")

    def assert_alike(self, text: str) -> None:
        self.assertFalse(issubclass(CfnLoader, yaml.CSafeLoader), "the original is needed to compare with")
        self.assertEqual(yaml.load(text, by_libyaml(CfnLoader)), yaml.load(text, CfnLoader))


if __name__ == "__main__":
    unittest.main()
