"""CloudWatch: composite alarms, which must name alarms that are there; and alarms over metric math, which nobody computes.

The stock emulator refuses such an alarm. Here it is kept under its name, with the metric of a name that nothing
publishes, so that it can be described and always has insufficient data.
"""

import re
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches
from local_aws.emulator.resources import Props, add, aws
from local_aws.emulator.typed import parameters

NAMES = {
    "ministack.services.cloudformation.provisioners": ("_cw_metric_alarm_record", "_physical_name"),
    "ministack.services.cloudwatch": ("_alarms", "_composite_alarms"),
}

NAMESPACE = "LocalAws/MetricMath"


def install() -> None:
    """Wrap the making of an alarm's record; add composite alarms."""
    patches.replace(provisioners.__name__, "_cw_metric_alarm_record", _record)
    add("AWS::CloudWatch::CompositeAlarm", create_composite, delete_composite, update_composite)


def _record(stock: Any) -> Any:
    def record(name: str, props: Props) -> Any:
        return stock(name, without_expressions(props) if props.get("Metrics") else props)

    return record


def without_expressions(props: Props) -> Props:
    """The alarm that stands in for one over expressions; raise what CloudWatch would say to a wrong one."""
    if props.get("MetricName") or props.get("Namespace") or props.get("Dimensions"):
        raise ValueError("The parameters MetricName, Namespace and Dimensions must not be given together with Metrics")
    band = props.get("ThresholdMetricId")  # stands in the list, but is what the metric is judged by
    judged = (one for one in props["Metrics"] if one["Id"] != band)
    returned = [one for one in judged if str(one.get("ReturnData", True)).lower() == "true"]
    if len(returned) != 1:
        raise ValueError(f"Exactly one element of the metrics list should return data, not {len(returned)}")
    rest = {key: value for key, value in props.items() if key not in ("Metrics", "ThresholdMetricId")}
    return {"Threshold": 0, **rest, "Namespace": NAMESPACE, "MetricName": returned[0]["Id"]}


def create_composite(logical_id: str, props: Props, stack_name: str) -> tuple[str, Props]:
    """A composite alarm; Ref is its name."""
    name = props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id)
    return name, update_composite(name, {}, props)


def update_composite(name: str, _: Props, new: Props) -> Props:
    """Put it; CloudWatch refuses a rule about alarms that it does not have."""
    named = re.findall(r"(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+?)[\"']?\s*\)", new.get("AlarmRule", ""))
    known = {one.rsplit(":alarm:", 1)[-1] for one in (*cloudwatch._alarms, *cloudwatch._composite_alarms)}
    missing = [one for one in dict.fromkeys(named) if one.rsplit(":alarm:", 1)[-1] not in known]
    if missing:
        raise ValueError(f"Could not save the composite alarm as alarms {missing} in the alarm rule do not exist")
    client = aws("cloudwatch")
    client.put_composite_alarm(**parameters("cloudwatch", "PutCompositeAlarm", {**new, "AlarmName": name}))
    return {
        "Arn": client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0][
            "AlarmArn"
        ]
    }


def delete_composite(name: str, _: Props) -> None:
    """Delete it."""
    aws("cloudwatch").delete_alarms(AlarmNames=[name])
