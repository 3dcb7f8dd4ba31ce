"""Prevents: a bill whose largest part nobody could assign.

CloudFormation gives the tags of a nested stack to everything in it that can carry tags at its creation; which types can,
the schemas in cfn-lint say.
"""

from __future__ import annotations

import functools
import unittest

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from combinations import deployments
from support import PropertyTest

TAGS = ["Application", "Component", "CostCenter", "Environment", "ManagedBy"]


@functools.cache
def tagging(resource_type: str) -> dict:
    """What the type's schema says about tags."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return schema.get("tagging", {"taggable": schema.get("taggable", False)})


class Tags(PropertyTest):
    def test_everything_taggable_has_the_five_tags(self):
        def findings():
            for deployment in deployments():
                for stack in deployment.stacks[1:]:
                    for resource in stack.resources.values():
                        if resource.type.startswith("Custom::") or not tagging(resource.type)["taggable"]:
                            continue
                        inherits = tagging(resource.type).get("tagOnCreate", True)
                        tags = {tag["Key"] for tag in resource.properties.get("Tags", [])}
                        tags |= set(stack.tags) if inherits else set()
                        if missing := sorted(set(TAGS) - tags):
                            yield deployment, resource, f"lacks {', '.join(missing)}"

        self.holds(findings())

    def test_every_nested_stack_is_tagged_as_the_component_that_it_is(self):
        def findings():
            for deployment in deployments():
                for stack in deployment.stacks[1:]:
                    expected = {
                        "Application": deployment.parameters.get("Application", "mautic"),
                        "Component": stack.module,
                        "CostCenter": deployment.parameters.get("CostCenter", "marketing"),
                        "Environment": deployment.environment,
                        "ManagedBy": "CloudFormation",
                    }
                    if stack.tags != expected:
                        yield deployment, stack.module, f"tagged {stack.tags}"

        self.holds(findings())

    def test_final_snapshots_carry_the_tags_of_their_database(self):
        self.holds(
            (deployment, instance, "CopyTagsToSnapshot is off")
            for deployment, instance in self.everywhere("AWS::RDS::DBInstance")
            if instance.properties.get("CopyTagsToSnapshot") is not True
        )


if __name__ == "__main__":
    unittest.main()
