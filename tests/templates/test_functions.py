"""Prevents: a stack that waited an hour for a function which had died, and another hour for its rollback.

Every custom resource is answered: by its function, or within seconds by the failure responder.
"""

from __future__ import annotations

import re
import unittest

from combinations import deployments
from support import PropertyTest, owner
from template_model import listed, load, templates
from test_permissions import role_statements

# One invocation and five continuations (R10).
INVOCATIONS = 6
RESPONDER = "<foundation.FailureResponderFunction.Arn>"


def is_custom(resource) -> bool:
    return resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource"


class CustomResources(PropertyTest):
    def custom_resources(self):
        found = [(one, resource) for one in deployments() for resource in one.resources() if is_custom(resource)]
        self.assertTrue(found)
        return [(one, resource, owner(one, resource.properties["ServiceToken"])) for one, resource in found]

    def invocation(self, deployment, function):
        """The function's event-invoke configuration."""
        return [
            one
            for one in deployment.resources("AWS::Lambda::EventInvokeConfig")
            if one.properties["FunctionName"] == function.placeholder
        ]

    def test_each_waits_for_its_functions_policy_and_invoke_configuration(self):
        def findings():
            for deployment, resource, function in self.custom_resources():
                needed = {one.logical_id for one in self.invocation(deployment, function)}
                needed |= {
                    policy.logical_id
                    for policy in deployment.resources("AWS::IAM::Policy")
                    if function.properties["Role"].replace(".Arn", "") in policy.properties["Roles"]
                }
                if function.module != resource.module or len(needed) != 2 or not needed <= set(resource.depends_on):
                    yield deployment, resource, f"depends on {resource.depends_on}, needs {sorted(needed)}"

        self.holds(findings())

    def test_its_function_is_never_retried_and_reports_to_the_responder(self):
        def findings():
            for deployment, _, function in self.custom_resources():
                for one in self.invocation(deployment, function):
                    destination = one.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
                    if one.properties["MaximumRetryAttempts"] != 0 or destination != RESPONDER:
                        yield deployment, one, f"retries, or reports to {destination}"
                    if not one.depends_on:
                        yield deployment, one, "Lambda refuses a destination that the role may not call yet"

        self.holds(findings())

    def test_its_function_may_call_itself_and_the_responder_and_nothing_else(self):
        def findings():
            for deployment, _, function in self.custom_resources():
                called = [
                    target
                    for statement in role_statements(deployment, owner(deployment, function.properties["Role"]))
                    if "lambda:InvokeFunction" in listed(statement["Action"])
                    for target in listed(statement["Resource"])
                ]
                if called != [function.placeholder.replace(">", ".Arn>"), RESPONDER]:
                    yield deployment, function, f"may call {called}"

        self.holds(findings())

    def test_cloudformation_waits_a_minute_longer_than_the_resource_does_and_an_hour_at_most(self):
        def findings():
            for deployment, resource, function in self.custom_resources():
                wait = int(resource.properties.get("WaitSeconds", function.properties["Timeout"]))
                timeout = int(resource.properties["ServiceTimeout"])
                if timeout != max(wait + 60, 120) or timeout > 3600:
                    yield deployment, resource, f"waits {wait} s, CloudFormation {timeout} s"
                # The runtime hands over 8 s before the limit.
                if wait > INVOCATIONS * (function.properties["Timeout"] - 8):
                    yield deployment, resource, f"waits {wait} s, longer than {INVOCATIONS} invocations can"

        self.holds(findings())

    def test_each_can_be_made_to_reconcile(self):
        self.holds(
            (deployment, resource, "has no Nonce")
            for deployment, resource, _ in self.custom_resources()
            if "Nonce" not in resource.properties
        )


class Functions(PropertyTest):
    def test_each_is_small_and_of_the_chosen_architecture_and_logs_json_to_its_own_group(self):
        def findings():
            for deployment, function in self.everywhere("AWS::Lambda::Function"):
                found = function.properties
                shape = (
                    found["Runtime"],
                    found["Handler"],
                    found["Architectures"],
                    found["LoggingConfig"]["LogFormat"],
                )
                architecture = deployment.parameters.get("FunctionArchitecture", "arm64")
                if shape != ("provided.al2023", "bootstrap", [architecture], "JSON"):
                    yield deployment, function, f"{shape}"
                if owner(deployment, found["LoggingConfig"]["LogGroup"]).module != function.module:
                    yield deployment, function, "logs to another module's group"
                if found["MemorySize"] > 256 or found["Timeout"] > 900:
                    yield deployment, function, f"{found['MemorySize']} MB, {found['Timeout']} s"

        self.holds(findings())

    def test_memory_and_timeout_give_their_reason(self):
        self.holds(
            (f"{path.name}:{number}", line.strip(), "a number without a reason")
            for path in templates()
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if re.match(r" +(MemorySize|Timeout): \d+", line) and "#" not in line
        )

    def test_each_is_packaged_from_the_crate_of_its_name(self):
        def findings():
            for path in templates():
                for logical_id, declared in load(path)["Resources"].items():
                    if declared["Type"] == "AWS::Lambda::Function":
                        name = re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()
                        if declared["Properties"]["Code"] != f"../functions/{name}.zip":
                            yield path.name, logical_id, f"Code is {declared['Properties']['Code']}, not {name}"
                        if not (path.parents[2] / "functions" / name / "Cargo.toml").exists():
                            yield path.name, logical_id, f"there is no crate functions/{name}"

        self.holds(findings())

    def test_every_log_is_kept_for_a_stated_time(self):
        def findings():
            for deployment, group in self.everywhere("AWS::Logs::LogGroup"):
                chosen = (
                    deployment.parameters.get("LogRetentionDays")
                    or {"dev": 7, "test": 30, "prod": 365}[deployment.environment]
                )
                if str(group.properties.get("RetentionInDays")) != str(chosen):
                    yield deployment, group, f"kept {group.properties.get('RetentionInDays')} days, not {chosen}"

        self.holds(findings())


if __name__ == "__main__":
    unittest.main()
