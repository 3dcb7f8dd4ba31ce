"""How much of everything an environment has: read from the templates and the parameter files, or assumed where no template knows."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from pages.templates import CLOUDFORMATION, modules, resources, root

ENVIRONMENTS = ("dev", "test", "prod")
HOURS = Decimal(730)

# What the bill depends on and no template knows: what it is, and how much of it in dev, test, prod.
USAGE: dict[str, tuple[str, tuple[str, str, str]]] = {
    "mail": ("thousand mails sent", ("1", "10", "500")),
    "nat": ("GB through NAT gateways", ("5", "20", "100")),
    "out": ("GB to visitors and receivers", ("1", "10", "200")),
    "logs": ("GB of logs taken in", ("1", "5", "40")),
    "kept logs": ("GB of logs kept, compressed", ("0", "1", "30")),
    "lcu": ("load balancer capacity units, on average", ("0.1", "0.2", "1")),
    "requests": ("million requests", ("0.1", "0.5", "10")),
    "bucket": ("GB of load balancer logs in S3", ("0", "1", "20")),
    "files": ("GB of shared files", ("1", "5", "50")),
    "database backups": ("GB of database backups beyond what is free", ("5", "20", "250")),
    "cache snapshots": ("GB of cache snapshots", ("0", "1", "10")),
    "file backups": ("GB of backed-up files", ("0", "5", "150")),
    "restore hours": ("hours that a restored database stands, for each test", ("3", "3", "3")),
    "minutes": ("minutes that a scheduled job runs, on average; one is the least that is billed", ("1", "1", "1.5")),
    "reports": ("metrics that bounce-handler makes; one is paid for by the hours in which it comes", ("2", "8", "25")),
    "insights": ("metrics of Container Insights", ("25", "30", "100")),
}


def usage(name: str, environment: str) -> Decimal:
    """An assumption."""
    return Decimal(USAGE[name][1][ENVIRONMENTS.index(environment)])


def size(module: str, environment: str, key: str) -> Any:
    """What a module's mapping gives the environment."""
    return modules()[module]["Mappings"]["Environment"][environment][key]


def given(environment: str, parameter: str) -> str:
    """A parameter of the environment's file, or its default."""
    chosen = json.loads((CLOUDFORMATION / "environments" / f"{environment}.json").read_text())["Parameters"]
    return str(chosen.get(parameter, root()["Parameters"][parameter].get("Default", "")))


def own(environment: str, parameter: str, module: str, key: str) -> str:
    """A size that a parameter may override."""
    return given(environment, parameter) or str(size(module, environment, key))


def count(*types: str) -> Decimal:
    """How many resources of these types the templates have, each counted as if every condition held."""
    return Decimal(sum(1 for _ in resources(modules(), *types)))


def zones(environment: str) -> int:
    """Availability zones of the new VPC."""
    return int(given(environment, "ZoneCount"))


def gateways(environment: str) -> int:
    """NAT gateways: by the parameter, else one, in prod one a zone."""
    chosen = given(environment, "NatGateways") or ("one-a-zone" if environment == "prod" else "one")
    return {"none": 0, "one": 1, "one-a-zone": zones(environment)}[chosen]


def has_standby(environment: str) -> bool:
    """Whether the database has a second zone."""
    return own(environment, "DatabaseMultiAZ", "database", "MultiAZ") == "true"


def cache_nodes(environment: str) -> int:
    """Nodes of the cache: shards, each with its replicas; blank means one replica, in dev none."""
    is_cluster = given(environment, "CacheClusterMode") == "true"
    shards = int(given(environment, "CacheShards") or 3) if is_cluster else 1
    default = 0 if environment == "dev" and not is_cluster else 1
    return shards * (1 + int(given(environment, "CacheReplicas") or default))


def rules_of_the_web_firewall() -> Decimal:
    """Rules of the web ACL, managed groups among them."""
    return Decimal(
        sum(len(declared["Properties"]["Rules"]) for _, _, declared in resources(modules(), "AWS::WAFv2::WebACL"))
    )


def watched_metrics(environment: str) -> Decimal:
    """Metrics that alarms watch: one each, or those of its expression; of the cache every node's; a band of what is usual is two more."""
    watched = 0
    for module, _, declared in resources(modules(), "AWS::CloudWatch::Alarm"):
        metrics = declared["Properties"].get("Metrics", [])
        if module == "cache-alarms":
            watched += cache_nodes(environment)
            continue
        watched += max(1, sum("MetricStat" in one for one in metrics))
        watched += 2 * sum("ANOMALY_DETECTION_BAND" in str(one.get("Expression")) for one in metrics)
    return Decimal(watched)


def metrics_of_logs(environment: str) -> Decimal:
    """Metrics that filters make: one each, with a dimension one for each scheduled job."""
    filters = [
        made["Properties"]["MetricTransformations"][0] for _, _, made in resources(modules(), "AWS::Logs::MetricFilter")
    ]
    by_job = sum("Dimensions" in one for one in filters)
    return Decimal(len(filters) - by_job + by_job * len(jobs(environment)))


def task(environment: str, kind: str) -> tuple[Decimal, Decimal]:
    """Processors and GiB of a task: web, worker or job."""
    name = f"{kind.capitalize()}Size"
    processors, memory = own(environment, name, "mautic-service", name).split("-")
    return Decimal(processors), Decimal(memory)


def fewest(environment: str, name: str) -> Decimal:
    """The number of tasks that always run, of a range such as 2-10."""
    return Decimal(own(environment, name, "mautic-service", name).split("-")[0])


def spot(environment: str) -> str:
    """What runs on Spot: blank means mixed, in dev all."""
    return given(environment, "Spot") or ("all" if environment == "dev" else "mixed")


# A schedule's condition -> the values of OptionalJobs with which it holds.
OPTIONAL = {"HasMailbox": ("mailbox", "both"), "HasMaxMind": ("maxmind", "both")}


def jobs(environment: str) -> list[dict[str, Any]]:
    """The schedules of an environment, optional jobs only where they are chosen."""
    chosen = given(environment, "OptionalJobs")
    return [
        declared["Properties"]
        for _, _, declared in resources(modules(), "AWS::Scheduler::Schedule")
        if chosen in OPTIONAL.get(declared.get("Condition", ""), (chosen,))
    ]


def job_hours(environment: str) -> Decimal:
    """Hours of a month in which a scheduled job runs: each schedule every few minutes, none of the nightly ones."""
    minutes = own(environment, "JobMinutes", "mautic-service", "JobMinutes").split("-")
    intervals = dict(zip(("FrequentMinutes", "RegularMinutes"), minutes, strict=True))
    runs = Decimal(0)
    for schedule in jobs(environment):
        every = re.search(r"/\$\{(\w+Minutes)\}", str(schedule["ScheduleExpression"]))
        if every and intervals[every[1]] != "off":
            runs += HOURS * 60 / int(intervals[every[1]])
    return _rounded(runs * usage("minutes", environment) / 60)


def restored_hours(environment: str) -> Decimal:
    """Hours of a month in which a restored database stands: twice a week; blank means not in dev."""
    is_tried = (given(environment, "RestoreTests") or str(environment != "dev").lower()) == "true"
    return _rounded(HOURS / (24 * 7) * 2 * usage("restore hours", environment)) if is_tried else Decimal(0)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"))
