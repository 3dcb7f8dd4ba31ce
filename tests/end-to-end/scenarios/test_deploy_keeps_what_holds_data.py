"""`make deploy` of a package in small: first, again, changed, interrupted, failed; what holds data stays unless it is named."""

import json
import unittest

from deployment import Package, press_ctrl_c
from stacks import Stack
from world import ROOT, client, wait_until
from zones import Zone

CERTAIN = "--confirm-replacement Data/Files"


class ADeployment(unittest.TestCase):
    """One production stack, from its first day on."""

    maxDiff = None
    package: Package
    stack: Stack

    @classmethod
    def setUpClass(cls) -> None:
        Zone("keeps.invalid")
        cls.package, cls.stack = Package("keeps", "prod", Domain="keeps.invalid"), Stack("keeps")

    def deploy(self, code: int = 0, **variables: str) -> str:
        """Deploy; what was printed."""
        done = self.package.deploy(**variables)
        printed = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, printed)
        return printed

    def policy(self, stack: Stack) -> dict | None:
        """A stack's policy."""
        body = self.stack.cloudformation.get_stack_policy(StackName=stack.id).get("StackPolicyBody")
        return json.loads(body) if body else None

    def buckets(self) -> list[str]:
        names = [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
        return sorted(name for name in names if name.startswith("keeps-files-"))

    def guarded(self) -> None:
        """The module keeps its resources, the root keeps the module, and what holds nothing is left alone."""
        self.stack.adopt()
        policy = json.loads((ROOT / "cloudformation" / "stack-policy.json").read_text())
        self.assertEqual(self.policy(self.stack.nested("Data")), policy)
        self.assertEqual(self.policy(self.stack), policy)
        self.assertIsNone(self.policy(self.stack.nested("Plain")))

    def test_01_first_create_in_prod_keeps_what_it_made_and_is_protected_afterwards(self) -> None:
        printed = self.deploy()
        self.assertIn("--disable-rollback", printed)
        self.assertIn("This is the first creation in prod, so rollback is off", printed)
        self.assertIn("Termination protection is on", printed)
        self.assertTrue(self.stack.adopt().described()["EnableTerminationProtection"])
        self.guarded()
        steps = [line.split("] ")[1] for line in printed.splitlines() if line.startswith("[")]
        self.assertEqual(
            steps,
            [
                "Check the template, the parameters and the stack",
                "Look at the account, before anything is changed",
                "Upload the package",
                "Read what would change",
                "Deploy with the AWS CLI, and follow the stack's events",
                "Protect what holds data",
                "Look at what stands",
            ],
        )

    def test_02_again_there_is_nothing_to_do_and_nothing_is_touched(self) -> None:
        before = len(self.stack.events())
        self.assertIn("Nothing to deploy: the stack keeps is up to date.", self.deploy())
        self.assertEqual(len(self.stack.events()), before)

    def test_03_change_in_place_is_listed_by_module_and_made_however_large_the_template_is(self) -> None:
        self.package.set(Note="second")
        template = self.package.folder / "mautic.yaml"
        template.write_text(template.read_text() + f"Metadata:\n  Padding: {'x' * 51_200}\n")
        self.package.pack()
        printed = self.deploy()
        self.assertIn("  Data\n    ~  Files  AWS::S3::Bucket\n        Tags\n  Plain\n    ~  Topic", printed)
        self.assertIn("In all: ~ 2 changed.", printed)
        self.assertRegex(printed, r"aws s3 cp --only-show-errors[^#]* s3://deployments/keeps/[0-9a-f]{64}\.template")
        self.guarded()

    def test_04_replacement_of_what_holds_data_is_refused_and_nothing_happens(self) -> None:
        self.package.set(Generation="2")
        before = len(self.stack.events())
        printed = self.deploy(code=1)
        self.assertIn("    !  Files  AWS::S3::Bucket\n        !BucketName; the old one is kept\n", printed)
        self.assertIn(
            "stack-driver: refused, and nothing was changed: this deployment would replace or remove what holds data.\n  Data/Files "
            "(bucket) would be replaced by an empty one, because BucketName changes; the old one stays outside the stack, with the "
            "objects in it.\n",
            printed,
        )
        self.assertIn(f"{CERTAIN} (with make: CONFIRM_REPLACEMENT=Data/Files)", printed)
        self.assertEqual((len(self.stack.events()), self.buckets()), (before, ["keeps-files-1"]))

    def test_05_confirmation_of_something_else_is_none(self) -> None:
        printed = self.deploy(code=1, CONFIRM_REPLACEMENT="Password")
        self.assertIn("What it would lose: Data/Files", printed)
        self.assertEqual(self.buckets(), ["keeps-files-1"])

    def test_06_policy_stops_a_replacement_that_somebody_else_tries(self) -> None:
        data = self.stack.nested("Data")
        parameters = {"Name": "keeps", "Generation": "2", "Note": "second"}
        data.cloudformation.update_stack(
            StackName=data.id,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self.assertEqual(data.settled(), "UPDATE_ROLLBACK_COMPLETE", data.story())
        self.assertIn("Action denied by stack policy", data.reason("Files", "UPDATE_FAILED"))

    def test_07_confirmed_replacement_goes_through_and_the_guard_is_back(self) -> None:
        printed = self.deploy(CONFIRM_REPLACEMENT="Data/Files")
        self.assertIn("Let through by the stack policies, for this deployment only: Data/Files.", printed)
        self.assertEqual(self.buckets(), ["keeps-files-1", "keeps-files-2"])
        self.guarded()

    def test_08_confirmation_that_is_left_over_is_a_mistake(self) -> None:
        self.package.set(Note="third")
        printed = self.deploy(code=1, CONFIRM_REPLACEMENT="Data/Files")
        self.assertIn("Leave it out: nothing that holds data is touched", printed)
        self.package.set(Note="second")

    def test_09_update_that_fails_is_explained_and_leaves_the_guard(self) -> None:
        self.package.set(Broken="no-such-role")
        printed = self.deploy(code=1)
        self.assertIn("Root cause: Failing (AWS::Lambda::Function)", printed)
        self.assertIn("What next\n  The stack is as it was before.", printed)
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.guarded()
        self.package.set(Broken="")

    def test_10_interrupted_deployment_goes_on_and_the_next_one_follows_it_to_the_end(self) -> None:
        self.package.set(Hold="until the test says so", Note="fourth")
        process = self.package.begin()
        wait_until("the update waits for its signal", lambda: self._is_held())
        # Before it shows the resource, it may still wait for the AWS CLI, and says something else when interrupted.
        wait_until("the run follows", lambda: "Held" in process.stdout.readline())
        printed = press_ctrl_c(process)
        self.assertEqual(process.returncode, 130, printed)
        self.assertIn("Interrupted. The stack keeps goes on without this terminal.", printed)
        self.assertEqual(self.stack.described()["StackStatus"], "UPDATE_IN_PROGRESS")
        second = self.package.begin()
        wait_until(
            "the second run follows",
            lambda: second.stdout.readline().startswith("  An operation runs on the stack already"),
        )
        self._signal()
        printed = second.communicate(timeout=60)[0]
        self.assertEqual(second.returncode, 0, printed)
        self.assertIn("Nothing to deploy: the stack keeps is up to date.", printed)
        self.guarded()

    def _is_held(self) -> bool:
        return any(one["LogicalResourceId"] == "Held" for one in self.stack.events())

    def _signal(self) -> None:
        where = {"StackName": self.stack.id, "LogicalResourceId": "Held"}
        self.stack.cloudformation.signal_resource(**where, UniqueId="1", Status="SUCCESS")

    def test_11_module_with_data_that_a_new_package_lacks_is_not_removed_unasked(self) -> None:
        template = self.package.folder / "mautic.yaml"
        before, data, rest = template.read_text().partition("  Data:\n")
        _, plain, tail = rest.partition("  Plain:\n")
        template.write_text(before + plain + tail.partition("Outputs:")[0])
        self.package.pack()
        printed = self.deploy(code=1)
        self.assertIn("  Data/Files (bucket) would be removed; at stake: the objects in it.\n", printed)
        self.assertIn("  Data/Password (secret) would be removed; at stake: its value", printed)
        self.assertIn("--confirm-replacement Data/Files,Data/Password", printed)
        self.assertTrue(data)


class AFirstCreateThatFails(unittest.TestCase):
    """In prod it is continued, elsewhere it is rolled back."""

    def test_in_prod_what_was_made_stays_and_the_next_run_goes_on(self) -> None:
        Zone("continued.invalid")
        package = Package("continued", "prod", Domain="continued.invalid", Broken="no-such-role")
        first = package.deploy()
        self.assertEqual(first.returncode, 1, first.stdout + first.stderr)
        self.assertIn("What next\n  Rollback was off: what was made still stands", first.stdout)
        stack = Stack("continued").adopt()
        self.assertEqual(stack.described()["StackStatus"], "CREATE_FAILED", stack.story())
        made = stack.nested("Data").physical_id("Files")
        package.set(Broken="")
        second = package.deploy()
        self.assertEqual(second.returncode, 0, second.stdout + second.stderr)
        self.assertEqual(stack.nested("Data").physical_id("Files"), made)
        self.assertTrue(stack.described()["EnableTerminationProtection"])

    def test_elsewhere_it_is_rolled_back_and_the_way_on_is_told(self) -> None:
        Zone("undone.invalid")
        package = Package("undone", Domain="undone.invalid", Broken="no-such-role")
        first = package.deploy()
        self.assertEqual(first.returncode, 1, first.stdout + first.stderr)
        self.assertIn("delete --stack undone --wait`, and deploy again.", first.stdout)
        again = package.deploy()
        self.assertEqual(again.returncode, 1, again.stdout + again.stderr)
        self.assertIn("is in ROLLBACK_COMPLETE: its creation failed and it can only be deleted.", again.stderr)
