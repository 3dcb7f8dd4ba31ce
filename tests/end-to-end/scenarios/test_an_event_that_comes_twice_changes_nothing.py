"""Lambda delivers an event at least once, and an old one may come late: what stands must not notice."""

import unittest
from collections.abc import Callable
from typing import Any

import databases
import images
from events import Resource, Sink
from fixtures import Database, SesDomain
from images import Image
from releases import Release
from world import client, world
from zones import Zone, identities

DOMAIN = "twice.example"
STRANGER = "arn:aws:cloudformation:eu-central-1:123456789012:stack/stranger/00000000-0000-0000-0000-000000000000"


class Case(unittest.TestCase):
    """Delivers events to functions of stacks that stand."""

    maxDiff = None

    def setUp(self) -> None:
        self.sink = Sink()
        self.addCleanup(self.sink.close)

    def assert_unmoved(self, resource: Resource, picture: Callable[[], Any], *request_types: str) -> None:
        """Each event, delivered twice, succeeds, keeps the physical id and changes nothing."""
        before = picture()
        for request_type in request_types:
            event = resource.event(request_type)
            for delivery in ("first", "second"):
                with self.subTest(f"{resource.type} {request_type}, {delivery} delivery"):
                    answer = self.sink.deliver(event)
                    self.assertEqual((answer["Status"], answer["PhysicalResourceId"]), ("SUCCESS", resource.id), answer)
                    self.assertEqual(picture(), before)

    def assert_strangers_delete_is_harmless(self, resource: Resource, picture: Callable[[], Any]) -> None:
        """A Delete that another stack sends for the same id succeeds and changes nothing."""
        before = picture()
        answer = self.sink.deliver(resource.event("Delete", StackId=STRANGER))
        self.assertEqual(answer["Status"], "SUCCESS", answer)
        self.assertEqual(picture(), before)


class AnEventForADomainThatComesTwice(Case):
    """Custom::SesDomain."""

    def test_changes_nothing_and_a_delete_ends_once(self) -> None:
        zone = Zone(DOMAIN)
        untouched = zone.bytes()
        stack = SesDomain("twice-domain")
        status = stack.create(Domain=DOMAIN, HostedZoneId=zone.id, WaitSeconds="60", ApexSpf="true")
        self.assertEqual(status, "CREATE_COMPLETE", stack.story())
        resource = Resource(
            stack,
            "SesDomain",
            "SesDomainFunction",
            {
                "ServiceTimeout": "120",
                "Domain": DOMAIN,
                "HostedZoneId": zone.id,
                "ApexSpf": "true",
                "ConfigurationSet": stack.outputs()["ConfigurationSetName"],
                "WaitSeconds": "60",
                "Nonce": "",
            },
        )

        def picture() -> Any:
            identity = client("sesv2").get_email_identity(EmailIdentity=DOMAIN)
            identity.pop("ResponseMetadata")
            return zone.bytes(), identity

        self.assert_unmoved(resource, picture, "Create", "Update")
        self.assert_strangers_delete_is_harmless(resource, picture)
        for _ in ("first", "second"):
            answer = self.sink.deliver(resource.event("Delete"))
            self.assertEqual(answer["Status"], "SUCCESS", answer)
            self.assertEqual(zone.bytes(), untouched)
            self.assertNotIn(DOMAIN, identities())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        self.assertEqual(zone.bytes(), untouched)


class AnEventForADatabaseThatComesTwice(Case):
    """Custom::Database and Custom::DatabaseUser, on every server."""

    def test_changes_nothing_on_any_version_of_mysql(self) -> None:
        for number, server in enumerate(world().mysql):
            with self.subTest(server["version"]):
                self.check(f"twice{number}", server)

    def check(self, name: str, server: dict[str, Any]) -> None:
        """A schema and a user of this name."""
        stack = Database(name, server)
        self.assertEqual(stack.create(), "CREATE_COMPLETE", stack.story())
        common = {"AdminSecretArn": stack.master, "Host": server["host"], "Port": str(server["port"])}
        common |= {"ServiceTimeout": "360", "AdoptExisting": "false", "DeletionPolicy": "Retain", "Nonce": ""}
        schema = {**common, "Name": name}
        rights = "SELECT INSERT UPDATE DELETE CREATE ALTER DROP INDEX REFERENCES".split()
        grants = [{"Database": name, "Privileges": [*rights, "CREATE TEMPORARY TABLES"]}]
        secret = stack.outputs()["ApplicationSecretArn"]
        user = {**common, "UserSecretArn": secret, "Username": name, "UserHost": "%", "Grants": grants}

        def picture() -> Any:
            owners = databases.rows(server, "SELECT * FROM database_init.owned_schemas")
            return databases.picture(server, name, name), [owner for owner in owners if owner[0] == name]

        for logical_id, properties in (("Database", schema), ("DatabaseUser", user)):
            resource = Resource(stack, logical_id, "DatabaseInitFunction", properties)
            self.assert_unmoved(resource, picture, "Create", "Update", "Delete")
            self.assert_strangers_delete_is_harmless(resource, picture)
        content = databases.secret(secret)
        with databases.connected(server, content["username"], content["password"], name) as cursor:
            cursor.execute("CREATE TABLE still_allowed (id INT)")


class AnEventForAnImageThatComesTwice(Case):
    """Custom::ContainerImage."""

    def test_starts_no_build_and_a_delete_ends_once(self) -> None:
        stack = Image("twice-image")
        self.assertEqual(stack.create(), "CREATE_COMPLETE", stack.story())
        resource = Resource(stack, "Image", "ImageBuildFunction", images.properties(stack))

        def picture() -> Any:
            return [one["id"] for one in images.builds(stack)], images.images(stack), images.contexts(stack)

        self.assert_unmoved(resource, picture, "Create", "Update")
        builds, tags, _ = picture()
        for _ in ("first", "second"):
            answer = self.sink.deliver(resource.event("Delete"))
            self.assertEqual(answer["Status"], "SUCCESS", answer)
            # The images go with their repository.
            self.assertEqual(picture(), (builds, tags, []))
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())


class AnEventForAReleaseThatComesTwice(Case):
    """Custom::MauticRelease."""

    def test_starts_one_task_and_a_delete_changes_nothing(self) -> None:
        stack = Release("again").installed()
        self.addCleanup(stack.removed)
        resource = Resource(stack.nested("Release"), "Release", "MauticReleaseFunction", stack.properties())

        def picture() -> Any:
            return stack.records(), sorted(stack.tasks("RUNNING") + stack.tasks("STOPPED"))

        for number, request_type in enumerate(("Create", "Update"), 1):
            # What is asked for anew is a release, and its second delivery is none.
            event = resource.event(request_type)
            for delivery in ("first", "second"):
                with self.subTest(f"{request_type}, {delivery} delivery"):
                    answer = self.sink.deliver(event)
                    self.assertEqual((answer["Status"], answer["PhysicalResourceId"]), ("SUCCESS", resource.id), answer)
                    records, tasks = picture()
                    self.assertEqual(records, [("install", "7.2"), *[("migrate", "7.2")] * number])
                    self.assertEqual(len(tasks), 1 + number)
        self.assert_unmoved(resource, picture, "Delete")
        self.assert_strangers_delete_is_harmless(resource, picture)
