"""Prevents: a page that outlived what it describes, and a bill whose sum is wrong."""

import re
import unittest
from decimal import Decimal
from unittest import mock

from pages import architecture, cost, parameters, permissions, quantities, readme, runbooks
from pages.page import ROOT, table
from pages.prices import PRICES
from pages.templates import modules, resources


class Pages(unittest.TestCase):
    """Every page that is made from the templates is as it would be made now."""

    maxDiff = None

    def test_pages_are_up_to_date(self):
        for made in (
            parameters.made(),
            permissions.made(),
            cost.made(),
            runbooks.made(),
            readme.made(),
            architecture.made(),
        ):
            with self.subTest(made.path):
                self.assertEqual(
                    (ROOT / made.path).read_text(), made.text, f"{made.path} is out of date: run `make docs`"
                )

    def test_every_parameter_of_the_root_template_has_a_row(self):
        text = (ROOT / parameters.made().path).read_text()
        rows = re.findall(r"^\| `(\w+)` \|", text.split("## Outputs")[0], re.MULTILINE)
        declared = re.findall(r"^  (\w+):$", _section((ROOT / "cloudformation/mautic.yaml").read_text()), re.MULTILINE)
        self.assertEqual(sorted(rows), sorted(declared))

    def test_a_bar_in_a_cell_does_not_end_it(self):
        self.assertEqual(table(["a"], [["x|y"]]), "| a |\n| --- |\n| x\\|y |")


class Cost(unittest.TestCase):
    """The page's own figures, computed again from what it shows."""

    def setUp(self):
        lines = (ROOT / "docs/cost.md").read_text().split("| Item |")[1].split("\n\n")[0].splitlines()[2:]
        self.rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]

    def test_every_amount_is_its_quantity_times_its_price(self):
        for name, counts, prices, *amounts in self.rows[:-1]:
            numbers = [_number(part.split()[0]) for part in counts.split(" / ")]
            each = [_number(part) for part in prices.split(" / ")]
            each = each * 3 if len(each) == 1 else each
            for number, price, amount in zip(numbers, each, amounts, strict=True):
                with self.subTest(name):
                    self.assertLessEqual(abs(number * price - _number(amount)), Decimal("0.005"))

    def test_the_last_row_is_the_sum_of_the_others(self):
        *rows, total = self.rows
        self.assertGreater(len(rows), 10)
        for column in (3, 4, 5):
            with self.subTest(total[column]):
                self.assertEqual(sum(_number(row[column]) for row in rows), _number(total[column].strip("*")))

    def test_prices_are_positive_and_spot_is_cheaper(self):
        for name, price in PRICES.items():
            self.assertGreater(price.dollars, 0, name)
            if "Spot" in name:
                self.assertLess(price.dollars, PRICES[name.replace(" Spot", "")].dollars, name)

    def test_production_costs_more_than_test_and_test_more_than_dev(self):
        dev, test, prod = (cost.total(one) for one in cost.ENVIRONMENTS)
        self.assertLess(dev, test)
        self.assertLess(test, prod)


class Quantities(unittest.TestCase):
    """What AWS bills by the piece is counted by the piece."""

    def changed(self, name, value):
        given = quantities.given
        return mock.patch.object(quantities, "given", lambda one, other: value if other == name else given(one, other))

    def test_a_metric_by_job_is_one_for_each_job_that_runs(self):
        before = quantities.metrics_of_logs("prod"), quantities.job_hours("prod")
        with self.changed("OptionalJobs", "both"):
            after = quantities.metrics_of_logs("prod"), quantities.job_hours("prod")
        # Four jobs more, each with how often it succeeded and how long it took; one of them runs every few minutes.
        self.assertEqual(after[0] - before[0], 8)
        self.assertGreater(after[1], before[1])

    def test_every_alarm_of_the_cache_watches_every_node(self):
        alarms = sum(1 for module, _, _ in resources(modules(), "AWS::CloudWatch::Alarm") if module == "cache-alarms")
        with self.changed("CacheReplicas", "2"):
            self.assertEqual(quantities.watched_metrics("prod") - self.with_one_replica(), alarms)

    def with_one_replica(self):
        with self.changed("CacheReplicas", "1"):
            return quantities.watched_metrics("prod")


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _section(template: str) -> str:
    return template.split("\nParameters:\n")[1].split("\nRules:\n")[0]


if __name__ == "__main__":
    unittest.main()
