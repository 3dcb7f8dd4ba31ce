"""Prevents: a console form of forty bare names; a template that CloudFormation refuses for its size; and files of which
each is laid out in a way of its own.
"""

from __future__ import annotations

import re
import unittest

from support import PropertyTest
from template_model import TEMPLATES, load, templates

SECTIONS = (
    "AWSTemplateFormatVersion Description Metadata Parameters Rules Mappings Conditions Resources Outputs".split()
)
RESOURCE_KEYS = "Condition DependsOn DeletionPolicy UpdateReplacePolicy UpdatePolicy Type Properties".split()
CONSTRAINTS = {"AllowedValues", "AllowedPattern", "MinValue", "MinLength", "MaxLength"}
# What CloudFormation takes from S3, and inline, in bytes.
LARGEST_TEMPLATE, LARGEST_INLINE = 1_000_000, 51_200


class Parameters(PropertyTest):
    def interface(self, template):
        return template["Metadata"]["AWS::CloudFormation::Interface"]

    def test_every_parameter_stands_in_one_group_and_in_the_groups_order(self):
        for path in templates():
            with self.subTest(path.name):
                groups = self.interface(load(path))["ParameterGroups"]
                grouped = [name for group in groups for name in group["Parameters"]]
                self.assertEqual(grouped, list(load(path)["Parameters"]))
                self.assertTrue(all(group["Label"]["default"] for group in groups))

    def test_every_parameter_has_a_label(self):
        for path in templates():
            with self.subTest(path.name):
                labels = self.interface(load(path))["ParameterLabels"]
                self.assertEqual(list(labels), list(load(path)["Parameters"]))

    def test_every_description_says_first_whether_it_may_be_left_out_and_what_blank_means(self):
        def findings():
            for path in templates():
                for name, declared in load(path)["Parameters"].items():
                    text = declared.get("Description", "")
                    first = "Required" if "Default" not in declared else "(Optional|Required (in|with) )"
                    if not re.match(first, text):
                        yield path.name, name, f"begins {text[:20]!r}"
                    if declared.get("Default") == "" and not re.search(r"[Bb]lank|otherwise unused", text):
                        yield path.name, name, "does not say what blank means"
                    if not text.endswith("."):
                        yield path.name, name, "is no sentence"

        self.holds(findings())

    def test_every_parameter_of_the_root_is_constrained(self):
        self.holds(
            ("mautic.yaml", name, "takes anything")
            for name, declared in load(TEMPLATES / "mautic.yaml")["Parameters"].items()
            if not CONSTRAINTS & declared.keys()
        )

    def test_the_root_constrains_what_it_hands_on_exactly_as_the_module_does(self):
        """A looser root would let a value through that fails inside a nested stack, minutes later."""
        root = load(TEMPLATES / "mautic.yaml")

        def findings():
            for logical_id, declared in root["Resources"].items():
                module = load(TEMPLATES / declared["Properties"]["TemplateURL"])
                for name, value in declared["Properties"]["Parameters"].items():
                    if isinstance(value, dict) and list(value) == ["Ref"]:
                        ours, theirs = root["Parameters"][value["Ref"]], module["Parameters"][name]
                        for key in CONSTRAINTS | {"MaxValue", "Default"}:
                            if key in theirs and str(ours.get(key)) != str(theirs[key]):
                                is_strict = key == "Default" and name in ("Environment", "Application")
                                if not is_strict:
                                    yield logical_id, name, f"{key}: {ours.get(key)!r} here, {theirs[key]!r} there"

        self.holds(findings())


class Layout(PropertyTest):
    def test_sections_come_in_one_order(self):
        for path in templates():
            with self.subTest(path.name):
                found = list(load(path))
                self.assertEqual(found, [section for section in SECTIONS if section in found])

    def test_a_resource_says_whether_and_when_it_is_made_before_what_it_is(self):
        def findings():
            for path in templates():
                for logical_id, declared in load(path)["Resources"].items():
                    if list(declared) != [key for key in RESOURCE_KEYS if key in declared]:
                        yield path.name, logical_id, f"keys in the order {list(declared)}"
                    if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", logical_id):
                        yield path.name, logical_id, "is not in PascalCase"

        self.holds(findings())

    def test_a_template_opens_with_what_it_owns_needs_and_leaves(self):
        for path in templates():
            with self.subTest(path.name):
                lines = path.read_text().splitlines()
                self.assertRegex(
                    lines[1], r"^Description: '[A-Z][A-Za-z ]+: .+, Mautic Server on AWS'$|^Description: 'Mautic Server"
                )
                heads = [line.split(":")[0] for line in lines[3:14] if line.startswith("# ") and line[2] != " "]
                self.assertEqual(
                    [head for head in heads if head in ("# Owns", "# Needs", "# Leaves")],
                    ["# Owns", "# Needs", "# Leaves"],
                )

    def test_every_output_is_described(self):
        self.holds(
            (path.name, name, "has no description")
            for path in templates()
            for name, output in load(path)["Outputs"].items()
            if not output.get("Description")
        )

    def test_templates_are_small_enough_for_cloudformation(self):
        self.holds(
            (path.name, "size", f"{path.stat().st_size} bytes")
            for path in templates()
            if path.stat().st_size > (LARGEST_INLINE if path.parent == TEMPLATES else LARGEST_TEMPLATE)
        )


if __name__ == "__main__":
    unittest.main()
