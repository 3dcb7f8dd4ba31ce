"""Looks through everything that an operator, or whoever may read logs, can see, for what only secrets may hold."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from fixtures import groups, lines
from world import STATE, client, world

# Whoever knows the query of a response URL can answer CloudFormation in a function's stead, for two hours.
SIGNATURE = "X-Amz-Signature"


def secrets() -> dict[str, str]:
    """What must be seen nowhere: every password that MySQL or Secrets Manager knows, and signed URLs."""
    found = {f"password of the administrator of MySQL {one['version']}": one["admin_password"] for one in world().mysql}
    manager = client("secretsmanager")
    for page in manager.get_paginator("list_secrets").paginate():
        for one in page["SecretList"]:
            for version in one.get("SecretVersionsToStages", {}):
                try:
                    text = manager.get_secret_value(SecretId=one["ARN"], VersionId=version)["SecretString"]
                except manager.exceptions.ResourceNotFoundException:
                    continue  # a stack beside this one has been deleted meanwhile, or the version holds nothing yet
                found |= {f"{key} in {one['Name']} {version}": value for key, value in _secret_members(text)}
    return {**found, "signature of a response URL": SIGNATURE}


def _secret_members(text: str) -> Iterator[tuple[str, str]]:
    """What is secret in a secret: these members of an object, or all of it."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        content = {"text": text}
    for key in ("password", "secret_key", "text"):
        if key in content:
            yield key, content[key]


def forms(secret: str) -> set[str]:
    """A secret as it stands, and as JSON, a URL or base64 would carry it, whatever stands before and behind it there."""
    found = {secret, json.dumps(secret)[1:-1], quote(secret, safe="")}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + secret.encode()).decode().rstrip("=")
        # The characters at both ends also depend on what stands beside the secret.
        found.add(encoded[offset + (offset > 0) : -1])
    return found


def places() -> Iterator[tuple[str, str]]:
    """Everything readable: the lines of every log stream, every stack's events and outputs, deleted ones too, the emulator's log."""
    with STATE.log.open(errors="replace") as written:
        yield from (("log of the local AWS", line) for line in written)
    for group in groups():
        try:
            written = lines(group)
        except client("logs").exceptions.ResourceNotFoundException:
            continue  # a stack beside this one has been deleted meanwhile
        for line in written:
            yield f"log {group}", line
    cloudformation = client("cloudformation")
    for page in cloudformation.get_paginator("list_stacks").paginate():
        for one in page["StackSummaries"]:
            name, stack_id = one["StackName"], one["StackId"]
            for stack in cloudformation.describe_stacks(StackName=stack_id)["Stacks"]:
                yield f"description of {name}", json.dumps(stack, default=str)
            for events in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
                for event in events["StackEvents"]:
                    yield f"event of {name}", json.dumps(event, default=str)


def leaks(known: dict[str, str], readable: Iterable[tuple[str, str]]) -> list[str]:
    """Each secret that is seen, and where."""
    wanted = {name: forms(secret) for name, secret in known.items()}
    return [
        f"{name} in {place}"
        for place, text in readable
        for name, shapes in wanted.items()
        if any(shape in text for shape in shapes)
    ]
