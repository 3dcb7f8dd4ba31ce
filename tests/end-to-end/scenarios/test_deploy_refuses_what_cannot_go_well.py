"""`make deploy`, as far as it says no: before anything is built, and before anything is changed."""

import unittest

from deployment import Package, answered, look
from name_server import NameServer
from stacks import Stack
from world import client
from zones import Zone

DOMAIN = "refused.invalid"


class RefusalsOfMake(unittest.TestCase):
    """See the sentences."""

    def refused(self, text: str, *words: str, **variables: str) -> None:
        done = answered(*words, **variables)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.splitlines()[-1], f"make deploy: {text}")

    def test_what_is_missing_is_named_with_the_words_that_give_it(self) -> None:
        known = "say ENV=... with one of: dev prod test"
        self.refused(f"which environment? S{known[1:]}")
        self.refused(f"there is no environment 'staging'; {known}", "staging", BUCKET="b")
        self.refused("'local' is for the local AWS: run make up", "local", BUCKET="b")
        self.refused("which bucket may hold the package? Say BUCKET=NAME, a bucket in the stack's region", "prod")
        nowhere = "there is no package in '/nowhere'; leave DIST out, or name a folder that make package made"
        self.refused(nowhere, "prod", BUCKET="b", DIST="/nowhere")

    def test_example_addresses_are_nobodys_installation(self) -> None:
        package = Package("examples", Domain="example.com")
        text = f"{package.parameters} still has the example addresses above; put your own there"
        self.refused(text, "test", BUCKET="b", DIST=str(package.folder))


class RefusalsOfTheDriver(unittest.TestCase):
    """See the sentences."""

    maxDiff = None

    def refused(self, package: Package, text: str, **variables: str) -> str:
        """Deploy, be refused, and leave no stack behind; what was printed."""
        done = package.deploy(**variables)
        printed = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, printed)
        self.assertIn(text, printed)
        self.assertNotIn("Deploy with the AWS CLI", done.stdout)
        return printed

    def test_without_credentials_it_says_how_to_give_them(self) -> None:
        package = Package("nobody", Domain=DOMAIN)
        nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(package.folder)}
        self.refused(package, "stack-driver: no AWS credentials to describe the stack nobody: ", **nobody)

    def test_wrong_parameter_is_named_before_aws_is_asked(self) -> None:
        package = Package("typing", Domian=DOMAIN)
        hint = "sets the parameter Domian, which the template"
        self.assertIn("did you mean Domain?", self.refused(package, hint))

    def test_bucket_that_is_not_there_stops_and_the_command_that_makes_it_is_told(self) -> None:
        Zone(DOMAIN)
        package = Package("bucketless", Domain=DOMAIN)
        printed = self.refused(
            package, "STOP     bucket       There is no bucket no-such-bucket.", BUCKET="no-such-bucket"
        )
        self.assertIn("`aws s3 mb s3://no-such-bucket --region eu-central-1` makes it.", printed)
        self.assertTrue(printed.rstrip().endswith("(with make: IGNORE=bucket)"), printed)

    def test_domain_without_a_zone_stops_unless_told_to_go_on(self) -> None:
        package = Package("zoneless", Domain="nowhere.invalid")
        self.refused(package, "STOP     zone         This account has no hosted zone for nowhere.invalid.")
        done = look(package, "--ignore", "zone")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("for nowhere.invalid. Ignored, as asked.", done.stdout)

    def test_package_that_was_changed_is_not_deployed(self) -> None:
        package = Package("changed", Domain=DOMAIN)
        with (package.folder / "modules" / "plain.yaml").open("a") as template:
            template.write("# by hand\n")
        self.refused(package, "STOP     package      Changed since it was packed: modules/plain.yaml.")

    def test_where_nobody_can_be_asked_nothing_is_deployed(self) -> None:
        Zone("unasked.invalid")
        package = Package("unasked", Domain="unasked.invalid")
        text = '"Deploy this to the stack unasked?" cannot be asked without a terminal: answer beforehand with --yes (with make: YES=1)'
        self.refused(package, text, YES="")

    def test_value_that_the_template_forbids_is_told_in_cloudformations_words(self) -> None:
        Zone("forbidden.invalid")
        package = Package("forbidden", Domain="forbidden.invalid", Generation="many")
        done = package.deploy()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("Generation", done.stdout)
        self.assertIn("the AWS CLI ended with", done.stderr)


