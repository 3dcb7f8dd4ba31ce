"""Route 53: what is refused, in its words; how lists page; how names are stored."""

import time
import unittest
from typing import Any

from support import TestCase, client, until


def record(name: str, kind: str, *values: str, ttl: int = 300) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


class Zone(TestCase):
    """A hosted zone of its own for each test."""

    def setUp(self):
        self.route53 = client("route53")
        self.name = f"{self.id().rsplit('.', 1)[1].replace('_', '-')[:60].strip('-')}.example"
        self.zone = self.create(self.name)

    def create(self, name: str) -> str:
        answer = self.route53.create_hosted_zone(Name=name, CallerReference=f"{name}{time.time()}")
        return answer["HostedZone"]["Id"]

    def change(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        batch = [{"Action": action, "ResourceRecordSet": record_set} for action, record_set in changes]
        answer = self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": batch})
        return answer["ChangeInfo"]

    def refused(self, *changes: tuple[str, dict[str, Any]], code: str = "InvalidChangeBatch") -> str:
        before = self.records()
        with self.assertRaises(self.route53.exceptions.ClientError) as caught:
            self.change(*changes)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertEqual(self.records(), before, "a refused batch changed the zone")
        return caught.exception.response["Error"]["Message"]

    def records(self) -> list[dict[str, Any]]:
        return self.route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]


class Refusals(Zone):
    """See the sentences."""

    def test_cname_beside_another_type_is_refused(self):
        self.change(("CREATE", record(f"a.{self.name}", "A", "192.0.2.1")))
        self.assertEqual(
            self.refused(("CREATE", record(f"a.{self.name}", "CNAME", "b.example"))),
            f"[RRSet of type CNAME with DNS name a.{self.name}. is not permitted as it conflicts with other records with "
            f"the same DNS name in zone {self.name}.]",
        )

    def test_another_type_beside_a_cname_is_refused(self):
        self.change(("CREATE", record(f"a.{self.name}", "CNAME", "b.example")))
        self.assertEqual(
            self.refused(("UPSERT", record(f"a.{self.name}", "TXT", '"x"'))),
            f"[RRSet of type TXT with DNS name a.{self.name}. is not permitted because a conflicting RRSet of type CNAME "
            f"with the same DNS name already exists in zone {self.name}.]",
        )

    def test_cname_may_take_the_place_of_another_type_in_one_batch(self):
        a = record(f"a.{self.name}", "A", "192.0.2.1")
        self.change(("CREATE", a))
        self.change(("DELETE", a), ("CREATE", record(f"a.{self.name}", "CNAME", "b.example")))
        self.assertEqual([one["Type"] for one in self.records()], ["NS", "SOA", "CNAME"])

    def test_cname_at_the_apex_is_refused(self):
        self.assertEqual(
            self.refused(("CREATE", record(self.name, "CNAME", "b.example"))),
            f"[RRSet of type CNAME with DNS name {self.name}. is not permitted at apex in zone {self.name}.]",
        )

    def test_name_outside_the_zone_is_refused(self):
        self.assertEqual(
            self.refused(("CREATE", record(f"not{self.name}", "A", "192.0.2.1"))),
            f"[RRSet with DNS name not{self.name}. is not permitted in zone {self.name}.]",
        )

    def test_text_without_quotation_marks_is_refused(self):
        self.assertEqual(
            self.refused(("CREATE", record(self.name, "TXT", "v=spf1 -all"))),
            "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation "
            "marks) encountered with 'v=spf1 -all'']",
        )

    def test_string_of_more_than_255_bytes_is_refused_and_two_strings_are_not(self):
        long = "x" * 256
        self.assertEqual(
            self.refused(("CREATE", record(self.name, "TXT", f'"{long}"'))),
            "[Invalid Resource Record: 'FATAL problem: CharacterStringTooLong (Value is too long) encountered with "
            f"'\"{long}\"'']",
        )
        self.change(("CREATE", record(self.name, "TXT", f'"{long[:255]}" "x"')))

    def test_escapes_count_as_one_byte(self):
        self.change(("CREATE", record(self.name, "TXT", '"' + r"\303\245" * 127 + r"\"" + '"')))

    def test_delete_must_match_values_and_time_to_live(self):
        self.change(("CREATE", record(self.name, "TXT", '"a"', '"b"')))
        text = (
            f"[Tried to delete resource record set [name='{self.name}.', type='TXT'] but the values provided do not match "
            "the current values]"
        )
        self.assertEqual(self.refused(("DELETE", record(self.name, "TXT", '"a"'))), text)
        self.assertEqual(self.refused(("DELETE", record(self.name, "TXT", '"a"', '"b"', ttl=60))), text)
        self.change(("DELETE", record(self.name, "TXT", '"b"', '"a"')))

    def test_create_of_an_existing_and_delete_of_an_absent_set_are_refused(self):
        a = record(f"a.{self.name}", "A", "192.0.2.1")
        what = f"resource record set [name='a.{self.name}.', type='A']"
        self.assertEqual(self.refused(("DELETE", a)), f"[Tried to delete {what} but it was not found]")
        self.change(("CREATE", a))
        self.assertEqual(self.refused(("CREATE", a)), f"[Tried to create {what} but it already exists]")

    def test_batch_is_atomic_and_every_objection_is_told(self):
        text = self.refused(
            ("CREATE", record(f"fine.{self.name}", "A", "192.0.2.1")),
            ("DELETE", record(f"absent.{self.name}", "A", "192.0.2.1")),
            ("CREATE", record("elsewhere.example", "A", "192.0.2.1")),
        )
        self.assertEqual(
            text,
            f"[Tried to delete resource record set [name='absent.{self.name}.', type='A'] but it was not found, "
            f"RRSet with DNS name elsewhere.example. is not permitted in zone {self.name}.]",
        )

    def test_one_set_may_not_be_created_twice_in_a_batch(self):
        a = record(f"a.{self.name}", "A", "192.0.2.1")
        self.assertIn(
            f"The request contains an invalid set of changes for a resource record set 'A a.{self.name}.'",
            self.refused(("CREATE", a), ("UPSERT", a)),
        )

    def test_compare_and_swap_in_one_batch_replaces_the_set(self):
        old, new = record(self.name, "TXT", '"old"'), record(self.name, "TXT", '"old"', '"new"')
        self.change(("CREATE", old))
        self.change(("DELETE", old), ("CREATE", new))
        self.assertEqual(
            self.refused(("DELETE", old)).split(" but ")[1],
            "the values provided do not match the current values]",
        )

    def test_duplicate_value_and_wrong_address_are_refused(self):
        self.assertEqual(
            self.refused(("CREATE", record(f"a.{self.name}", "A", "192.0.2.1", "192.0.2.1"))),
            "[Duplicate Resource Record: '192.0.2.1']",
        )
        self.assertEqual(
            self.refused(("CREATE", record(f"a.{self.name}", "A", "example.org"))),
            "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) "
            "encountered with 'example.org'']",
        )

    def test_missing_time_to_live_is_refused(self):
        a = {"Name": f"a.{self.name}", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}
        self.assertEqual(
            self.refused(("CREATE", a), code="InvalidInput"),
            f"Invalid request: Missing field 'TTL' in Change with [Action=CREATE, Name=a.{self.name}., Type=A, "
            "SetIdentifier=null]",
        )

    def test_zone_keeps_its_name_servers(self):
        ns = next(one for one in self.records() if one["Type"] == "NS")
        self.assertEqual(
            self.refused(("DELETE", ns)), "[A HostedZone must contain at least one NS record for the zone itself.]"
        )


