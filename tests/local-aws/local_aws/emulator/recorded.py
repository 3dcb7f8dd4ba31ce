"""Resource types that are only recorded: declared, given an identity, and without any behaviour.

One table. `README.md` lists the same types, and a test compares the two.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches
from local_aws.emulator.resources import Props, add

NAMES = {"ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",)}

Identity = Callable[[str, Props, str], str]
Answer = Callable[[str], Props]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _scaling_target(_: str, props: Props, __: str) -> str:
    return f"{props['ResourceId']}|{props['ScalableDimension']}|{props['ServiceNamespace']}"


def _scaling_policy(_: str, props: Props, __: str) -> str:
    return _arn("autoscaling", f"scalingPolicy:{new_uuid()}:policyName/{props['PolicyName']}")


RECORDED: dict[str, tuple[Identity, Answer]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (_scaling_target, lambda i: {"Id": i}),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (_scaling_policy, lambda i: {"Arn": i}),
    "AWS::Backup::RestoreTestingPlan": (
        lambda logical_id, props, stack: props["RestoreTestingPlanName"],
        lambda i: {"RestoreTestingPlanArn": _arn("backup", f"restore-testing-plan:{i}")},
    ),
    "AWS::Backup::RestoreTestingSelection": (
        lambda logical_id, props, stack: f"{props['RestoreTestingPlanName']}|{props['RestoreTestingSelectionName']}",
        lambda i: {},
    ),
    "AWS::CloudWatch::AnomalyDetector": (lambda logical_id, props, stack: new_uuid(), lambda i: {"Id": i}),
    "AWS::Logs::QueryDefinition": (lambda logical_id, props, stack: new_uuid(), lambda i: {"QueryDefinitionId": i}),
    "AWS::RDS::EventSubscription": (
        lambda logical_id, props, stack: props.get("SubscriptionName") or f"{stack}-{logical_id}".lower(),
        lambda i: {},
    ),
    "AWS::WAFv2::LoggingConfiguration": (lambda logical_id, props, stack: props["ResourceArn"], lambda i: {}),
}


def install() -> None:
    """Add the types of the table."""
    for resource_type, (identity, answer) in RECORDED.items():
        if resource_type in provisioners._RESOURCE_HANDLERS:
            raise patches.IncompatibleEmulator(
                f"{resource_type} has a behaviour already: take it out of recorded.RECORDED"
            )
        _record(resource_type, identity, answer)


def _record(resource_type: str, identity: Identity, answer: Answer) -> None:
    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        physical_id = identity(logical_id, props, stack_name)
        return physical_id, answer(physical_id)

    def update(physical_id: str, _: Any, __: Any) -> Props:
        return answer(physical_id)

    add(resource_type, create, update=update)
