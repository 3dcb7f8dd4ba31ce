"""What is proved, a module a proof; the classes run side by side."""

import unittest
from pathlib import Path

from side_by_side import SideBySide
from world import stop, world


def load_tests(loader: unittest.TestLoader, _: unittest.TestSuite, __: str | None) -> unittest.TestSuite:
    """Every module here; called by `python -m unittest discover`."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    return SideBySide(world, stop, (loader.loadTestsFromName(f"{__name__}.{name}") for name in modules))
