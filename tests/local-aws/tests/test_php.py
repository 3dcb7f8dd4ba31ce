"""Where the PHP of the container's tests comes from, and what is said where it cannot be had."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from local_aws import php
from local_aws.errors import LocalAwsError
from local_aws.php import fetching, libraries
from local_aws.php.installation import from_prefix


class Php(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def test_it_is_fetched_once(self):
        first = php.fetch(say=lambda text: None)
        with mock.patch.object(fetching, "PrivateApt", side_effect=AssertionError("fetched again")):
            self.assertEqual(php.fetch(say=lambda text: None), first)

    def test_each_predis_is_fetched_once_and_debian_has_the_one_of_mautic_7(self):
        first = php.fetch_libraries(say=lambda text: None)
        with mock.patch.object(libraries, "PrivateApt", side_effect=AssertionError("fetched again")):
            self.assertEqual(php.fetch_libraries(say=lambda text: None), first)
        if libraries.machine.distribution()[0] == "debian":
            self.assertIn("2.", [one.version[:2] for one in first])

    def test_an_empty_prefix_is_told_from_a_predis(self):
        with self.assertRaises(LocalAwsError) as caught:
            libraries.from_prefix(self.directory, "Predis of test")
        self.assertEqual(
            str(caught.exception),
            f"{self.directory} holds no Predis with Symfony's cache; remove that directory and fetch again.",
        )

    def test_apache_finds_php_under_the_name_that_the_image_has_for_it(self):
        php.fetch(say=lambda text: None).write_programs(self.directory)
        for name in ("libphp.so", "mod_mpm_prefork.so"):
            self.assertTrue((self.directory / "apache/modules" / name).is_file(), name)

    def test_an_empty_prefix_is_told_from_a_php(self):
        with self.assertRaises(LocalAwsError) as caught:
            from_prefix(self.directory, "PHP of test")
        self.assertEqual(
            str(caught.exception), f"{self.directory} holds no PHP; remove that directory and fetch again."
        )

    def test_an_unknown_distribution_is_told_what_to_do(self):
        with (
            mock.patch.object(fetching.machine, "distribution", return_value=("plan9", "")),
            self.assertRaises(LocalAwsError) as caught,
        ):
            fetching.find(self.directory, lambda text: None)
        self.assertEqual(str(caught.exception), fetching.REMEDY)


if __name__ == "__main__":
    unittest.main()
