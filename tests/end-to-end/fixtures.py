"""What several proofs stand on: one foundation, the faulty function's package, logs."""

import io
import json
import zipfile
from pathlib import Path

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
    return [
        event["message"]
        for name in names
        for event in logs.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True, limit=10000)["events"]
    ]


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


class SesDomain(Stack):
    """The real mail module as a stack of its own, on the shared foundation."""

    def __init__(self, name: str, template: str = "") -> None:
        super().__init__(name, template or module("Ses"))

    def begin(self, **parameters: str) -> Stack:
        """Start to create it; what is not given has the module's defaults."""
        outputs = foundation()
        names = ("DataKeyArn", "NotificationKeyArn", "AlarmTopicArn", "FailureResponderArn")
        common = {"Application": "shared", "Environment": "test", "FunctionArchitecture": ARCHITECTURE, **LOGGING}
        return super().begin(**common, **{name: outputs[name] for name in names}, **parameters)


def log_group(stack: Stack, function: str) -> str:
    """The log group of a function of the stack, which outlives neither."""
    name = stack.physical_id(function)
    return client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
