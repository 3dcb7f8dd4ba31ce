"""What several proofs stand on: one foundation, the faulty function's package, logs."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_aws.state import ACCOUNT, REGION
from stacks import Stack
from world import ARCHITECTURE, BINARIES, BUCKET, client, module, once, packaged

TEMPLATES = Path(__file__).resolve().parent / "templates"
LOGGING = {"LogRetentionDays": "1", "LogLevel": "DEBUG"}


@once
def foundation() -> dict[str, str]:
    """The outputs of the foundation's module, deployed once for all that is smaller than the root template."""
    stack = Stack("foundation", module("Foundation"))
    own = {"Application": "shared", "Environment": "test", "AlarmEmail": "", "FunctionArchitecture": ARCHITECTURE}
    status = stack.create(**own, **LOGGING)
    assert status == "CREATE_COMPLETE", stack.story()
    return stack.outputs()


@once
def faulty_template() -> tuple[str, dict[str, str]]:
    """The template of the function that fails on demand, and the parameters that are the same for all."""
    packaged()
    key = "faulty-function.zip"
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=_zipped(BINARIES / "faulty-function" / "bootstrap"))
    parameters = {
        "CodeBucket": BUCKET,
        "CodeKey": key,
        "FunctionArchitecture": ARCHITECTURE,
        "FailureResponderArn": foundation()["FailureResponderArn"],
    }
    return (TEMPLATES / "faulty.yaml").read_text(), parameters


def _zipped(binary: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


def lines(group: str) -> list[str]:
    """Every line of a log group."""
    logs = client("logs")
    streams = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    names = [one["logStreamName"] for page in streams for one in page["logStreams"]]
    return [event["message"] for name in names for event in _events(group, name)]


def _events(group: str, stream: str) -> Iterator[dict[str, Any]]:
    """A stream's events, page by page; the last page gives the token that it was asked with."""
    options: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while (page := client("logs").get_log_events(**options))["nextForwardToken"] != options.get("nextToken"):
        yield from page["events"]
        options["nextToken"] = page["nextForwardToken"]


def groups() -> list[str]:
    """Every log group."""
    pages = client("logs").get_paginator("describe_log_groups").paginate()
    return [one["logGroupName"] for page in pages for one in page["logGroups"]]


def invocations(group: str) -> int:
    """How often the group's function was started."""
    return sum(1 for line in lines(group) if _kind(line) == "platform.start")


def _kind(line: str) -> str:
    try:
        return json.loads(line).get("type", "")
    except (ValueError, AttributeError):
        return ""


def keeping(template: str, *logical_ids: str) -> str:
    """A packaged template some of whose resources outlive their stack."""
    for logical_id in logical_ids:
        head = f"\n  {logical_id}:\n"
        assert head in template, f"{logical_id} is not where it was expected"
        template = template.replace(f"{head}    DeletionPolicy: Delete\n", head)
        template = template.replace(head, f"{head}    DeletionPolicy: Retain\n")
    return template


class SesDomain(Stack):
    """The real mail module as a stack of its own, on the shared foundation, without a user who signs in."""

    def __init__(self, name: str, template: str = "") -> None:
        super().__init__(name, template or module("Ses"))

    def common(self) -> dict[str, str]:
        """What the foundation gives; the rest has the module's defaults."""
        own = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:of-ones-own"
        given = from_foundation("DataKeyArn", "NotificationKeyArn", "AlarmTopicArn", "FailureResponderArn")
        return {**given, "SmtpSecretArn": own}


class Database(Stack):
    """The real module database-init as a stack of its own: a schema and a user, both named as the stack, on one server."""

    def __init__(self, name: str, server: dict[str, Any], template: str = "") -> None:
        # The module knows one user name, as there is one Mautic on a server; here there are several.
        text = (template or module("Database/DatabaseInit")).replace('"username": "mautic"', f'"username": "{name}"')
        text = text.replace("Username: mautic\n", f"Username: {name}\n")
        super().__init__(name, text)
        self.server = server
        master = {"username": server["admin_user"], "password": server["admin_password"]}
        manager = client("secretsmanager")
        self.master = manager.create_secret(
            Name=f"master-of-{name}", SecretString=json.dumps(master), KmsKeyId=foundation()["DataKeyArn"]
        )["ARN"]

    def common(self) -> dict[str, str]:
        """What the foundation gives, the server, and a network that nothing flows through."""
        ec2 = client("ec2")
        return {
            **from_foundation("DataKeyArn", "AlarmTopicArn", "FailureResponderArn"),
            "DatabaseHost": self.server["host"],
            "DatabasePort": str(self.server["port"]),
            "DatabaseName": self.name,
            "MasterSecretArn": self.master,
            "PrivateSubnetIds": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
            "FunctionSecurityGroupId": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
        }


def from_foundation(*names: str) -> dict[str, str]:
    """These outputs of the foundation, and the parameters that every module with a function has."""
    outputs = foundation()
    own = {"Application": "shared", "Environment": "test", "FunctionArchitecture": ARCHITECTURE, **LOGGING}
    return {**own, **{name: outputs[name] for name in names}}


def log_group(stack: Stack, function: str) -> str:
    """The log group of a function of the stack, which outlives neither."""
    name = stack.physical_id(function)
    return client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
