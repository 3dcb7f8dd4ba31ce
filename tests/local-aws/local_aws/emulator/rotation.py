"""Secrets Manager's rotation: RotateSecret runs a function's four steps, and AWS::SecretsManager::RotationSchedule asks for it.

RotateSecret answers at once; the steps follow beside it, each a synchronous invocation in the service's own name, which
the function's policy must allow. The first that fails ends the attempt: the pending version stays, and the next
RotateSecret is refused in AWS's words and tries that version again. With RotateImmediately=false one pending version
without a value is tested, and taken away. Nothing is rotated by the clock.
"""

import json
import logging
import re
import threading
import time
from typing import Any

from ministack.core import responses
from ministack.core.responses import error_response_json, json_response, request_scope
from ministack.services import lambda_svc, secretsmanager

from local_aws.emulator import function_policies, patches
from local_aws.emulator.resources import Props, add, aws

NAMES = {
    "ministack.services.lambda_svc": (
        "_execute_function_with_config_scope",
        "_execution_record_for_config",
        "_get_func_record_for_ref",
    ),
    "ministack.services.secretsmanager": (
        "_describe_secret",
        "_find_stage_version",
        "_resolve",
        "_rotate_secret",
        "handle_request",
    ),
}

Answer = tuple[int, dict[str, str], bytes]
Data = dict[str, Any]

TYPE = "AWS::SecretsManager::RotationSchedule"
PRINCIPAL = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
TEST = "testSecret"
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
SCHEDULE = re.compile(r"rate\([1-9]\d* (hours?|days?)\)|cron\(0 \S+ \S+ \S+ \S+ \*\)")
DURATION = re.compile(r"([1-9]|1\d|2[0-4])h")
LONGEST_DAYS = 1000

log = logging.getLogger("local-aws.rotation")
_running: set[str] = set()
_lock = threading.Lock()


def install() -> None:
    """Replace RotateSecret, and add CancelRotateSecret and the schedule."""
    module = secretsmanager.__name__
    patches.replace(module, "_rotate_secret", lambda _: rotate)
    patches.replace(module, "_describe_secret", _described)
    patches.replace(module, "handle_request", _with_cancel)
    add(TYPE, create_schedule, delete_schedule, update_schedule)


def _error(kind: str, text: str) -> Answer:
    return error_response_json(kind, text, 400)


def _described(stock: Any) -> Any:
    def describe(data: Data) -> Answer:
        status, headers, body = stock(data)
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        if status >= 400 or "LastRotatedDate" not in (secret or {}):
            return status, headers, body
        return json_response({**json.loads(body), "LastRotatedDate": secret["LastRotatedDate"]})

    return describe


def _with_cancel(stock: Any) -> Any:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Data) -> Answer:
        if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
            return cancel(json.loads(body or b"{}"))
        return await stock(method, path, headers, body, query)

    return handle


def _found(data: Data) -> tuple[Data, Answer | None]:
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret:
        return {}, _error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.get("DeletedDate"):
        text = "You can't perform this operation on the secret because it was marked for deletion."
        return {}, _error("InvalidRequestException", text)
    return secret, None


# --- The API ----------------------------------------------------------------------------------------------------------


def rotate(data: Data) -> Answer:
    """RotateSecret."""
    secret, refusal = _found(data)
    function = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    rules = data.get("RotationRules") or secret.get("RotationRules") or {}
    refusal = refusal or _refusal(secret, function, rules)
    if refusal:
        return refusal
    secret.update(RotationLambdaARN=function, RotationRules=rules, RotationEnabled=True, LastChangedDate=time.time())
    token = data.get("ClientRequestToken") or responses.new_uuid()
    with _lock:
        unfinished = _unfinished(secret)
        if unfinished is None:
            _place(secret, token)
    if unfinished is not None:
        _begin(secret, unfinished, STEPS)
        text = "A previous rotation isn't complete. That rotation will be reattempted."
        return _error("InvalidRequestException", text)
    _begin(secret, token, STEPS if data.get("RotateImmediately", True) else (TEST,))
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})