class Behaviour(Zone):
    """See the sentences."""

    def test_names_are_stored_in_lower_case_and_escaped(self):
        self.change(("CREATE", record(f"*.MiXed.{self.name}", "A", "192.0.2.1")))
        self.assertEqual(self.records()[-1]["Name"], f"\\052.mixed.{self.name}.")
        self.change(("DELETE", record(f"\\052.mixed.{self.name}.", "A", "192.0.2.1")))

    def test_change_is_pending_and_then_in_sync(self):
        began = time.monotonic()
        change = self.change(("CREATE", record(f"a.{self.name}", "A", "192.0.2.1")))
        self.assertEqual(change["Status"], "PENDING")
        seen = {"PENDING"}

        def is_over() -> bool:
            seen.add(self.route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"])
            return seen != {"PENDING"}

        until("the end of the change", is_over)
        self.assertGreaterEqual(time.monotonic() - began, 0.5)
        self.assertEqual(seen, {"PENDING", "INSYNC"})

    def test_zones_are_listed_over_pages_of_at_most_100(self):
        created = {self.create(f"{n}.pages.example") for n in range(103)} | {self.zone}
        first = self.route53.list_hosted_zones()
        self.assertEqual((len(first["HostedZones"]), first["IsTruncated"], first["MaxItems"]), (100, True, "100"))
        second = self.route53.list_hosted_zones(Marker=first["NextMarker"])
        self.assertEqual(second["HostedZones"][0]["Id"], f"/hostedzone/{first['NextMarker']}")
        listed = {zone["Id"] for page in (first, second) for zone in page["HostedZones"]}
        self.assertLessEqual(created, listed)
        for zone in created - {self.zone}:
            self.route53.delete_hosted_zone(Id=zone)

    def test_list_by_name_starts_at_the_name_and_goes_on_beyond_it(self):
        for name in ("b.order.test", "a.order.test", "order.test", "z.other.test"):
            self.create(name)
        answer = self.route53.list_hosted_zones_by_name(DNSName="order.test", MaxItems="3")
        names = [zone["Name"] for zone in answer["HostedZones"]]
        self.assertEqual(names, ["order.test.", "a.order.test.", "b.order.test."])
        self.assertEqual(answer["NextDNSName"], "z.other.test.")
        absent = self.route53.list_hosted_zones_by_name(DNSName="absent.test", MaxItems="1")
        self.assertEqual([zone["Name"] for zone in absent["HostedZones"]], ["order.test."])

    def test_record_sets_are_listed_by_labels_from_the_right_over_pages(self):
        for name in ("b.a", "a.b", "a"):
            self.change(("CREATE", record(f"{name}.{self.name}", "A", "192.0.2.1")))
        names = [one["Name"].removesuffix(f"{self.name}.") for one in self.records()]
        self.assertEqual(names, ["", "", "a.", "b.a.", "a.b."])
        page = self.route53.list_resource_record_sets(HostedZoneId=self.zone, MaxItems="3")
        self.assertTrue(page["IsTruncated"])
        self.assertEqual((page["NextRecordName"], page["NextRecordType"]), (f"b.a.{self.name}.", "A"))


if __name__ == "__main__":
    unittest.main()
