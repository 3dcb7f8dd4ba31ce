"""Whoever watches a deployment sees what happens in a nested stack when it happens, not when that stack has ended."""

import re
import unittest

import driver
from fixtures import TEMPLATES, faulty_template
from stacks import Stack
from world import BUCKET, DIST, client

NAME = "watched"
SECONDS = 4
APART = 1
"""Seconds; rows that are held back until the nested stack has ended appear together, and these may come late by all the others."""


class RowsOfNestedStacksAppearWhileTheyWork(unittest.TestCase):
    """One stack with one below it, created and then updated."""

    def test_rows_come_seconds_before_the_nested_stack_ends(self) -> None:
        text, parameters = faulty_template()
        client("s3").put_object(Bucket=BUCKET, Key="faulty.yaml", Body=text.encode())
        address = f"{client('s3').meta.endpoint_url}/{BUCKET}/faulty.yaml"
        template = DIST / "nesting.yaml"
        template.write_text((TEMPLATES / "nesting.yaml").read_text())
        for seconds, status in ((SECONDS, "CREATE"), (SECONDS + 1, "UPDATE")):
            settings = {**parameters, "Template": address, "Seconds": str(seconds)}
            printed = list(driver.watched(NAME, template, **settings))
            begun = self.moment(printed, f"{status}_IN_PROGRESS", "Below / Thing")
            ended = self.moment(printed, f"{status}_COMPLETE", "Below")
            self.assertGreater(ended - begun, APART, self.told(printed))
        self.assertEqual(driver.delete(Stack(NAME).adopt()).returncode, 0)

    def moment(self, printed: list[tuple[float, str]], status: str, path: str) -> float:
        """When the row of this status and path appeared."""
        for moment, line in printed:
            if re.search(rf" {status} +{path}(  |$)", line):
                return moment
        self.fail(f"no row {status} {path}:\n{self.told(printed)}")

    def told(self, printed: list[tuple[float, str]]) -> str:
        return "\n".join(f"{moment:6.1f} {line}" for moment, line in printed)
