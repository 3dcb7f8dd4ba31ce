"""The parts of the README that are made: what it costs, and the command that deploys with the parameters of prod.json."""

from __future__ import annotations

import json
import shlex

from pages import cost
from pages.page import Page, with_parts
from pages.templates import CLOUDFORMATION

PATH = "README.md"
DEPLOY = """\
```sh
aws cloudformation deploy --stack-name mautic-prod --template-file dist/aws/packaged.yaml --s3-bucket BUCKET \\
  --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND --disable-rollback --parameter-overrides \\
  {parameters}
```"""


def _parameters() -> str:
    """prod.json as words of a command, a few on each line."""
    chosen = json.loads((CLOUDFORMATION / "environments" / "prod.json").read_text())["Parameters"]
    words = [shlex.quote(f"{name}={value}") for name, value in chosen.items()]
    lines = [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    return " \\\n  ".join(lines)


def parts() -> dict[str, str]:
    """What stands between `<!-- NAME: made by make docs -->` and `<!-- /NAME -->`."""
    return {
        "cost": f"A month in us-east-1, with everything running: {cost.short()}. [docs/cost.md](docs/cost.md) has each item, its price and what "
        "is assumed; nothing was compared with a bill.",
        "deploy": DEPLOY.format(parameters=_parameters()),
    }


def made() -> Page:
    """The README with its parts as they would be made now."""
    return with_parts(PATH, parts())
