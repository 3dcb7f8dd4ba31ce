"""Prevents: an operator who learns from the bill, or from an outage, what is different in production."""

from __future__ import annotations

import unittest

from environments_page import PATH, differences, leaves, text


class EnvironmentsPage(unittest.TestCase):
    maxDiff = None

    def test_the_page_is_what_the_templates_say_today(self):
        self.assertEqual(PATH.read_text(), text(), "docs/environments.md is out of date: run `make docs`")

    def test_the_page_knows_the_sizes_that_an_operator_asks_for_first(self):
        page = PATH.read_text()
        for row in (
            "| `DatabaseInstance` | `DBInstanceClass` | db.t4g.small | db.t4g.medium | db.m7g.large |",
            "| `DatabaseInstance` | `MultiAZ` | false | true | true |",
            "| `NatGatewayB` | is made | no | no | yes |",
        ):
            self.assertIn(row, page)

    def test_a_property_that_only_one_environment_has_is_a_difference(self):
        same = {("A", ""): "yes", ("A", "X"): "1"}
        self.assertEqual(differences([same, same | {("A", "Y"): "2"}]), [["`A`", "`Y`", "not set", "2"]])

    def test_a_resource_that_only_one_environment_has_is_one_row(self):
        self.assertEqual(differences([{}, {("A", ""): "yes", ("A", "X"): "1"}]), [["`A`", "is made", "no", "yes"]])

    def test_items_of_a_list_are_named_where_they_have_a_name(self):
        self.assertEqual(
            list(leaves("P", [{"Key": "a", "Value": 1}, {"B": [2]}])),
            [("P[a].Key", "a"), ("P[a].Value", "1"), ("P[1].B[0]", "2")],
        )


if __name__ == "__main__":
    unittest.main()
