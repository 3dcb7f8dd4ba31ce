"""Without ImageUri the image comes from a build: once, with the rights of two roles, and a failed one changes nothing.

Each test goes on from what the one before it left. The builds run the real script; docker is played by the local AWS.
"""

import unittest
from typing import Any

import databases
import driver
import images
from fixtures import invocations, log_group
from stacks import Stack
from world import client
from zones import Zone

NAME, DOMAIN = "image", "image.example"
SETTINGS = {"Application": NAME, "Environment": "dev", "Domain": DOMAIN, "WaitSeconds": "60"}
OWN = "example.org/mautic:7.2"


class AnImageIsBuiltWhereNoneIsNamed(unittest.TestCase):
    """One stack and its images."""

    maxDiff = None
    stack: Stack

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(databases.take("8.4"))
        Zone(DOMAIN)
        cls.stack = Stack(NAME)

    @classmethod
    def tearDownClass(cls) -> None:
        server = databases.server_of(f"{NAME}-dev-1")
        driver.delete(cls.stack)
        databases.forget(server, "mautic", "mautic")

    def deploy(self, code: int = 0, **parameters: str) -> str:
        """Deploy; what was printed, on one line."""
        done = driver.deploy(NAME, **{**SETTINGS, "ImageUri": "", **parameters})
        printed = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, printed)
        self.stack.adopt()
        return " ".join(printed.split())

    def service(self) -> Stack:
        return self.stack.nested("MauticService")

    def image(self) -> Stack:
        return self.service().nested("Image")

    def serving(self) -> set[str]:
        """The images of everything that runs as a service."""
        ecs, outputs = client("ecs"), self.service().outputs()
        names = [outputs["WebServiceName"], outputs["WorkerServiceName"]]
        found = ecs.describe_services(cluster=outputs["ClusterName"], services=names)["services"]
        definitions = [ecs.describe_task_definition(taskDefinition=one["taskDefinition"]) for one in found]
        return {one["taskDefinition"]["containerDefinitions"][0]["image"] for one in definitions}

    def builds(self) -> list[dict[str, Any]]:
        return images.builds(self.image())

    def images(self) -> dict[str, str]:
        return images.images(self.image())

    def test_01_the_first_deployment_builds_it(self) -> None:
        self.deploy()
        outputs = self.image().outputs()
        self.assertEqual([one["buildStatus"] for one in self.builds()], ["SUCCEEDED"])
        self.assertEqual(set(self.images()), {outputs["ContentTag"], f"rolling-{outputs['ContentTag']}"})
        self.assertEqual(self.serving(), {outputs["ImageUri"]})
        self.assertTrue(outputs["ImageUri"].endswith(f":rolling-{outputs['ContentTag']}"), outputs)
        [context] = images.contexts(self.image())
        self.assertEqual(outputs["ContextLocation"], f"{self.image().physical_id('BuildBucket')}/{context}")

    def test_02_a_second_one_builds_nothing_and_does_not_even_ask(self) -> None:
        function = log_group(self.image(), "ImageBuildFunction")
        before = invocations(function)
        self.deploy(CostCenter="another")
        self.assertEqual(invocations(function), before)
        self.deploy(Reconcile="again")
        self.assertGreater(invocations(function), before, "asked it was")
        self.assertEqual(len(self.builds()), 1)

    def test_03_a_build_that_fails_is_undone_and_says_what_it_said(self) -> None:
        serving = self.serving()
        printed = self.deploy(code=1, ImageBase="mirror.example.com/mautic-build-fails")
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE", self.stack.story())
        self.assertIn("Root cause: MauticService / Image / Image (Custom::ContainerImage)", printed)
        for words in (
            "ended FAILED in phase BUILD (COMMAND_EXECUTION_ERROR: Error while executing command: bash build.sh.",
            "The log ends: build: ",
            "nothing was built, as the base's name asks for",
        ):
            self.assertIn(words, printed)
        self.assertEqual(self.serving(), serving)
        self.assertEqual([one["buildStatus"] for one in self.builds()], ["FAILED", "SUCCEEDED"])

    def test_04_another_base_is_another_image(self) -> None:
        serving = self.serving()
        self.deploy(ImageBase="mirror.example.com/mautic")
        self.assertNotEqual(self.serving(), serving)
        self.assertEqual(len(self.builds()), 3)
        self.assertEqual(images.variables(self.builds()[0])["MAUTIC_IMAGE"], "mirror.example.com/mautic")

    def test_05_the_schedule_s_build_is_rolled_out_and_the_next_deployment_leaves_it(self) -> None:
        serving, before = self.serving(), self.images()
        done = images.scheduled(self.service().nested("Patches"))
        said = images.said(done)
        self.assertEqual(done["buildStatus"], "SUCCEEDED", said)
        rolling = next(iter(serving)).rsplit(":", 1)[1]
        self.assertNotEqual(self.images()[rolling], before[rolling])
        self.assertEqual(len([line for line in said if line.endswith(" starts anew")]), 2, said)
        self.assertIn('build: its scan found: {"LOW":1}', said)
        after = self.images()
        self.deploy(ImageBase="mirror.example.com/mautic", Reconcile="once more")
        self.assertEqual((self.serving(), self.images()), (serving, after))

    def test_06_an_image_that_would_go_with_the_repository_is_refused(self) -> None:
        images, built, status = self.images(), self.image().outputs()["ImageUri"], self.stack.described()
        printed = self.deploy(code=1, ImageUri=built)
        repository = self.image().physical_id("Repository")
        self.assertIn(f"stack-driver: ImageUri names {built}, which the stack has built: ", printed)
        self.assertIn(f"it removes its repository {repository}, and this image with it. Nothing was changed.", printed)
        self.assertEqual((self.images(), self.stack.described()), (images, status))

    def test_07_an_image_of_one_s_own_takes_all_of_it_away(self) -> None:
        bucket, repository = self.image().physical_id("BuildBucket"), self.image().physical_id("Repository")
        self.deploy(ImageUri=OWN)
        self.assertEqual(self.serving(), {OWN})
        self.assertNotIn(bucket, [one["Name"] for one in client("s3").list_buckets()["Buckets"]])
        names = [one["repositoryName"] for one in client("ecr").describe_repositories()["repositories"]]
        self.assertNotIn(repository, names)


if __name__ == "__main__":
    unittest.main()
