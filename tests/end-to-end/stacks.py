"""A CloudFormation stack of a test, spoken to as an operator would, with the story of its events for a failure's text."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
from world import PATIENCE, POLL_SECONDS, client

NESTED = "AWS::CloudFormation::Stack"
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class Stack:
    """One stack by its name; after `begin` or `adopt` by its id, which outlives its deletion.

    The template is a text, or the address of one: the root grows beyond what a request may carry.
    """

    def __init__(self, name: str, template: str = "") -> None:
        self.name, self.template = name, template
        self.id = name
        self.cloudformation = client("cloudformation")

    def adopt(self) -> "Stack":
        """Take the id of the stack that has this name now."""
        self.id = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        return self

    def common(self) -> dict[str, str]:
        """The parameters that every operation gives."""
        return {}

    def _request(self, name: str, parameters: dict[str, str]) -> dict[str, Any]:
        values = _pairs({**self.common(), **parameters})
        source = "TemplateURL" if self.template.startswith("http") else "TemplateBody"
        return {"StackName": name, source: self.template, "Capabilities": CAPABILITIES, "Parameters": values}

    def begin(self, **parameters: str) -> "Stack":
        """Start to create it."""
        self.id = self.cloudformation.create_stack(**self._request(self.name, parameters))["StackId"]
        return self

    def create(self, **parameters: str) -> str:
        """Create it and wait; the status that it ends in."""
        return self.begin(**parameters).settled()

    def begin_update(self, **parameters: str) -> None:
        """Start to update it."""
        self.cloudformation.update_stack(**self._request(self.id, parameters))

    def update(self, **parameters: str) -> str:
        """Update it and wait; the status that it ends in."""
        self.begin_update(**parameters)
        return self.settled()

    def begin_delete(self) -> None:
        """Start to delete it."""
        self.cloudformation.delete_stack(StackName=self.id)

    def delete(self) -> str:
        """Delete it and wait; the status that it ends in."""
        self.begin_delete()
        return self.settled()

    def described(self) -> dict[str, Any]:
        """DescribeStacks."""
        return self.cloudformation.describe_stacks(StackName=self.id)["Stacks"][0]

    def settled(self, patience: float = PATIENCE) -> str:
        """Wait for the end of the operation that runs."""
        deadline = time.monotonic() + patience
        while (status := self.described()["StackStatus"]).endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} still is {status} after {patience:.0f} s:\n{self.story()}")
            time.sleep(POLL_SECONDS)
        return status

    def outputs(self) -> dict[str, str]:
        """The outputs by name."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.described().get("Outputs", [])}

    def physical_id(self, logical_id: str) -> str:
        """A resource's id; of one that is gone the last that its events name, which outlive it."""
        with contextlib.suppress(botocore.exceptions.ClientError):
            asked = {"StackName": self.id, "LogicalResourceId": logical_id}
            found = self.cloudformation.describe_stack_resource(**asked)["StackResourceDetail"]
            if found.get("PhysicalResourceId"):
                return found["PhysicalResourceId"]
        ids = [one.get("PhysicalResourceId") for one in self.events() if one["LogicalResourceId"] == logical_id]
        if not any(ids):
            raise AssertionError(f"{self.name} has no {logical_id}:\n{self.story()}")
        return [one for one in ids if one][-1]

    def nested(self, logical_id: str) -> "Stack":
        """The nested stack that this resource is."""
        below = Stack(f"{self.name}/{logical_id}")
        below.id = self.physical_id(logical_id)
        return below

    def events(self) -> list[dict[str, Any]]:
        """This stack's own events, oldest first."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.id)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def tree(self) -> Iterator["Stack"]:
        """This stack and every nested one that its events ever named."""
        yield self
        found = dict.fromkeys(
            (event["PhysicalResourceId"], event["LogicalResourceId"])
            for event in self.events()
            if event["ResourceType"] == NESTED and event.get("PhysicalResourceId") not in (None, "", self.id)
        )
        for stack_id, logical_id in found:
            below = Stack(f"{self.name}/{logical_id}")
            below.id = stack_id
            yield from below.tree()

    def story(self) -> "Story":
        """The events of the whole tree as lines, for the text of a failure."""
        return Story(self)

    def lines(self) -> list[str]:
        """What the story tells."""
        return [
            f"{event['Timestamp']:%H:%M:%S} {stack.name} {event['LogicalResourceId']} {event['ResourceStatus']}"
            f" {event.get('ResourceStatusReason', '')}".rstrip()
            for stack in self.tree()
            for event in stack.events()
        ]

    def reason(self, logical_id: str, status: str) -> str:
        """The reason of the last event of a resource with this status."""
        for event in reversed(self.events()):
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status):
                return event.get("ResourceStatusReason", "")
        raise AssertionError(f"no event {status} of {logical_id}:\n{self.story()}")

    def took(self, logical_id: str, begun: str, ended: str) -> float:
        """Seconds from the first event with one status to the last with the other."""
        times = [
            [
                event["Timestamp"]
                for event in self.events()
                if (event["LogicalResourceId"], event["ResourceStatus"]) == one
            ]
            for one in ((logical_id, begun), (logical_id, ended))
        ]
        if not all(times):
            raise AssertionError(f"{logical_id} was never {begun} and then {ended}:\n{self.story()}")
        return (times[1][-1] - times[0][0]).total_seconds()


class Story:
    """A stack's story, asked for only when a failure shows it: nearly every assertion names one, and each costs a dozen calls."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __str__(self) -> str:
        return "\n".join(self._stack.lines())


def _pairs(parameters: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def shown(value: Any) -> str:
    """A value as indented JSON, for the text of a failure."""
    return json.dumps(value, indent=2, default=str)
