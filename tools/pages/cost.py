"""docs/cost.md: what each environment costs a month, item by item, computed from the templates' own sizes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pages.page import Page, page, table
from pages.prices import PRICES, SOURCES
from pages.templates import CLOUDFORMATION, modules, resources, root

ENVIRONMENTS = ("dev", "test", "prod")
HOURS = Decimal(730)
CENT = Decimal("0.01")

# What the bill depends on and no template knows. An operator who looks up one number looks here first.
USAGE: dict[str, tuple[str, tuple[str, str, str]]] = {
    "mail": ("thousand mails sent", ("1", "10", "500")),
    "nat": ("GB through NAT gateways", ("5", "20", "100")),
    "out": ("GB to visitors and receivers", ("1", "10", "200")),
    "logs": ("GB of logs taken in", ("1", "5", "40")),
    "backup": ("GB of database backups beyond the free size of the database", ("0", "0", "100")),
}

INTRODUCTION = """\
What one installation costs a month in us-east-1, in US dollars, on demand, before taxes, discounts and free tiers, when it runs
all the time: 730 hours. Sizes and counts are read from the templates and from the parameter files in
`cloudformation/environments/`; usage is assumed, see below. Other regions differ by up to a third. Look the prices up for your
region before you decide: nothing here was compared with a bill."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One line of the bill."""

    module: str
    name: str
    price: Callable[[str], str]
    quantity: Callable[[str], Decimal]

    def dollars(self, environment: str) -> Decimal:
        """What it costs a month, to the cent."""
        return (PRICES[self.price(environment)].dollars * self.quantity(environment)).quantize(CENT, ROUND_HALF_UP)


def size(module: str, environment: str, key: str) -> Any:
    """What a module's mapping gives the environment."""
    return modules()[module]["Mappings"]["Environment"][environment][key]


def given(environment: str, parameter: str) -> str:
    """A parameter of the environment's file, or its default."""
    chosen = json.loads((CLOUDFORMATION / "environments" / f"{environment}.json").read_text())["Parameters"]
    return str(chosen.get(parameter, root()["Parameters"][parameter].get("Default", "")))


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


def own(environment: str, parameter: str, module: str, key: str) -> str:
    """A size that a parameter may override."""
    return given(environment, parameter) or str(size(module, environment, key))


def has_standby(environment: str) -> bool:
    """Whether the database has a second zone."""
    return own(environment, "DatabaseMultiAZ", "database", "MultiAZ") == "true"


def _usage(name: str) -> Callable[[str], Decimal]:
    return lambda environment: Decimal(USAGE[name][1][ENVIRONMENTS.index(environment)])


def _always(price: str) -> Callable[[str], str]:
    return lambda environment: price


def _two_zones(price: str, environment: str) -> str:
    return f"{price}, two zones" if has_standby(environment) else price


def _database_class(environment: str) -> str:
    return _two_zones(own(environment, "DatabaseInstanceClass", "database", "InstanceClass"), environment)


def _database_storage(environment: str) -> Decimal:
    return Decimal(own(environment, "DatabaseStorage", "database", "AllocatedStorage"))


def _metrics() -> Decimal:
    """Metrics that alarms watch: one each, or those of its expression."""
    return Decimal(
        sum(
            max(1, sum("MetricStat" in one for one in declared["Properties"].get("Metrics", [])))
            for _, _, declared in resources(modules(), "AWS::CloudWatch::Alarm")
        )
    )


ITEMS = [
    Item("networking", "NAT gateways", _always("NAT gateway"), lambda one: gateways(one) * HOURS),
    Item("networking", "Data through NAT gateways", _always("NAT gateway, data"), _usage("nat")),
    Item(
        "networking", "Addresses of the NAT gateways", _always("public IPv4 address"), lambda one: gateways(one) * HOURS
    ),
    Item("database", "Database", _database_class, lambda one: HOURS),
    Item("database", "Database's storage", lambda one: _two_zones("database storage", one), _database_storage),
    Item("database", "Database's backups", _always("database backups"), _usage("backup")),
    Item("ses", "Mail", _always("mail"), _usage("mail")),
    Item("ses", "Hosted zone", _always("hosted zone"), lambda one: Decimal(1)),
    Item("foundation", "KMS keys", _always("KMS key"), lambda one: count("AWS::KMS::Key")),
    # RDS keeps the master's own secret beside those of the templates.
    Item("foundation", "Secrets", _always("secret"), lambda one: count("AWS::SecretsManager::Secret") + 1),
    Item("foundation", "Alarms", _always("alarm"), lambda one: _metrics()),
    Item("foundation", "Metrics out of logs", _always("own metric"), lambda one: count("AWS::Logs::MetricFilter")),
    Item("foundation", "Logs, taken in", _always("logs, taken in"), _usage("logs")),
    Item("foundation", "Data to the internet", _always("data to the internet"), _usage("out")),
]


def items() -> list[Item]:
    """The lines of those modules that exist."""
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
    head = ["Item", "Quantity in dev / test / prod", "USD for each", *ENVIRONMENTS]
    usage = [[text, *values] for text, values in USAGE.values()]
    return page(
        "docs/cost.md",
        "tools/pages/cost.py and tools/pages/prices.py",
        "What it costs",
        [
            INTRODUCTION,
            f"A month of {short()}.",
            table(head, rows),
            "Not in it, because they stay under a dollar or depend on you alone: the functions, which run for seconds a month; "
            "topics, queues and API calls; support plans; what a deployment bucket holds.",
            "## Assumptions",
            "A month of",
            table(["Usage", *ENVIRONMENTS], usage),
            *CHOICES,
            "## Prices and where they come from",
            _prices(),
        ],
    )


CHOICES = [
    "## What changes the bill most",
    "- `NatGateways=one` in prod saves two gateways; a failed zone then takes the way out with it.\n"
    "- `DatabaseMultiAZ=false` halves a database; the rules allow it outside prod only.\n"
    "- `InterfaceEndpoints` costs 7.30 USD an endpoint and zone: `all` without NAT is dearer than NAT, but keeps traffic inside.\n"
    "- An existing VPC (`VpcId`) brings its own NAT.\n"
    "- Reserved instances and savings plans take a third off what runs all the time, and bind you for a year.\n"
    "- An environment that nobody uses at night: stop the database (`aws rds stop-db-instance`); AWS starts it again after a week.",
]


def _row(item: Item) -> list[str]:
    quantities = [item.quantity(one) for one in ENVIRONMENTS]
    prices = [PRICES[item.price(one)] for one in ENVIRONMENTS]
    shown = [f"{quantity.normalize():,f}" for quantity in quantities]
    each = [f"{price.dollars:f}" for price in prices]
    names = dict.fromkeys(item.price(one).removesuffix(", two zones") for one in ENVIRONMENTS)
    name = item.name if len(names) == 1 else f"{item.name}: {', '.join(names)}"
    return [
        name,
        f"{' / '.join(shown)} {prices[0].units}",
        each[0] if len(set(each)) == 1 else " / ".join(each),
        *(f"{item.dollars(one):,.2f}" for one in ENVIRONMENTS),
    ]


def _prices() -> str:
    used = dict.fromkeys(item.price(one) for item in items() for one in ENVIRONMENTS)
    rows = [[name, f"{PRICES[name].dollars:f}", PRICES[name].unit, PRICES[name].source] for name in used]
    sources = [f"- {letter}: {text}." for letter, text in SOURCES.items() if any(row[3] == letter for row in rows)]
    return table(["What", "USD", "for one", "Source"], rows) + "\n\n" + "\n".join(sources)
