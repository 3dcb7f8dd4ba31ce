"""CloudWatch: alarms over metric math exist, but nobody computes their expressions.

The stock emulator refuses such an alarm. Here it is kept under its name, with the metric of a name that nothing
publishes, so that it can be described and always has insufficient data.
"""

from typing import Any

from ministack.services.cloudformation import provisioners

from local_aws.emulator import patches
from local_aws.emulator.resources import Props

NAMES = {"ministack.services.cloudformation.provisioners": ("_cw_metric_alarm_record",)}

NAMESPACE = "LocalAws/MetricMath"


def install() -> None:
    """Wrap the making of an alarm's record."""
    patches.replace(provisioners.__name__, "_cw_metric_alarm_record", _record)


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
