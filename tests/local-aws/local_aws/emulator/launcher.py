"""`python -m local_aws.emulator.launcher`: the emulator's process. `python -m local_aws start` runs it."""

import gc
import importlib
import logging
import sys

from local_aws.emulator import patches

MODULES = (
    "templates",
    "resources",
    "iam",
    "iam_requests",
    "custom_resources",
    "stack_engine",
    "stack_resources",
    "nested_stacks",
    "change_sets",
    "stack_policies",
    "lambda_",
    "lambda_ends",
    "lambda_logs",
    "lambda_checks",
    "event_sources",
    "queues",
    "access_keys",
    "secrets",
    "secret_versions",
    "function_policies",
    "rotation",
    "event_rules",
    "topic_functions",
    "rds",
    "dns",
    "route53",
    "ses",
    "ses_suppression",
    "ses_reports",
    "ses_events",
    "smtp",
    "cloudwatch",
    "ec2",
    "acm",
    "ecs",
    "ecs_tasks",
    "ecs_deployments",
    "scheduler",
    "codebuild",
    "ecr",
    "elasticache",
    "associations",
    "recorded",
    "site",
)


def main() -> None:
    """Check the emulator against our tables, complete it, and serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        patches.require_version()
        modules = [importlib.import_module(f"local_aws.emulator.{name}") for name in MODULES]
        patches.require(module.NAMES for module in modules)
        for module in modules:
            if hasattr(module, "install"):
                module.install()
    except (patches.IncompatibleEmulator, ImportError) as error:
        sys.exit(f"local AWS: {error}")
    serve()


def serve() -> None:
    """The emulator's own command line takes its settings from the environment; it has no arguments here."""
    from ministack import app

    # What was imported stays; requests make much that is gone at once, and hardly a cycle.
    gc.freeze()
    gc.set_threshold(20_000, 20)
    sys.argv = sys.argv[:1]
    app.main()


if __name__ == "__main__":
    main()
