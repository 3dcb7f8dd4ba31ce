"""`local_aws rotate`: what was seen too late to judge is tried again, and what was seen in time is judged."""

import contextlib
import unittest
from pathlib import Path
from unittest import mock

from local_aws import rotate
from local_aws.errors import LocalAwsError
from local_aws.rotate import Rotated, Seen

GOOD, OVER, BROKEN = Seen(True, True, True), Seen(True, False, True), Seen(False, True, True)


class Rotate(unittest.TestCase):
    """See the sentences."""

    def rotated(self, *looks: tuple[Seen, float]) -> tuple[int, tuple[Seen, Seen] | None]:
        """How often it rotated and what came of it, where each overlap looks so, so many seconds after the move at most."""
        rotation = mock.Mock()
        rotation.value.return_value = ("first", {})
        rotation.connected.side_effect = lambda held: contextlib.nullcontext()
        rotation.rotate.side_effect = [Rotated("first", {}, {}, seen, within) for seen, within in looks]
        rotation.look.return_value = OVER
        found = None
        with mock.patch.object(rotate, "Rotation", return_value=rotation), contextlib.suppress(LocalAwsError):
            found = rotate.rotate({}, Path(), "stack", lambda _: None)
        return rotation.rotate.call_count, found

    def test_an_overlap_that_was_seen_is_enough(self):
        self.assertEqual(self.rotated((GOOD, 0.3)), (1, (GOOD, OVER)))
        self.assertEqual(self.rotated((GOOD, 9)), (1, (GOOD, OVER)))

    def test_one_that_may_have_been_over_is_tried_again(self):
        self.assertEqual(self.rotated((OVER, 1.0), (OVER, 2.5), (GOOD, 0.3)), (3, (GOOD, OVER)))

    def test_one_that_ended_too_soon_has_failed(self):
        self.assertEqual(self.rotated((OVER, 0.9)), (1, None))

    def test_one_that_is_never_seen_has_failed(self):
        self.assertEqual(self.rotated(*[(OVER, 2.0)] * 5), (5, None))

    def test_a_held_connection_that_ends_has_failed_however_late_it_was_seen(self):
        self.assertEqual(self.rotated((BROKEN, 9)), (1, None))

    def test_a_moment_in_which_the_label_had_not_moved_is_where_the_time_begins(self):
        rotation = rotate.Rotation.__new__(rotate.Rotation)
        labels = iter([["AWSPENDING"], ["AWSPENDING"], ["AWSPENDING", "AWSCURRENT"]])
        times = iter([0.0, 0.0, 10.0, 10.5, 20.0, 20.5, 30.0, 33.0])
        with (
            mock.patch.object(rotation, "value", side_effect=[("first", {"n": 1}), ("second", {"n": 2})]),
            mock.patch.object(rotation, "begin", return_value="second"),
            mock.patch.object(rotation, "labels", side_effect=lambda _: next(labels)),
            mock.patch.object(rotate.time, "monotonic", side_effect=lambda: next(times)),
            mock.patch.object(rotate.time, "sleep"),
        ):
            done = rotation.rotate(lambda old, new: (old["n"], new["n"]))
        self.assertEqual(done, Rotated("first", {"n": 1}, {"n": 2}, (1, 2), 13.0))


if __name__ == "__main__":
    unittest.main()
