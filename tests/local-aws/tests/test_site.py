"""What stands before a web service: a certificate that a zone proves, an alias, a web ACL."""

import time
import unittest

from support import PATIENCE, Stack, TestCase, client

SITE = "site.example"


class Site(TestCase):
    """See the sentences."""

    def zone(self, name: str) -> str:
        created = client("route53").create_hosted_zone(Name=name, CallerReference=f"{self.id()}{time.time()}")
        return created["HostedZone"]["Id"].removeprefix("/hostedzone/")

    def cnames(self, zone: str) -> list[tuple[str, str]]:
        found = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [(one["Name"], one["ResourceRecords"][0]["Value"]) for one in found if one["Type"] == "CNAME"]

    def certificate(self, arn: str) -> dict:
        return client("acm").describe_certificate(CertificateArn=arn)["Certificate"]

    def test_certificate_is_proven_by_a_record_that_outlives_it(self):
        zone, stack = self.zone(SITE), self.new("site.yaml")
        self.assertEqual(stack.create(Site=SITE, Zone=zone), "CREATE_COMPLETE", stack.story())
        certificate = self.certificate(stack.outputs()["Certificate"])
        [option] = certificate["DomainValidationOptions"]
        self.assertEqual((certificate["Status"], option["ValidationStatus"]), ("ISSUED", "SUCCESS"))
        record = (option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"])
        self.assertRegex(record[0], r"^_[0-9a-f]{32}\.site\.example\.$")
        self.assertRegex(record[1], r"^_[0-9a-f]{32}\.\w+\.acm-validations\.aws\.$")
        self.assertEqual(self.cnames(zone), [record])
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        self.assertEqual(self.cnames(zone), [record])
        again = self.new("site.yaml")
        self.assertEqual(again.create(Site=SITE, Zone=zone), "CREATE_COMPLETE", again.story())
        self.assertEqual(self.cnames(zone), [record])

    def begun(self, domain: str) -> tuple[Stack, dict]:
        """A stack that waits for its certificate, and the record that is waited for."""
        stack = self.new("site.yaml")
        stack.begin(Site=domain)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for one in client("acm").list_certificates()["CertificateSummaryList"]:
                if one["DomainName"] == domain:
                    certificate = self.certificate(one["CertificateArn"])
                    self.assertEqual(certificate["Status"], "PENDING_VALIDATION")
                    return stack, certificate["DomainValidationOptions"][0]["ResourceRecord"]
            time.sleep(0.05)
        self.fail(f"no certificate of {domain}:\n{stack.story()}")

    def test_certificate_without_a_zone_waits_for_a_record_made_by_hand(self):
        domain = "by-hand.example"
        zone = self.zone(domain)
        stack, record = self.begun(domain)
        time.sleep(0.5)
        self.assertEqual(stack.described()["StackStatus"], "CREATE_IN_PROGRESS")
        record_set = {
            "Name": record["Name"],
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record_set}]}
        client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
        self.assertEqual(stack.settled(), "CREATE_COMPLETE", stack.story())

    def test_delete_ends_the_wait_for_a_certificate_and_removes_it(self):
        stack, _ = self.begun("never.example")
        stack_id = stack.described()["StackId"]
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story(stack_id))
        names = [one["DomainName"] for one in client("acm").list_certificates()["CertificateSummaryList"]]
        self.assertNotIn("never.example", names)

    def test_zone_of_another_domain_fails_the_certificate(self):
        zone, stack = self.zone("other.example"), self.new("site.yaml")
        self.assertEqual(stack.create(Site="foreign.example", Zone=zone), "ROLLBACK_COMPLETE", stack.story())
        self.assertIn("is not permitted in zone other.example.", stack.reason("Certificate", "CREATE_FAILED"))

    def test_association_of_a_web_acl_is_moved_and_removed(self):
        zone, stack = self.zone("acl.example"), self.new("site.yaml")
        self.assertEqual(stack.create(Site="acl.example", Zone=zone), "CREATE_COMPLETE", stack.story())
        balancer = stack.outputs()["LoadBalancer"]
        self.assertEqual(stack.outputs()["FullName"], balancer.split(":loadbalancer/")[1])
        for name in ("first", "second"):
            if name == "second":
                self.assertEqual(
                    stack.update(Site="acl.example", Zone=zone, Acl=name), "UPDATE_COMPLETE", stack.story()
                )
            present = client("wafv2").get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["ARN"]
            self.assertEqual(present, stack.outputs()["Acl"])
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.story())
        with self.assertRaisesRegex(Exception, "WAFNonexistentItemException"):
            client("wafv2").get_web_acl_for_resource(ResourceArn=balancer)


if __name__ == "__main__":
    unittest.main()
