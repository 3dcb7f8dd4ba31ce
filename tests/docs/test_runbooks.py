"""Prevents: an alarm at night that nobody knows what to do about, and a page about an alarm that is gone."""

import re
import unittest

from pages.page import ROOT
from pages.runbooks import FOLDER, HEADINGS, Alarm, alarms


class Runbooks(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def test_every_alarm_has_its_page_and_every_page_its_alarm(self):
        wanted = {one.runbook: f"{one.module}: {one.logical_id}" for one in alarms()}
        found = {path.name for path in (ROOT / FOLDER).glob("*.md")} - {"README.md"}
        self.assertGreater(len(wanted), 10, "hardly any alarm was found: has the templates' form changed?")
        self.assertEqual(
            {name: wanted[name] for name in wanted.keys() - found}, {}, f"alarms without a page in {FOLDER}"
        )
        self.assertEqual(found - wanted.keys(), set(), "pages without an alarm")

    def test_every_alarms_description_ends_with_the_address_of_its_page(self):
        wrong = [
            f"{one.module}: {one.logical_id} should end with 'Runbook: {FOLDER}/{one.runbook}': {one.description!r}"
            for one in alarms()
            if not one.description.endswith(f" Runbook: {FOLDER}/{one.runbook}")
        ]
        self.assertEqual(wrong, [])

    def test_every_page_has_the_four_headings_and_something_below_each(self):
        for path in sorted((ROOT / FOLDER).glob("*.md")):
            if path.name == "README.md":
                continue
            with self.subTest(path.name):
                title, *sections = re.split(r"^## ", path.read_text(), flags=re.MULTILINE)
                self.assertRegex(title, r"^# \S")
                self.assertEqual([one.split("\n", 1)[0] for one in sections], HEADINGS)
                for heading, section in zip(HEADINGS, sections, strict=True):
                    self.assertGreater(len(section.split()), 6, f"{heading} says next to nothing")

    def test_a_name_is_cut_into_words_as_people_read_it(self):
        for logical_id, page in {
            "DatabaseCPUUtilizationTooHighAlarm": "database-cpu-utilization-too-high.md",
            "Target5xxTooManyAlarm": "target-5xx-too-many.md",
            "HTTPCode5XXTooManyAlarm": "http-code-5xx-too-many.md",
            "SesDomainSlowAlarm": "ses-domain-slow.md",
            "CertificateExpiresIn30DaysAlarm": "certificate-expires-in-30-days.md",
        }.items():
            self.assertEqual(Alarm("", logical_id, "").runbook, page)


if __name__ == "__main__":
    unittest.main()
