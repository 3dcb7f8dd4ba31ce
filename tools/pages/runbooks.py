"""docs/runbooks/README.md: which runbook belongs to which alarm, by what the alarms say of themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from pages.page import Page, page, table
from pages.templates import every_module, resources

FOLDER = "docs/runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
INTRODUCTION = """\
One page an alarm: what it means, what users feel, how to find the cause, what to do. The alarm's mail names its page.

Words in capitals are yours to fill in: `STACK` is the root stack (`mautic-prod`), `FUNCTION`, `INSTANCE` and the like stand in
the alarm as dimensions. `aws logs tail` needs version 2 of the AWS CLI. An alarm that is wrong more often than right is a
defect: change its threshold beside it in the template."""
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|\d+(?:[a-z]+|[A-Z]+(?![a-z]))?")


@dataclasses.dataclass(frozen=True)
class Alarm:
    """An alarm of a template, with its description as it is written there."""

    module: str
    logical_id: str
    description: str

    @property
    def runbook(self) -> str:
        """The name of its page: DatabaseCPUUtilizationTooHighAlarm has database-cpu-utilization-too-high.md."""
        return "-".join(WORDS.findall(self.logical_id.removesuffix("Alarm"))).lower() + ".md"

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        return re.split(r"(?<=[\w%)]\.) (?=[A-Z])", self.description, maxsplit=1)[0]


def alarms() -> Iterator[Alarm]:
    """Every alarm of every module."""
    for module, logical_id, declared in resources(
        every_module(), "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
    ):
        yield Alarm(module, logical_id, _text(declared["Properties"].get("AlarmDescription", "")))


def _text(description: str | dict) -> str:
    """A description without its functions: Sub's text, or the parts of a Join."""
    if isinstance(description, str):
        return description
    ((function, argument),) = description.items()
    if function == "Fn::Join":
        return argument[0].join(_text(part) for part in argument[1])
    return argument[0] if isinstance(argument, list) else str(argument)


def made() -> Page:
    """The index as the templates are now."""
    blocks = [INTRODUCTION]
    for module in every_module():
        rows = [
            [f"[{one.runbook.removesuffix('.md')}]({one.runbook})", one.summary]
            for one in alarms()
            if one.module == module
        ]
        if rows:
            blocks += [f"## {module}", table(["Runbook", "The alarm says"], rows)]
    return page(f"{FOLDER}/README.md", "the alarms in the templates", "Runbooks", blocks)
