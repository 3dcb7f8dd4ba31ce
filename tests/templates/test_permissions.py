"""Prevents: a role that could do more than its function does, because a wildcard was quicker to write."""

from __future__ import annotations

import re
import unittest

from combinations import deployments
from support import PropertyTest, owner
from template_model import PLACEHOLDER, listed, templates

IDENTITY_POLICIES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def statements(resource):
    """The statements that give an identity permissions."""
    documents = [policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])]
    documents += [resource.properties["PolicyDocument"]] if "PolicyDocument" in resource.properties else []
    return [statement for document in documents for statement in document["Statement"]]


def role_statements(deployment, role):
    """What a role may do: its own policies and those attached to it."""
    attached = [
        policy
        for policy in deployment.resources("AWS::IAM::Policy")
        if role.placeholder in policy.properties.get("Roles", [])
    ]
    return [statement for resource in (role, *attached) for statement in statements(resource)]


class Permissions(PropertyTest):
    def test_no_identity_has_a_wildcard_action(self):
        self.holds(
            (deployment, resource, f"may {action}")
            for deployment, resource in self.everywhere(*IDENTITY_POLICIES)
            for statement in statements(resource)
            for action in listed(statement["Action"])
            if statement["Effect"] == "Allow" and "*" in action
        )

    def test_a_wildcard_resource_says_why_on_its_line_or_the_one_before(self):
        def findings():
            for path in templates():
                lines = path.read_text().splitlines()
                for number, line in enumerate(lines, 1):
                    if re.search(r"Resource: '\*'", line):
                        if "#" not in line and not lines[number - 2].lstrip().startswith("#"):
                            yield f"{path.name}:{number}", line.strip(), "no reason given"

        self.holds(findings())

    def test_no_function_may_make_log_groups_and_each_may_write_to_its_own(self):
        def findings():
            for deployment, function in self.everywhere("AWS::Lambda::Function"):
                group = function.properties["LoggingConfig"]["LogGroup"]
                allowed = role_statements(deployment, owner(deployment, function.properties["Role"]))
                logs = [s for s in allowed if any(a.startswith("logs:") for a in listed(s["Action"]))]
                if [s["Action"] for s in logs] != [["logs:CreateLogStream", "logs:PutLogEvents"]]:
                    yield deployment, function, f"log permissions {[s['Action'] for s in logs]}"
                elif logs[0]["Resource"] != group.replace(">", ".Arn>"):
                    yield deployment, function, f"logs to {group}, may write to {logs[0]['Resource']}"

        self.holds(findings())

    def test_every_function_has_a_role_of_its_own(self):
        def findings():
            for deployment in deployments():
                functions = deployment.resources("AWS::Lambda::Function")
                roles = [function.properties["Role"] for function in functions]
                for function in functions:
                    if roles.count(function.properties["Role"]) > 1:
                        yield deployment, function, f"shares {function.properties['Role']}"
                    if owner(deployment, function.properties["Role"]).module != function.module:
                        yield deployment, function, "borrows another module's role"

        self.holds(findings())

    def test_only_a_service_assumes_a_role_and_says_which(self):
        self.holds(
            (deployment, role, f"trusts {statement['Principal']}")
            for deployment, role in self.everywhere("AWS::IAM::Role")
            for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
            if list(statement["Principal"]) != ["Service"] or statement["Action"] != "sts:AssumeRole"
        )

    def test_a_function_decrypts_only_through_the_service_that_holds_the_secret(self):
        self.holds(
            (deployment, policy, "kms:Decrypt on its own")
            for deployment, policy in self.everywhere("AWS::IAM::Policy")
            for statement in statements(policy)
            if "kms:Decrypt" in listed(statement["Action"])
            and "kms:ViaService" not in statement.get("Condition", {}).get("StringEquals", {})
        )

    def test_a_function_reads_exactly_the_secrets_that_its_resources_name(self):
        def findings():
            for deployment, function in self.everywhere("AWS::Lambda::Function"):
                token = function.placeholder.replace(">", ".Arn>")
                named = {
                    value
                    for resource in deployment.resources()
                    if resource.properties.get("ServiceToken") == token
                    for name, value in resource.properties.items()
                    if name.endswith("SecretArn")
                }
                readable = {
                    secret
                    for statement in role_statements(deployment, owner(deployment, function.properties["Role"]))
                    if "secretsmanager:GetSecretValue" in listed(statement["Action"])
                    for secret in listed(statement["Resource"])
                }
                if named != readable:
                    yield deployment, function, f"needs {sorted(named)}, may read {sorted(readable)}"

        self.holds(findings())

    def test_mail_permissions_name_the_domain_and_the_zone_that_is_given(self):
        def findings():
            for deployment in deployments():
                (role,) = [one for one in deployment.resources("AWS::IAM::Role") if one.logical_id == "SesDomainRole"]
                actions = {
                    action: listed(statement["Resource"])
                    for statement in role_statements(deployment, role)
                    for action in listed(statement["Action"])
                }
                domain = deployment.parameters["Domain"]
                identity = f"arn:aws:ses:eu-central-1:123456789012:identity/{domain}"
                if actions["ses:DeleteEmailIdentity"] != [identity]:
                    yield deployment, role, f"deletes {actions['ses:DeleteEmailIdentity']}"
                zone = actions.get("route53:ChangeResourceRecordSets", ["none"])[-1].rsplit("/", 1)[-1]
                is_here = deployment.parameters.get("ExternalDns") != "true"
                is_here &= "HostedZoneRoleArn" not in deployment.parameters
                if zone != (deployment.parameters.get("HostedZoneId", "*") if is_here else "none"):
                    yield deployment, role, f"changes zone {zone}"
                if ("sts:AssumeRole" in actions) != ("HostedZoneRoleArn" in deployment.parameters):
                    yield deployment, role, "assumes a role that is not given, or not the one that is"

        self.holds(findings())


class Partitions(PropertyTest):
    def test_no_arn_names_a_partition(self):
        self.holds(
            (f"{path.name}:{number}", line.strip(), "works in one partition only: write ${AWS::Partition}")
            for path in templates()
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if re.search(r"\barn:aws[a-z-]*:", line)
        )

    def test_no_physical_name_is_given_but_where_another_service_must_know_it(self):
        known = {
            "DBInstanceIdentifier": "RDS logs to groups of this name",
            "UserName": "what a client signs in as",
            "LogGroupName": "RDS logs to groups of this name; flow logs and filters name the group that is there",
        }

        def findings():
            for deployment, resource in [(one, r) for one in deployments()[:1] for r in one.resources()]:
                kind = resource.type.rsplit("::", 1)[-1]
                for name, value in resource.properties.items():
                    is_name = name in ("Name", f"{kind}Name", f"{kind}Identifier") and not resource.type.startswith(
                        "Custom::"
                    )
                    if (
                        is_name
                        and resource.type not in ("AWS::IAM::Policy", "AWS::Route53::RecordSet")
                        and name not in known
                        and not PLACEHOLDER.search(str(value))
                    ):
                        yield deployment, resource, f"{name} is {value!r}"

        self.holds(findings())


if __name__ == "__main__":
    unittest.main()
