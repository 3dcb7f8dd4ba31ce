"""What a role may do, for the calls that Lambda makes in a function's name.

The stock emulator enforces policies on every request that it receives (AUTH=true). Two things that a service does with
the function's own role never become a request there: the call of the failure destination and the delivery of logs. And
it does not know which resource a tagging call of SES is about.
"""

import json
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local_aws.emulator import patches

NAMES = {
    "ministack.core.iam_actions": ("extract_resource_arn",),
    "ministack.core.iam_evaluator": ("EvalContext", "evaluate", "_gather_role_policies", "_permissions_boundary"),
    "ministack.services.iam": ("_roles",),
}

SES_TAGS = "/v2/email/tags"


def install() -> None:
    """Complete the emulator's knowledge of which resource a request names."""
    patches.replace(iam_actions.__name__, "extract_resource_arn", _resource_of_tags)


def _resource_of_tags(stock: Any) -> Any:
    """TagResource of SES names its resource in the body, UntagResource and ListTagsForResource in the query."""

    def extract(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *place: str) -> str:
        if service != "ses" or path.rstrip("/") != SES_TAGS:
            return stock(service, method, path, headers, body, query, *place)
        named = query.get("ResourceArn", "*") if method != "POST" else _member(body, "ResourceArn")
        return named[0] if isinstance(named, list) else named

    return extract


def _member(body: bytes, name: str) -> str:
    try:
        return str(json.loads(body)[name])
    except (ValueError, KeyError, TypeError):
        return "*"


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
