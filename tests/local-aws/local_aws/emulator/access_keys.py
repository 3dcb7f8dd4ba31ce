"""IAM's limit of two access keys a user, and its word for one too many, which the stock emulator does not know."""

from typing import Any

from ministack.services import iam

NAMES = {"ministack.services.iam": ("_IAM_HANDLERS", "_access_keys", "_error", "_p")}

MOST = 2


def install() -> None:
    """Count before a key is made."""
    iam._IAM_HANDLERS["CreateAccessKey"] = _limited(iam._IAM_HANDLERS["CreateAccessKey"])


def _limited(stock: Any) -> Any:
    def create(params: dict[str, Any]) -> Any:
        user = iam._p(params, "UserName")
        if sum(key["UserName"] == user for key in iam._access_keys.values()) >= MOST:
            text = f"Cannot exceed quota for AccessKeysPerUser: {MOST}"
            return iam._error(409, "LimitExceeded", text, ns="iam")
        return stock(params)

    return create
