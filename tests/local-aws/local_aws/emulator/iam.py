"""What a role may do, for the calls that Lambda makes in a function's name.

The stock emulator enforces policies on every request that it receives (AUTH=true). Two things that a service does with
the function's own role never become a request there: the call of the failure destination and the delivery of logs. And
it does not know which resource some requests are about, nor in which form Route 53 refuses one.
"""

import json
import re
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local_aws.emulator import patches

NAMES = {
    "ministack.core.iam_actions": ("access_denied_response", "extract_resource_arn"),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "evaluate",
        "pin_request_origin",
        "_gather_role_policies",
        "_permissions_boundary",
    ),
    "ministack.services.iam": ("_roles",),
}

SES_TAGS = "/v2/email/tags"
ROUTE53_CHANGE = re.compile(r"/2013-04-01/change/([^/]+)/?")
ROUTE53_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


def install() -> None:
    """Complete the emulator's knowledge of which resource a request names, and of how it is refused."""
    patches.replace(iam_actions.__name__, "extract_resource_arn", _resource)
    patches.replace(iam_actions.__name__, "access_denied_response", _denial)
    # On the loopback interface HTTP stands for HTTPS: policies that ask for TLS mean the network between.
    patches.replace(iam_evaluator.__name__, "pin_request_origin", lambda stock: lambda origin, _: stock(origin, True))


def _resource(stock: Any) -> Any:
    def extract(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *place: str) -> str:
        if service == "ses" and path.rstrip("/") == SES_TAGS:
            return _tagged(method, body, query)
        if service == "route53" and (change := ROUTE53_CHANGE.fullmatch(path)):
            return f"arn:aws:route53:::change/{change[1]}"
        return stock(service, method, path, headers, body, query, *place)

    return extract


def _tagged(method: str, body: bytes, query: Any) -> str:
    """TagResource of SES names its resource in the body, UntagResource and ListTagsForResource in the query."""
    named = _member(body, "ResourceArn") if method == "POST" else query.get("ResourceArn", "*")
    return named[0] if isinstance(named, list) else named


def _denial(stock: Any) -> Any:
    """Route 53 wraps its errors, where S3 does not; an SDK finds no code in the other's form."""

    def answer(service: str, *arguments: Any, **options: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = stock(service, *arguments, **options)
        if service == "route53":
            opened = f'<ErrorResponse xmlns="{ROUTE53_NAMESPACE}"><Error><Type>Sender</Type>'
            text = body.decode().replace("<Error>", opened)
            text = re.sub(r"(<RequestId>.*?</RequestId>)</Error>", r"</Error>\1</ErrorResponse>", text, flags=re.DOTALL)
            body = text.encode()
        return status, headers, body

    return answer


def _member(body: bytes, name: str) -> str:
    try:
        return str(json.loads(body)[name])
    except (ValueError, KeyError, TypeError):
        return "*"


def role_allows(role_arn: str, action: str, resource: str, keys: dict[str, str] | None = None) -> bool:
    """Whether the role's policies (and its boundary) allow this action on this resource; `keys` are for conditions."""
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/lambda",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=keys or {},
        principal_keys={},
    )
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    policies = iam_evaluator._gather_role_policies(name, account)
    return iam_evaluator.evaluate(context, policies, *limits).decision == "Allow"
