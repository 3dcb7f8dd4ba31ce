"""What the README promises is what the code has."""

import re
import unittest

from support import HERE


class Readme(unittest.TestCase):
    """See the sentences."""

    def setUp(self):
        self.text = (HERE.parent / "README.md").read_text()

    def test_recorded_types_are_those_of_the_table(self):
        section = self.text.split("## What is only recorded")[1].split("##")[0]
        code = (HERE.parent / "local_aws" / "emulator" / "recorded.py").read_text()
        table = code[code.index("RECORDED:") : code.index("def install")]
        self.assertEqual(
            re.findall(r"^- `(.+)`$", section, re.MULTILINE), re.findall(r'^    "(AWS::.+?)":', table, re.MULTILINE)
        )

    def test_every_command_is_described(self):
        code = (HERE.parent / "local_aws" / "cli.py").read_text()
        for command in re.findall(r'add_parser\("(\w+)"', code):
            self.assertIn(f"`python -m local_aws {command}", self.text)


if __name__ == "__main__":
    unittest.main()
