"""What `make verify-image` asks an engine for and how it judges what it sees; the engine itself, and Mautic, are not here."""

import unittest
from unittest import mock

import verify_image
from image_base import Base
from support import TestCase

DIGEST = "sha256:" + "6" * 64
SIX = {"MAUTIC_TAG": "6.0.5-apache", "MAUTIC_DIGEST": DIGEST}
MYSQL = [{"version": version} for version in ("8.0.45", "8.4.6", "9.7.4")]
# Notes what it is asked for; what `run` prints, and how it ends, stands beside it.
ENGINE = """#!/bin/sh
place=$(dirname "$0")
echo "$*" >> "$place/calls"
if [ "$1" = run ]; then cat "$place/site" 2>&1; fi
"""


class WhatIsBuilt(TestCase):
    def test_by_itself_it_is_what_the_dockerfile_says(self):
        base = Base.asked_for({})
        self.assertEqual((base.options, base.major), ([], 7))
        self.assertEqual(base.arguments("https://x.example.org"), ["--build-arg", "SITE_URL=https://x.example.org"])

    def test_another_mautic_a_mirror_and_another_processor(self):
        base = Base.asked_for({**SIX, "MAUTIC_IMAGE": "mirror.example.org/mautic", "PLATFORM": "linux/arm64"})
        self.assertEqual((base.options, base.major), (["--platform=linux/arm64"], 6))
        told = [f"MAUTIC_TAG={SIX['MAUTIC_TAG']}", f"MAUTIC_DIGEST={DIGEST}", "MAUTIC_IMAGE=mirror.example.org/mautic"]
        self.assertEqual(base.arguments("https://x.example.org")[1:-1:2], told)

    def test_a_tag_without_its_digest_would_be_another_image_s(self):
        for given in ({"MAUTIC_TAG": "6.0.5-apache"}, {"MAUTIC_DIGEST": DIGEST}):
            with self.subTest(given), self.assertRaisesRegex(SystemExit, "give both, or neither"):
                Base.asked_for(given)

    def test_mautic_7_is_tried_on_the_newest_mysql_and_mautic_6_on_the_oldest_of_its_stacks(self):
        self.assertEqual(Base.asked_for({}).mysql(MYSQL), MYSQL[-1])
        self.assertEqual(Base.asked_for(SIX).mysql(MYSQL), MYSQL[0])

    def test_a_mysql_that_this_mautic_refuses_is_not_tried(self):
        with self.assertRaises(SystemExit) as raised:
            Base.asked_for({}).mysql(MYSQL[:1])
        self.assertEqual(
            str(raised.exception),
            "verify-image: Mautic 7 needs MySQL 8.4 or later, and none is here; name one by LOCAL_MYSQL.",
        )


class WhatIsSeen(TestCase):
    def setUp(self):
        self.place = self.folder()
        (self.place / "engine").write_text(ENGINE)
        (self.place / "engine").chmod(0o755)
        self.enter(mock.patch.object(verify_image, "ENGINE", str(self.place / "engine")))
        self.said = []
        self.enter(mock.patch.object(verify_image, "say", self.said.append))

    def enter(self, context):
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def test_an_image_whose_code_is_compiled_for_the_site_is_good(self):
        (self.place / "site").write_text(verify_image.SITE)
        verify_image.build(Base.asked_for({**SIX, "PLATFORM": "linux/arm64"}))
        build, look = (self.place / "calls").read_text().splitlines()
        self.assertIn(
            f"--platform=linux/arm64 --build-arg MAUTIC_TAG=6.0.5-apache --build-arg MAUTIC_DIGEST={DIGEST}", build
        )
        self.assertIn("run --rm --platform=linux/arm64 --entrypoint=/bin/bash", look)

    def test_a_compilation_that_failed_and_was_passed_over_is_noticed(self):
        for site in (None, "", "https://elsewhere.example.org"):
            (self.place / "site").unlink(missing_ok=True)
            if site is not None:
                (self.place / "site").write_text(site)
            with self.subTest(site), self.assertRaisesRegex(SystemExit, "holds no compiled/prod for https://mautic"):
                verify_image.build(Base.asked_for({}))

    def test_sessions_alone_are_no_cache(self):
        verify_image.judge_cache(3, ["mautic:x", "session:a"])
        self.assertEqual(self.said, ["Mautic keeps 1 keys in its cache"])
        with self.assertRaisesRegex(
            SystemExit, "after 3 widgets of the dashboard the cache holds 2 sessions and nothing"
        ):
            verify_image.judge_cache(3, ["session:a", "session:b"])

    def test_the_dashboard_is_followed_to_where_its_widgets_are(self):
        asked = []

        def browser(method, path):
            asked.append(path)
            found = len(asked) > 1
            return (200, "page", "") if found else (302, "", f"{verify_image.SITE}/s/dashboard")

        self.assertEqual(verify_image.follow(browser, "/s/dashboard"), (200, "page", "/s/dashboard"))
        self.assertEqual(asked, ["/s/dashboard"] * 2)


if __name__ == "__main__":
    unittest.main()
