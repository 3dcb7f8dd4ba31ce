"""What the property tests share: a test case that names every combination in which a property fails."""

from __future__ import annotations

import collections
import unittest
from collections.abc import Iterable
from typing import Any

from combinations import Deployment, deployments

Finding = tuple[Any, Any, str]
"""A combination (or a file), a thing in it, and what is wrong with that thing."""


class PropertyTest(unittest.TestCase):
    """A property that holds for every resource of every combination."""

    maxDiff = None

    def holds(self, findings: Iterable[Finding]) -> None:
        """Fails with one line a finding, however many combinations have it."""
        places = collections.defaultdict(list)
        for place, thing, wrong in findings:
            places[f"{thing}: {wrong}"].append(str(place))
        if places:
            self.fail(
                "\n" + "\n".join(f"{text} [{len(names)} times, first: {names[0]}]" for text, names in places.items())
            )

    def everywhere(self, *types: str) -> list[tuple[Deployment, Any]]:
        """Every resource of these types with its combination; at least one, or the test would prove nothing."""
        found = [(deployment, resource) for deployment in deployments() for resource in deployment.resources(*types)]
        self.assertTrue(found, f"no resource of {types}: has the type been renamed?")
        return found


def owner(deployment: Deployment, text: str) -> Any:
    """The resource that a placeholder stands for."""
    from template_model import PLACEHOLDER

    found = PLACEHOLDER.fullmatch(text)
    if not found:
        raise AssertionError(f"{text!r} names no resource of the stack")
    return deployment.modules[found[1]].resources[found[2]]