def _refusal(secret: Data, function: str | None, rules: Data) -> Answer | None:
    if not function:
        return _error("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    if text := wrong_rules(rules):
        return _error("InvalidParameterException", text)
    if not function_policies.lets_invoke(function, PRINCIPAL, secret["ARN"]):
        return _error(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access "
            f"to the principal {PRINCIPAL}.",
        )
    return None


def wrong_rules(rules: Data) -> str:
    """What is wrong with rotation rules; "" if nothing is."""
    days, schedule, window = (rules.get(n) for n in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration"))
    if days is not None and schedule is not None:
        return "You can't specify both AutomaticallyAfterDays and ScheduleExpression."
    if days is not None and not 1 <= int(days) <= LONGEST_DAYS:
        return f"AutomaticallyAfterDays must be from 1 to {LONGEST_DAYS}, not {days}."
    if schedule is not None and not SCHEDULE.fullmatch(schedule):
        return f"ScheduleExpression must be rate(N hours), rate(N days) or cron(0 H D M W *), not {schedule}."
    if window is not None and not DURATION.fullmatch(window):
        return f"Duration must be 1h to 24h, not {window}."
    return ""


def cancel(data: Data) -> Answer:
    """CancelRotateSecret: no rotation any more; what is pending stays."""
    secret, refusal = _found(data)
    if refusal:
        return refusal
    secret.update(RotationEnabled=False, LastChangedDate=time.time())
    current, _ = secretsmanager._find_stage_version(secret, CURRENT)
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": current})


# --- One rotation -----------------------------------------------------------------------------------------------------


def _unfinished(secret: Data) -> str | None:
    """The version of a rotation that did not come to its end."""
    version_id, version = secretsmanager._find_stage_version(secret, PENDING)
    return version_id if version and CURRENT not in version["Stages"] else None


def _place(secret: Data, token: str) -> None:
    """A pending version without a value, which createSecret fills."""
    for version in secret["Versions"].values():
        if PENDING in version["Stages"]:
            version["Stages"].remove(PENDING)
    empty = {"SecretString": None, "SecretBinary": None, "CreatedDate": time.time(), "Stages": []}
    secret["Versions"].setdefault(token, empty)["Stages"].append(PENDING)


def _begin(secret: Data, token: str, steps: tuple[str, ...]) -> None:
    """Run the steps beside the request, unless some run already for this secret."""
    place = (responses.get_account_id(), responses.get_region())
    with _lock:
        if secret["ARN"] in _running:
            return
        _running.add(secret["ARN"])
    threading.Thread(target=_run, args=(secret, token, steps, place), daemon=True).start()


def _run(secret: Data, token: str, steps: tuple[str, ...], place: tuple[str, str]) -> None:
    with request_scope(*place):
        done = False
        try:
            done = all(_invoke(secret, token, step) for step in steps)
        finally:
            # At one moment: who sees that it has ended may ask for the next one.
            with _lock:
                if steps == (TEST,):
                    secret["Versions"].pop(token, None)
                elif done:
                    _conclude(secret, token)
                _running.discard(secret["ARN"])


def _invoke(secret: Data, token: str, step: str) -> bool:
    """One step; whether the function did it. What it said when it did not is in its log, and in ours."""
    arn = secret["RotationLambdaARN"]
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function is None or config is None:
        log.error("%s of %s: there is no function %s", step, secret["ARN"], arn)
        return False
    event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": token}
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    if result.get("error"):
        log.error("%s of %s failed: %s", step, secret["ARN"], result.get("body"))
        return False
    log.info("%s of %s is done", step, secret["ARN"])
    return True


def _conclude(secret: Data, token: str) -> None:
    version = secret["Versions"].get(token)
    if version and CURRENT in version["Stages"]:
        secret["LastRotatedDate"] = time.time()
    else:
        log.error("the rotation of %s ended without %s on %s", secret["ARN"], CURRENT, token)


# --- AWS::SecretsManager::RotationSchedule ----------------------------------------------------------------------------


def create_schedule(_: str, props: Props, __: str) -> tuple[str, Props]:
    """Turn the rotation on; Ref is the secret's ARN."""
    arn = aws("secretsmanager").rotate_secret(**_request(props["SecretId"], props))["ARN"]
    return arn, {}


def update_schedule(arn: str, _: Props, new: Props) -> Props:
    """Change the rules, and rotate or test again."""
    aws("secretsmanager").rotate_secret(**_request(arn, new))
    return {}


def _request(secret_id: str, props: Props) -> Props:
    rules = dict(props.get("RotationRules") or {})
    if "AutomaticallyAfterDays" in rules:
        rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
    immediately = str(props.get("RotateImmediatelyOnUpdate", True)).lower() == "true"
    request = {
        "SecretId": secret_id,
        "RotateImmediately": immediately,
        "RotationLambdaARN": props.get("RotationLambdaARN"),
    }
    return {name: value for name, value in {**request, "RotationRules": rules}.items() if value not in (None, {})}


def delete_schedule(arn: str, _: Props) -> None:
    """Turn the rotation off; the secret may be gone already."""
    client = aws("secretsmanager")
    try:
        client.cancel_rotate_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException:
        return
