"""What Lambda refuses when a template makes a function or says where its failures go; the network that it remembers."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local_aws.emulator import iam
from local_aws.emulator.resources import Props

NAMES = {
    "ministack.core.iam_evaluator": ("validate_role_arn",),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
    "ministack.services.lambda_svc": ("_fetch_code_from_s3", "_functions", "_get_func_record_for_ref"),
}


class Refused(RuntimeError):
    """Lambda's message."""


def install() -> None:
    """Put the checks before the handlers."""
    for resource_type, check in (
        ("AWS::Lambda::Function", check_function),
        ("AWS::Lambda::EventInvokeConfig", check_destination),
    ):
        handlers = provisioners._RESOURCE_HANDLERS[resource_type]
        for action in ("create", "update"):
            handlers[action] = _after(check, handlers[action])


def _after(check: Callable[[Props], None], stock: Callable[..., Any]) -> Callable[..., Any]:
    def handle(*arguments: Any) -> Any:
        # create(logical id, properties, ...) and update(physical id, old properties, new properties, ...)
        props = [one for one in arguments if isinstance(one, dict)][-1]
        check(props)
        physical_id, attributes = stock(*arguments)
        _keep_network(physical_id, props)
        return physical_id, attributes

    return handle


def _keep_network(physical_id: str, props: Props) -> None:
    """The subnets and groups that the emulator forgets: GetFunction shows them, and no packet ever passes them."""
    function, network = lambda_svc._functions.get(physical_id), props.get("VpcConfig")
    if function is not None and network:
        function["config"]["VpcConfig"] = {
            name: list(network.get(name) or []) for name in ("SubnetIds", "SecurityGroupIds")
        }


def check_function(props: Props) -> None:
    """The package is in its bucket, the role exists, and it may reach into the network that the function is to be in."""
    code, role = props.get("Code") or {}, props.get("Role", "")
    if code.get("S3Key") and lambda_svc._fetch_code_from_s3(code["S3Bucket"], code["S3Key"]) is None:
        raise Refused(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            "S3 Error Message: The specified key does not exist."
        )
    if iam_evaluator.validate_role_arn(role):
        raise Refused("The role defined for the function cannot be assumed by Lambda.")
    in_a_network = (props.get("VpcConfig") or {}).get("SubnetIds")
    if in_a_network and not iam.role_allows(role, "ec2:CreateNetworkInterface", "*"):
        raise Refused("The provided execution role does not have permissions to call CreateNetworkInterface on EC2")


def check_destination(props: Props) -> None:
    """The function's role may invoke the function that its failures go to."""
    destination = ((props.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    _, config, _ = lambda_svc._get_func_record_for_ref(props.get("FunctionName", ""))
    if config is None or ":lambda:" not in destination:
        return
    if not iam.role_allows(config.get("Role", ""), "lambda:InvokeFunction", destination):
        raise Refused(
            f"The function's execution role does not have permissions to call InvokeFunction on {destination}"
        )
