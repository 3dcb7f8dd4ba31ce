"""What a role may do, for the calls that Lambda makes in a function's name.

The stock emulator enforces policies on every request that it receives (AUTH=true). Two things that a service does with
the function's own role never become a request there: the call of the failure destination and the delivery of logs.
"""

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

NAMES = {
    "ministack.core.iam_evaluator": ("EvalContext", "evaluate", "_gather_role_policies", "_permissions_boundary"),
    "ministack.services.iam": ("_roles",),
}


def role_allows(role_arn: str, action: str, resource: str) -> bool:
    """Whether the role's policies (and its boundary) allow this action on this resource."""
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/lambda",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={},
        principal_keys={},
    )
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    policies = iam_evaluator._gather_role_policies(name, account)
    return iam_evaluator.evaluate(context, policies, *limits).decision == "Allow"
