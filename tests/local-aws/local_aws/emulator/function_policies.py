"""What a function's own policy lets an AWS service do: the calls that a service makes in its own name, not in a role's."""

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

NAMES = {
    "ministack.core.iam_evaluator": ("EvalContext", "evaluate_resource_policy"),
    "ministack.services.lambda_svc": ("function_policy_for_arn",),
}

INVOKE = "lambda:InvokeFunction"


def lets_invoke(function_arn: str, service: str, source_arn: str) -> bool:
    """Whether the policy allows the service's principal to invoke the function for this source, which is of this account."""
    found = lambda_svc.function_policy_for_arn(function_arn)
    if found is None:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="AWSService",
        principal_account=get_account_id(),
        action=INVOKE,
        resource_arn=function_arn,
        region=get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()},
        principal_keys={},
    )
    return iam_evaluator.evaluate_resource_policy(found[0], context, service=service).decision == "Allow"
