"""Prevents: a rule whose description EC2 refused at the end of a long deployment; a path that was open on one side only;
a function that could not answer CloudFormation because nothing led out of its subnet.
"""

from __future__ import annotations

import re
import unittest

from combinations import deployments
from support import PropertyTest
from template_model import listed

# EC2's own set, for descriptions of groups and of rules; 255 characters at most.
DESCRIPTION = re.compile(r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")
LOOPBACK = "127.0.0.1/32"
ANYWHERE = "0.0.0.0/0"
# The paths that exist, each with its port: what is not listed here must not be open.
PATHS = {
    ("LoadBalancer", "Web", 8080),
    *((source, "Database", 3306) for source in ("Web", "Job", "Function")),
    *((source, "Cache", 6379) for source in ("Web", "Job", "Function")),
    *((source, "FileSystem", 2049) for source in ("Web", "Job")),
}
OUTWARDS = {(source, ANYWHERE, port) for source in ("Web", "Job", "Function") for port in (443, 587)}
INWARDS = {(ANYWHERE, "LoadBalancer", port) for port in (80, 443)}
TO_ENDPOINTS = {(source, "Endpoint", 443) for source in ("Web", "Job", "Function")}


def group(text: str) -> str:
    """The part whose security group this is, or the address range as it stands."""
    found = re.fullmatch(r"<security-groups\.(\w+)SecurityGroup>", text)
    return found[1] if found else text


def egress(deployment):
    """Every way out that a group has: source, destination, port."""
    for resource in deployment.resources("AWS::EC2::SecurityGroup"):
        for rule in resource.properties["SecurityGroupEgress"]:
            destination = rule.get("DestinationSecurityGroupId") or rule["CidrIp"]
            if destination != LOOPBACK:
                assert rule["FromPort"] == rule["ToPort"], f"{resource}: a range of ports"
                yield group(resource.placeholder), group(destination), rule["ToPort"]


def ingress(deployment):
    """Every way in: source, destination, port."""
    for resource in deployment.resources("AWS::EC2::SecurityGroup"):
        for rule in resource.properties.get("SecurityGroupIngress", []):
            yield rule["CidrIp"], group(resource.placeholder), rule["ToPort"]
    for resource in deployment.resources("AWS::EC2::SecurityGroupIngress"):
        rule = resource.properties
        assert rule["FromPort"] == rule["ToPort"], f"{resource}: a range of ports"
        yield group(rule["SourceSecurityGroupId"]), group(rule["GroupId"]), rule["ToPort"]


class SecurityGroups(PropertyTest):
    def test_every_group_and_rule_is_described_in_characters_that_ec2_takes(self):
        def descriptions(resource):
            if resource.type == "AWS::EC2::SecurityGroup":
                yield resource.properties.get("GroupDescription", "")
                for side in ("SecurityGroupIngress", "SecurityGroupEgress"):
                    yield from (rule.get("Description", "") for rule in resource.properties.get(side, []))
            else:
                yield resource.properties.get("Description", "")

        types = [f"AWS::EC2::SecurityGroup{suffix}" for suffix in ("", "Ingress", "Egress")]
        self.holds(
            (deployment, resource, f"description {text!r}")
            for deployment, resource in self.everywhere(*types)
            for text in descriptions(resource)
            if not DESCRIPTION.fullmatch(text)
        )

    def test_the_open_paths_are_exactly_the_listed_ones(self):
        for deployment in deployments():
            endpoints = deployment.parameters.get("InterfaceEndpoints", "none")
            expected = PATHS | INWARDS | (TO_ENDPOINTS if endpoints != "none" else set())
            expected |= {(source, "Endpoint", 587) for source in ("Web", "Job")} if endpoints == "all" else set()
            with self.subTest(str(deployment)):
                self.assertEqual(set(ingress(deployment)), expected)
                self.assertEqual(set(egress(deployment)), PATHS | OUTWARDS)

    def test_a_path_into_a_group_is_open_at_its_source_as_well(self):
        def findings():
            for deployment in deployments():
                out = set(egress(deployment))
                for source, destination, port in ingress(deployment):
                    if source != ANYWHERE and not {(source, destination, port), (source, ANYWHERE, port)} & out:
                        yield deployment, f"{source} to {destination}", f"{port} is closed at the source"

        self.holds(findings())

    def test_only_the_load_balancer_is_open_to_the_internet(self):
        open_groups = {way for one in deployments() for way in ingress(one) if way[0] == ANYWHERE}
        self.assertEqual(open_groups, INWARDS)


class Routes(PropertyTest):
    def default_routes(self, deployment):
        return {
            route.properties["RouteTableId"]: route.properties.get("NatGatewayId") or route.properties["GatewayId"]
            for route in deployment.resources("AWS::EC2::Route")
        }

    def test_every_subnet_of_a_new_network_has_the_way_that_its_name_says(self):
        def findings():
            for deployment in deployments():
                routes = self.default_routes(deployment)
                tables = {
                    one.properties["SubnetId"]: one.properties["RouteTableId"]
                    for one in deployment.resources("AWS::EC2::SubnetRouteTableAssociation")
                }
                for subnet in deployment.resources("AWS::EC2::Subnet"):
                    way = routes.get(tables.get(subnet.placeholder, "no table"), "nowhere")
                    has_nat = deployment.parameters.get("NatGateways") != "none"
                    private = "<networking.NatGateway" if has_nat else "nowhere"
                    wanted = {"Public": "<networking.InternetGateway>", "Private": private, "Isolated": "nowhere"}
                    if not way.startswith(wanted[subnet.logical_id[: subnet.logical_id.index("Subnet")]]):
                        yield deployment, subnet, f"leads to {way}"

        self.holds(findings())

    def test_production_has_a_nat_gateway_in_each_zone_of_its_network(self):
        def findings():
            for deployment in deployments():
                zones = len({s.properties["AvailabilityZone"] for s in deployment.resources("AWS::EC2::Subnet")})
                gateways = len(deployment.resources("AWS::EC2::NatGateway"))
                chosen = deployment.parameters.get("NatGateways") or (
                    "one-a-zone" if deployment.environment == "prod" else "one"
                )
                wanted = {"none": 0, "one": 1, "one-a-zone": zones}[chosen] if zones else 0
                if gateways != wanted:
                    yield deployment, "NAT", f"{gateways} gateways in {zones} zones, not {wanted}"

        self.holds(findings())

    def test_s3_is_reached_through_its_gateway_from_every_subnet_of_a_new_network(self):
        def findings():
            for deployment in deployments():
                served = {
                    table
                    for endpoint in deployment.resources("AWS::EC2::VPCEndpoint")
                    if endpoint.properties["VpcEndpointType"] == "Gateway"
                    for table in endpoint.properties["RouteTableIds"]
                }
                for table in deployment.resources("AWS::EC2::RouteTable"):
                    if table.placeholder not in served:
                        yield deployment, table, "S3 is not reached: custom resources could not answer"
                if given := deployment.parameters.get("RouteTableIds"):
                    if served != set(given.split(",")):
                        yield deployment, "S3 endpoint", f"serves {served}, not {given}"

        self.holds(findings())

    def test_subnets_do_not_overlap_and_lie_in_their_zones(self):
        for deployment in deployments():
            subnets = deployment.resources("AWS::EC2::Subnet")
            with self.subTest(str(deployment)):
                self.assertEqual(len({one.properties["CidrBlock"] for one in subnets}), len(subnets))
                zones = [int(deployment.parameters.get("ZoneCount", 2))] * 3 if subnets else []
                kinds = [[s for s in subnets if s.logical_id.startswith(k)] for k in ("Public", "Private", "Isolated")]
                found = [len({one.properties["AvailabilityZone"] for one in kind}) for kind in kinds if kind]
                self.assertEqual(found, zones)


class Reachability(PropertyTest):
    def test_a_function_in_the_network_reaches_secrets_manager_lambda_and_the_database(self):
        """What database-init calls: both services over 443, by NAT or by interface endpoints, and MySQL."""

        def findings():
            for deployment, function in self.everywhere("AWS::Lambda::Function"):
                if "VpcConfig" not in function.properties:
                    continue
                sources = {group(one) for one in listed(function.properties["VpcConfig"]["SecurityGroupIds"])}
                out = set(egress(deployment))
                for destination, port in ((ANYWHERE, 443), ("Database", 3306)):
                    if not any((source, destination, port) in out for source in sources):
                        yield deployment, function, f"cannot reach {destination} on {port}"
                services = {
                    one.properties["ServiceName"].rsplit(".", 1)[-1]
                    for one in deployment.resources("AWS::EC2::VPCEndpoint")
                }
                is_closed = deployment.parameters.get("NatGateways") == "none"
                if is_closed and not {"secretsmanager", "lambda", "s3"} <= services:
                    yield deployment, function, f"without NAT there are only endpoints for {sorted(services)}"

        self.holds(findings())

    def test_the_database_stands_in_isolated_subnets_and_functions_in_private_ones(self):
        def findings():
            for deployment in deployments():
                expected = [stack.outputs for stack in deployment.stacks if stack.module == "networking"][0]
                for one in deployment.resources("AWS::RDS::DBSubnetGroup"):
                    if ",".join(one.properties["SubnetIds"]) != expected["IsolatedSubnetIds"]:
                        yield deployment, one, f"in {one.properties['SubnetIds']}"
                for one in deployment.resources("AWS::Lambda::Function"):
                    subnets = one.properties.get("VpcConfig", {}).get("SubnetIds")
                    if subnets and ",".join(subnets) != expected["PrivateSubnetIds"]:
                        yield deployment, one, f"in {subnets}"

        self.holds(findings())


if __name__ == "__main__":
    unittest.main()
