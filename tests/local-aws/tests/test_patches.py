"""The table of what we touch in the emulator, checked before anything starts."""

import re
import unittest
from pathlib import Path
from unittest import mock

import support  # noqa: F401 - makes the package importable
from local_aws.emulator import patches


class Names(unittest.TestCase):
    """See the sentences."""

    def test_missing_name_is_named_with_the_pinned_version(self):
        table = {
            "ministack.core.arn": ("parse_arn", "no_such_name"),
            "ministack.core.lambda_runtime": ("Worker.invoke", "Worker.no_such_method"),
            "ministack.no_such_module": ("anything",),
        }
        with self.assertRaises(patches.IncompatibleEmulator) as caught:
            patches.require([table])
        self.assertEqual(
            str(caught.exception),
            "ministack 1.5.33 has no ministack.core.arn.no_such_name, ministack.core.lambda_runtime.Worker.no_such_method, "
            "ministack.no_such_module.anything: the package was modified, or a table NAMES in tests/local-aws/local_aws/emulator/ is wrong",
        )

    def test_other_version_is_refused(self):
        with mock.patch("importlib.metadata.version", return_value="1.5.34"):
            with self.assertRaises(patches.IncompatibleEmulator) as caught:
                patches.require_version()
        self.assertEqual(
            str(caught.exception),
            "ministack 1.5.34 is installed, but the local AWS is written for 1.5.33: "
            "install tests/local-aws/requirements.txt",
        )

    def test_pinned_version_is_the_required_one(self):
        requirements = (Path(__file__).parents[1] / "requirements.txt").read_text()
        self.assertIn(f"ministack=={patches.VERSION} ", requirements)

    def test_every_private_name_that_a_module_uses_stands_in_its_table(self):
        folder = Path(patches.__file__).parent
        for path in sorted(folder.glob("*.py")):
            text = path.read_text()
            table = text[text.find("NAMES") : text.find("\n}\n", text.find("NAMES"))] if "NAMES" in text else ""
            imported = re.findall(r"^from ministack[\w.]* import (.+)$", text, re.MULTILINE)
            modules = [one.strip() for line in imported for one in line.split(",")]
            used = {name for module in modules for name in re.findall(rf"\b{module}\.(_(?!_)\w+)", text)}
            absent = sorted(name for name in used if f'"{name}"' not in table)
            self.assertEqual(absent, [], f"{path.name} uses them and its NAMES do not say so")


if __name__ == "__main__":
    unittest.main()
