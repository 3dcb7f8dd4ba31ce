"""Resource types of the project's modules: what exists after the deployment, and what GetAtt and Ref answer."""

import json
import time
import unittest

from support import TestCase, client


class Infrastructure(TestCase):
    """One stack for all sentences: it costs a second."""

    @classmethod
    def setUpClass(cls):
        test = cls()
        cls.stack = test.new("infrastructure.yaml")
        cls.stack.name = "infrastructure"
        status = cls.stack.create()
        test.assertEqual(status, "CREATE_COMPLETE", cls.stack.story())
        cls.out = cls.stack.outputs()

    def runTest(self):
        """Let setUpClass make an instance, for its assertions."""

    @classmethod
    def tearDownClass(cls):
        status = cls.stack.delete()
        assert status == "DELETE_COMPLETE", cls.stack.story()

    def test_properties_are_echoed(self):
        self.assertEqual(self.out["VpcCidr"], "10.7.0.0/16")
        self.assertEqual(self.out["SubnetCidr"], "10.7.0.0/24")
        self.assertEqual(self.out["SubnetVpc"], self.out["Vpc"])

    def test_rules_of_security_groups_are_authorised(self):
        groups = client("ec2").describe_security_groups(GroupIds=[self.out["GroupB"]])["SecurityGroups"]
        rule = groups[0]["IpPermissions"][0]
        self.assertEqual((rule["FromPort"], rule["UserIdGroupPairs"][0]["Description"]), (3306, "from a"))

    def test_nat_gateway_and_flow_log_exist(self):
        ec2 = client("ec2")
        gateways = ec2.describe_nat_gateways(NatGatewayIds=[self.out["Nat"]])["NatGateways"]
        self.assertEqual(gateways[0]["State"], "available")
        flow_logs = ec2.describe_flow_logs(FlowLogIds=[self.out["FlowLog"]])["FlowLogs"]
        self.assertEqual(flow_logs[0]["TrafficType"], "REJECT")

    def test_secret_without_wishes_is_a_password_of_32_characters(self):
        answer = client("secretsmanager").get_secret_value(SecretId=self.out["PlainSecretArn"])
        self.assertEqual(len(answer["SecretString"]), 32)

    def test_ref_of_a_secret_is_its_arn_and_its_password_is_as_asked_for(self):
        self.assertRegex(self.out["SecretArn"], r"^arn:aws:secretsmanager:eu-central-1:123456789012:secret:")
        value = json.loads(client("secretsmanager").get_secret_value(SecretId=self.out["SecretArn"])["SecretString"])
        self.assertEqual(value["username"], "mautic")
        self.assertEqual(len(value["password"]), 40)
        self.assertFalse(set(value["password"]) & set('%"'))
        for kind in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()):
            self.assertTrue(any(kind(character) for character in value["password"]))

    def test_database_endpoint_leads_to_the_real_server(self):
        self.assertEqual((self.out["Host"], self.out["Port"]), ("localhost", "33061"))

    def test_managed_master_secret_holds_the_real_administrator_and_nothing_else(self):
        secret = client("secretsmanager").get_secret_value(SecretId=self.out["MasterSecretArn"])
        self.assertRegex(secret["Name"], r"^rds!db-")
        self.assertEqual(json.loads(secret["SecretString"]), {"username": "admin", "password": "admin's password"})

    def test_target_attachment_writes_the_connection_into_the_secret(self):
        value = json.loads(client("secretsmanager").get_secret_value(SecretId=self.out["SecretArn"])["SecretString"])
        shown = {key: value[key] for key in ("engine", "host", "port", "dbInstanceIdentifier")}
        self.assertEqual(shown | {"dbInstanceIdentifier": ""}, {
            "engine": "mysql", "host": "localhost", "port": 33061, "dbInstanceIdentifier": ""})  # fmt: skip
        self.assertTrue(value["dbInstanceIdentifier"])

    def test_alarm_over_metric_math_exists(self):
        alarms = client("cloudwatch").describe_alarms(AlarmNames=[self.out["Alarm"]])["MetricAlarms"]
        self.assertEqual((alarms[0]["Threshold"], alarms[0]["StateValue"]), (5.0, "INSUFFICIENT_DATA"))

    def test_configuration_set_has_its_options_and_its_destination(self):
        ses = client("sesv2")
        described = ses.get_configuration_set(ConfigurationSetName=self.out["ConfigurationSet"])
        self.assertEqual(described["DeliveryOptions"]["TlsPolicy"], "REQUIRE")
        answer = ses.get_configuration_set_event_destinations(ConfigurationSetName=self.out["ConfigurationSet"])
        self.assertEqual(answer["EventDestinations"][0]["MatchingEventTypes"], ["BOUNCE"])

    def test_email_identity_tells_its_tokens(self):
        self.assertRegex(self.out["Token"], r"^[a-z0-9]{32}\._domainkey\.infrastructure\.example$")

    def test_update_changes_in_place(self):
        self.assertEqual(self.stack.update(Protected="true"), "UPDATE_COMPLETE", self.stack.story())
        host = self.stack.outputs()["Host"]
        self.assertEqual(host, "localhost")
        self.assertEqual(self.stack.outputs()["MasterSecretArn"], self.out["MasterSecretArn"])
        self.assertEqual(self.stack.update(Protected="false"), "UPDATE_COMPLETE", self.stack.story())


class RecordSets(TestCase):
    """AWS::Route53::RecordSet meets the same rules as the API's batches."""

    def test_wrong_value_fails_the_stack_in_route_53s_words(self):
        route53 = client("route53")
        zone = route53.create_hosted_zone(Name="records.example", CallerReference=str(time.time()))["HostedZone"]["Id"]
        stack = self.new("record.yaml")
        settings = {"Zone": zone.removeprefix("/hostedzone/"), "Name": "a.records.example"}
        self.assertEqual(stack.create(Value="unquoted", **settings), "ROLLBACK_COMPLETE")
        self.assertEqual(
            stack.reason("Set", "CREATE_FAILED"),
            "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation "
            "marks) encountered with 'unquoted'']",
        )
        stack.delete()
        self.assertEqual(stack.create(Value='"quoted"', **settings), "CREATE_COMPLETE", stack.story())
        self.assertEqual(stack.update(Value='"other"', **settings), "UPDATE_COMPLETE", stack.story())
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        kinds = [one["Type"] for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
        self.assertEqual(kinds, ["NS", "SOA"])


if __name__ == "__main__":
    unittest.main()
