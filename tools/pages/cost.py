"""docs/cost.md: what each environment costs a month, item by item."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from pages import quantities
from pages.page import Page, page, table
from pages.prices import PRICES, SOURCES
from pages.quantities import ENVIRONMENTS, HOURS, USAGE, count, usage
from pages.templates import modules

CENT = Decimal("0.01")
INTRODUCTION = """\
What one installation costs a month in us-east-1, in US dollars, on demand, before taxes, discounts and free tiers, when it runs
all the time: 730 hours. Sizes and counts are read from the templates and from the parameter files in
`cloudformation/environments/`; usage is assumed, see below. Other regions differ by up to a third. Look the prices up for your
region before you decide: nothing here was compared with a bill."""
LEFT_OUT = """\
Not in it, because they stay under a dollar or depend on you alone: the functions, which run for seconds a month; topics, queues,
schedules and API calls; the throughput of shared files; support plans; what a deployment bucket or an image registry holds. The
image that is built costs a quarter of an hour of the smallest build machine each time, some cents, and a third of a GB in ECR, 0.10 USD a
GB and month: two dollars a month once there are the 52 patches that are kept. Tasks
that the load adds are not in it either: the table has the fewest that always run."""
CHOICES = """\
- `NatGateways=one` in prod saves two gateways; a failed zone then takes the way out with it.
- `DatabaseMultiAZ=false` halves a database; the rules allow it outside prod only.
- `InterfaceEndpoints` costs 7.30 USD an endpoint and zone: `all` without NAT is dearer than NAT, but keeps traffic inside.
- An existing VPC (`VpcId`) brings its own NAT.
- Reserved instances and savings plans take a third off what runs all the time, and bind you for a year.
- An environment that nobody uses at night: stop the database (`aws rds stop-db-instance`); AWS starts it again after a week."""

Quantity = Callable[[str], Decimal]


@dataclasses.dataclass(frozen=True)
class Item:
    """One line of the bill. The module is the one that it comes with."""

    module: str
    name: str
    price: str | Callable[[str], str]
    quantity: Quantity

    def price_of(self, environment: str) -> str:
        """The name of its price, which may differ by environment."""
        return self.price if isinstance(self.price, str) else self.price(environment)

    def dollars(self, environment: str) -> Decimal:
        """What it costs a month, to the cent."""
        return (PRICES[self.price_of(environment)].dollars * self.quantity(environment)).quantize(CENT, ROUND_HALF_UP)


def _used(name: str) -> Quantity:
    return lambda environment: usage(name, environment)


def _counted(*types: str) -> Quantity:
    return lambda environment: count(*types)


def _two_zones(price: str, environment: str) -> str:
    return f"{price}, two zones" if quantities.has_standby(environment) else price


def _database(environment: str) -> str:
    return _two_zones(quantities.own(environment, "DatabaseInstanceClass", "database", "InstanceClass"), environment)


def _cache(environment: str) -> str:
    engine = {"redis": "Redis OSS", "valkey": "Valkey"}[quantities.given(environment, "CacheEngine")]
    return f"{quantities.own(environment, 'CacheNodeType', 'cache', 'NodeType')}, {engine}"


def _fargate(what: str, on_spot: tuple[str, ...]) -> Callable[[str], str]:
    def price(environment: str) -> str:
        spot = " Spot" if quantities.spot(environment) in on_spot else ""
        processor = {"ARM64": ", Arm", "X86_64": ""}[quantities.given(environment, "TaskArchitecture")]
        return f"Fargate{spot} {what}{processor}"

    return price


def _tasks(kind: str, hours: Quantity) -> tuple[Quantity, Quantity]:
    """Processors' and memory's hours of a kind of task."""
    return (
        lambda environment: quantities.task(environment, kind)[0] * hours(environment),
        lambda environment: quantities.task(environment, kind)[1] * hours(environment),
    )


WEB = _tasks("web", lambda one: quantities.fewest(one, "WebTasks") * HOURS)
WORKERS = _tasks("worker", lambda one: quantities.fewest(one, "Workers") * HOURS)
JOBS = _tasks("job", quantities.job_hours)
ITEMS = [
    Item("networking", "NAT gateways", "NAT gateway", lambda one: quantities.gateways(one) * HOURS),
    Item("networking", "Data through NAT gateways", "NAT gateway, data", _used("nat")),
    Item(
        "networking",
        "Addresses of the NAT gateways",
        "public IPv4 address",
        lambda one: quantities.gateways(one) * HOURS,
    ),
    Item("database", "Database", _database, lambda one: HOURS),
    Item(
        "database",
        "Database's storage",
        lambda one: _two_zones("database storage", one),
        lambda one: Decimal(quantities.own(one, "DatabaseStorage", "database", "AllocatedStorage")),
    ),
    Item("database", "Database's backups", "database backups", _used("database backups")),
    Item("cache", "Cache", _cache, lambda one: quantities.cache_nodes(one) * HOURS),
    Item("cache", "Cache's snapshots", "cache snapshots", _used("cache snapshots")),
    Item("load-balancer", "Load balancer", "load balancer", lambda one: HOURS),
    Item("load-balancer", "Its capacity units", "load balancer, capacity", lambda one: usage("lcu", one) * HOURS),
    Item(
        "load-balancer", "Its addresses, one a zone", "public IPv4 address", lambda one: quantities.zones(one) * HOURS
    ),
    Item("load-balancer", "Its logs", "objects in S3", _used("bucket")),
    Item("web-firewall", "Web firewall", "web ACL", _counted("AWS::WAFv2::WebACL")),
    Item("web-firewall", "Its rules", "web ACL rule", lambda one: quantities.rules_of_the_web_firewall()),
    Item("web-firewall", "Requests that it judges", "web ACL requests", _used("requests")),
    Item("mautic-service", "Web tasks, processors", _fargate("processor", ("all",)), WEB[0]),
    Item("mautic-service", "Web tasks, memory", _fargate("memory", ("all",)), WEB[1]),
    Item("mautic-service", "Workers, processors", _fargate("processor", ("all", "mixed", "workers")), WORKERS[0]),
    Item("mautic-service", "Workers, memory", _fargate("memory", ("all", "mixed", "workers")), WORKERS[1]),
    Item("mautic-jobs", "Scheduled jobs, processors", _fargate("processor", ()), JOBS[0]),
    Item("mautic-jobs", "Scheduled jobs, memory", _fargate("memory", ()), JOBS[1]),
    Item(
        "ecs-cluster",
        "Container Insights",
        lambda one: (
            f"metric of Container Insights, {quantities.own(one, 'ContainerInsights', 'ecs-cluster', 'ContainerInsights')}"
        ),
        _used("insights"),
    ),
    Item("file-system", "Shared files", "file system", _used("files")),
    Item(
        "backup",
        "Databases that are restored as a test",
        lambda one: quantities.own(one, "DatabaseInstanceClass", "database", "InstanceClass"),
        quantities.restored_hours,
    ),
    Item("backup", "Backups of shared files", "backups of files", _used("file backups")),
    Item("ses", "Mail", "mail", _used("mail")),
    Item("bounces", "Metrics of bounces and complaints", "own metric", _used("reports")),
    Item("ses", "Hosted zone", "hosted zone", lambda one: Decimal(1)),
    Item("foundation", "KMS keys", "KMS key", _counted("AWS::KMS::Key")),
    # RDS keeps the master's own secret beside those of the templates.
    Item("foundation", "Secrets", "secret", lambda one: count("AWS::SecretsManager::Secret") + 1),
    Item("foundation", "Metrics that alarms watch", "alarm", quantities.watched_metrics),
    Item("foundation", "Metrics out of logs", "own metric", quantities.metrics_of_logs),
    Item("foundation", "Logs, taken in", "logs, taken in", _used("logs")),
    Item("foundation", "Logs, kept", "logs, kept", _used("kept logs")),
    Item("monitoring", "Composite alarms", "composite alarm", _counted("AWS::CloudWatch::CompositeAlarm")),
    Item("monitoring", "Dashboards", "dashboard", _counted("AWS::CloudWatch::Dashboard")),
    Item("foundation", "Data to the internet", "data to the internet", _used("out")),
]


def items() -> list[Item]:
    """The lines of those modules that the root uses."""
    return [item for item in ITEMS if item.module in modules()]


def total(environment: str) -> Decimal:
    """A month of the environment."""
    return sum((item.dollars(environment) for item in items()), Decimal(0))


def short() -> str:
    """The three totals, rounded as one speaks of them."""
    tens = [int((total(one) / 10).to_integral_value() * 10) for one in ENVIRONMENTS]
    return ", ".join(f"{one} about {dollars:,} USD" for one, dollars in zip(ENVIRONMENTS, tens, strict=True))


def made() -> Page:
    """The page as the templates are now."""
    rows = [_row(item) for item in items()]
    rows.append(["**Total**", "", "", *(f"**{total(one):,.2f}**" for one in ENVIRONMENTS)])
    blocks = [
        INTRODUCTION,
        f"A month of {short()}.",
        table(["Item", "Quantity in dev / test / prod", "USD for each", *ENVIRONMENTS], rows),
        LEFT_OUT,
        "## Assumptions",
        "In a month:",
        table(["Usage", *ENVIRONMENTS], [[text, *values] for text, values in USAGE.values()]),
        "## What changes the bill most",
        CHOICES,
        "## Prices and where they come from",
        *_prices(),
    ]
    return page("docs/cost.md", "tools/pages/cost.py, quantities.py and prices.py", "What it costs", blocks)


def _row(item: Item) -> list[str]:
    prices = [PRICES[item.price_of(one)] for one in ENVIRONMENTS]
    shown = [_plain(item.quantity(one)) for one in ENVIRONMENTS]
    each = [f"{price.dollars:f}" for price in prices]
    names = dict.fromkeys(item.price_of(one).removesuffix(", two zones") for one in ENVIRONMENTS)
    return [
        item.name if len(names) == 1 else f"{item.name}: {' / '.join(names)}",
        f"{' / '.join(shown)} {prices[0].units}",
        each[0] if len(set(each)) == 1 else " / ".join(each),
        *(f"{item.dollars(one):,.2f}" for one in ENVIRONMENTS),
    ]


def _plain(number: Decimal) -> str:
    """A number without trailing zeros, its thousands apart."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _prices() -> list[str]:
    used = dict.fromkeys(item.price_of(one) for item in items() for one in ENVIRONMENTS)
    rows = [[name, f"{PRICES[name].dollars:f}", PRICES[name].unit, PRICES[name].source] for name in used]
    sources = [f"- {letter}: {text}." for letter, text in SOURCES.items() if any(row[3] == letter for row in rows)]
    return [table(["What", "USD", "for one", "Source"], rows), "\n".join(sources)]
