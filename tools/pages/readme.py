"""The parts of the README that are made: what it costs, and the command that deploys with the parameters of prod.json."""

from __future__ import annotations

import json
import re
import shlex

from pages import cost
from pages.page import ROOT, Page
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
    text = (ROOT / PATH).read_text()
    for name, part in parts().items():
        text, count = re.subn(
            rf"(<!-- {name}: made by `make docs` -->\n).*?(<!-- /{name} -->)",
            lambda found, part=part: f"{found[1]}{part}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
        if count != 1:
            raise SystemExit(f"{PATH} has {count} places for the part '{name}': there must be one")
    return Page(PATH, text)
