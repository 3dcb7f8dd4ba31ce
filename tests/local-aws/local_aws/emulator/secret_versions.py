"""Secrets Manager's versions: a version is written once, a label is on one version at most, and one without a value has none.

The stock emulator overwrites versions, and lets a label stand on two.
"""

import json
import threading
import time
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import secretsmanager

from local_aws.emulator import patches

NAMES = {
    "ministack.services.secretsmanager": (
        "_get_secret_value",
        "_put_secret_value",
        "_remove_stage_everywhere",
        "_resolve",
        "_update_secret_version_stage",
    ),
}

Answer = tuple[int, dict[str, str], bytes]
Data = dict[str, Any]

VALUES = ("SecretString", "SecretBinary")

_lock = threading.Lock()


def install() -> None:
    """Check before the emulator's own operations, and set right what they leave."""
    module = secretsmanager.__name__
    patches.replace(module, "_get_secret_value", _get)
    patches.replace(module, "_put_secret_value", _put)
    patches.replace(module, "_update_secret_version_stage", _move)


def _value(of: Data) -> tuple[Any, ...]:
    return tuple(of.get(name) for name in VALUES)


def _get(stock: Any) -> Any:
    def get(data: Data) -> Answer:
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        version_id, stage = data.get("VersionId"), data.get("VersionStage")
        version = ((secret or {}).get("Versions") or {}).get(version_id)
        if version and stage and stage not in version["Stages"]:
            text = "You provided a VersionStage that is not associated to the provided VersionId."
            return error_response_json("InvalidRequestException", text, 400)
        answer = stock(data)
        if answer[0] < 400 and not any(f'"{name}"'.encode() in answer[2] for name in VALUES):
            wanted = f"VersionId: {version_id}" if version_id else f"staging label: {stage or 'AWSCURRENT'}"
            text = f"Secrets Manager can't find the specified secret value for {wanted}"
            return error_response_json("ResourceNotFoundException", text, 400)
        return answer

    return get


def _put(stock: Any) -> Any:
    def put(data: Data) -> Answer:
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        token = data.get("ClientRequestToken")
        with _lock:
            known = ((secret or {}).get("Versions") or {}).get(token)
            if secret and known and any(_value(known)):
                return _again(secret, known, data)
            answer = stock(data)
            if answer[0] < 400 and secret:
                written = json.loads(answer[2])["VersionId"]
                for stage in data.get("VersionStages") or []:
                    secretsmanager._remove_stage_everywhere(secret, stage, except_version_id=written)
                secret["LastChangedDate"] = time.time()
        return answer

    return put


def _again(secret: Data, version: Data, data: Data) -> Answer:
    """A token that was used: nothing happens if it was for the same value."""
    token = data["ClientRequestToken"]
    if _value(version) != _value(data):
        text = f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {secret['ARN']}."
        return error_response_json("ResourceExistsException", text, 400)
    named = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
    return json_response({**named, "VersionStages": list(version["Stages"])})


def _move(stock: Any) -> Any:
    def move(data: Data) -> Answer:
        with _lock:
            answer = stock(data)
            _, secret = secretsmanager._resolve(data.get("SecretId"))
            if answer[0] < 400 and secret:
                secret["LastChangedDate"] = time.time()
        return answer

    return move