class TheLookAtTheAccount(unittest.TestCase):
    """What ACM and SES say, asked through the AWS CLI."""

    maxDiff = None
    domain = "looked-at.invalid"
    package: Package

    @classmethod
    def setUpClass(cls) -> None:
        Zone(cls.domain)
        cls.package = Package("looked-at", Domain=cls.domain)

    def found(self, check: str, **parameters: str) -> str:
        """The line of a check."""
        words = [word for name, value in parameters.items() for word in ("--override", f"{name}={value}")]
        done = look(self.package, *words)
        lines = [line for line in done.stdout.splitlines() if line.split()[1:2] == [check]]
        self.assertEqual(len(lines), 1, done.stdout + done.stderr)
        return " ".join(lines[0].split())

    def test_certificate_is_there_in_the_stacks_region_and_for_the_site(self) -> None:
        def made(name: str) -> str:
            return client("acm").request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]

        fits = made(f"*.{self.domain}")
        issued = self.found("certificate", CertificateArn=fits)
        self.assertRegex(issued, rf"^ok certificate Issued for mautic.{self.domain}, valid for \d+ days.$")
        self.assertEqual(
            self.found("certificate", CertificateArn=made("www.elsewhere.invalid")),
            f"STOP certificate It is for www.elsewhere.invalid, the site is mautic.{self.domain}: browsers would refuse it.",
        )
        self.assertEqual(
            self.found("certificate", CertificateArn=fits.replace("eu-central-1", "us-east-1")),
            "STOP certificate CertificateArn is in us-east-1, the stack in eu-central-1: a load balancer takes one of its own "
            "region only.",
        )
        absent = fits[:-4] + ("0000" if not fits.endswith("0000") else "1111")
        self.assertEqual(
            self.found("certificate", CertificateArn=absent), f"STOP certificate There is no certificate {absent}."
        )

    def test_domain_that_ses_has_already_is_taken_only_when_told(self) -> None:
        self.assertEqual(self.found("identity"), f"ok identity SES does not have {self.domain} yet: it will be made.")
        client("sesv2").create_email_identity(EmailIdentity=self.domain)
        self.addCleanup(client("sesv2").delete_email_identity, EmailIdentity=self.domain)
        self.assertEqual(
            self.found("identity"),
            f"STOP identity SES has {self.domain} already, and no stack of this project made it.",
        )
        self.assertEqual(
            self.found("identity", AdoptExistingDomain="true"),
            f"ok identity SES has {self.domain} already; it is adopted, and given back as it was when the stack is deleted.",
        )


class Delegation(unittest.TestCase):
    """Whether the world asks the zone that is written: a real question to a DNS server. A name under `.invalid` is never asked for."""

    def found(self, servers: list[str]) -> str:
        package = Package("delegated", Domain="delegated.corp")
        with NameServer("delegated.corp", servers) as server:
            done = look(package, "--dns-server", server.address)
        [line] = [line for line in done.stdout.splitlines() if "  zone   " in line] or [done.stdout + done.stderr]
        return " ".join(line.split())

    def test_zone_is_compared_with_what_dns_answers(self) -> None:
        zone = Zone("delegated.corp")
        own = zone.route53.get_hosted_zone(Id=zone.id)["DelegationSet"]["NameServers"]
        self.assertEqual(self.found(own), f"ok zone delegated.corp ({zone.id}), and DNS leads to it.")
        self.assertEqual(
            self.found(["ns1.registrar.example."]),
            "STOP zone DNS says that delegated.corp is answered by ns1.registrar.example: what is written into the zone "
            f"{zone.id} is not seen.",
        )
        self.assertEqual(
            self.found([]),
            f"STOP zone delegated.corp is the zone {zone.id}, but DNS does not lead to it: nobody answers for delegated.corp.",
        )

    def test_looking_makes_no_stack(self) -> None:
        Zone("looked.invalid")
        package = Package("looked", Domain="looked.invalid")
        look(package)
        self.assertNotIn(
            "looked", [one["StackName"] for one in Stack("any").cloudformation.describe_stacks()["Stacks"]]
        )
