"""Secrets Manager: Ref of a secret is its ARN, passwords are made as the template asks for them; without one there is no version."""

import json
import secrets
import string
from typing import Any

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches
from local_aws.emulator.resources import Props, flag

NAMES = {
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_SM_TARGET_KEYS",
        "_sm_secret_string",
        "_sm_target_connection",
    ),
    "ministack.services.secretsmanager": ("_resolve",),
}

TYPE = "AWS::SecretsManager::Secret"
VALUES = ("SecretString", "GenerateSecretString")
# What a target attachment adds beside engine, host, port and dbname.
IDENTIFIERS = {"AWS::RDS::DBInstance": "dbInstanceIdentifier", "AWS::RDS::DBCluster": "dbClusterIdentifier"}


def install() -> None:
    """Complete the emulator's handler."""
    patches.replace(provisioners.__name__, "_sm_secret_string", lambda _: secret_string)
    patches.replace(provisioners.__name__, "_sm_target_connection", _with_identifier)
    patches.replace(provisioners.__name__, "_SM_TARGET_KEYS", lambda keys: (*keys, *IDENTIFIERS.values()))
    stock = provisioners._RESOURCE_HANDLERS[TYPE]

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
        _, attributes = stock["create"](logical_id, props, stack_name)
        if not any(name in props for name in VALUES):
            secretsmanager._resolve(attributes["Arn"])[1]["Versions"].clear()
        return attributes["Arn"], attributes

    def update(arn: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> tuple[str, Props]:
        _, attributes = stock["update"](_name(arn), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    provisioners._RESOURCE_HANDLERS[TYPE] = {
        **stock,
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": lambda arn, props: stock["delete"](_name(arn), props),
    }


def _with_identifier(stock: Any) -> Any:
    def connection(target_type: str, target_id: str) -> dict[str, Any]:
        name = IDENTIFIERS.get(target_type)
        return stock(target_type, target_id) | ({name: target_id} if name else {})

    return connection


def _name(arn: str) -> str:
    return (secretsmanager._resolve(arn)[1] or {}).get("Name", arn)


def secret_string(props: Props) -> str:
    """The secret that a template declares: as it stands there, or generated."""
    generate = props.get("GenerateSecretString")
    if generate is None:
        return props.get("SecretString", "")
    password = random_password(generate)
    key = generate.get("GenerateStringKey")
    if not key:
        return password
    return json.dumps({**json.loads(generate.get("SecretStringTemplate", "{}")), key: password})


def random_password(settings: dict[str, Any]) -> str:
    """GetRandomPassword: 32 characters of every class unless told otherwise, at least one of each."""
    excluded = settings.get("ExcludeCharacters", "")
    classes = [
        alphabet
        for name, alphabet in (
            ("ExcludeLowercase", string.ascii_lowercase),
            ("ExcludeUppercase", string.ascii_uppercase),
            ("ExcludeNumbers", string.digits),
            ("ExcludePunctuation", string.punctuation),
        )
        if not flag(settings.get(name, False))
    ]
    if flag(settings.get("IncludeSpace", False)):
        classes.append(" ")
    allowed = [kept for kept in ("".join(c for c in one if c not in excluded) for one in classes) if kept]
    length = int(settings.get("PasswordLength", 32))
    required = allowed if flag(settings.get("RequireEachIncludedType", True)) else []
    characters = [secrets.choice(one) for one in required]
    characters += [secrets.choice("".join(allowed)) for _ in range(length - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)
