"""The site: an HTTPS server in the emulator's process, which answers for every web service that runs.

A site has what the definition of its web tasks says, as the image would read it there: the address that it is asked by, the API,
the sender, SMTP. The secrets that the definition names are read when they are needed. Where no such service runs, the answer is
that of a load balancer without targets.
"""

import functools
import json
import logging
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage

from local_aws import certificates, servers_file
from local_aws.emulator import smtp
from local_aws.emulator.resources import aws
from local_aws.emulator.settings import SETTINGS
from local_aws.site import Authority, Mautic, Server, Settings
from local_aws.site.server import Answer, Request

NAMES: dict[str, tuple[str, ...]] = {}

NOBODY = Answer(503, "<h1>503 Service Temporarily Unavailable</h1>")
SMTP_SECONDS = 10.0

log = logging.getLogger("local-aws.site")


def install() -> None:
    """Start the server, and say in servers.json where it is."""
    state = SETTINGS.servers_file.parent
    authority = Authority(state / "aws" / "site")
    server = Server(authority, Sites().answer)
    server.start()
    host, port = server.address
    servers_file.put(state, "site", {"host": host, "port": port, "ca_file": str(authority.file)})
    log.info("sites at %s:%s", host, port)


class Sites:
    """Every site, by its name."""

    def __init__(self) -> None:
        self._lock, self._sites = threading.Lock(), {}

    def answer(self, request: Request) -> Answer:
        """Answers for the site that was asked; an error of ours is an error of the server."""
        try:
            web = next((one for one in running() if one.get("MAUTIC_SITE_URL") == f"https://{request.host}"), None)
            if web is None:
                return NOBODY
            with self._lock:
                site = self._sites.setdefault(request.host, Mautic())
            return site.answer(request, settings(web))
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return Answer(500, "<h1>500 Internal Server Error</h1>")


def running() -> Iterator[dict[str, str]]:
    """The environment of each service that has running tasks; of a secret, where its value is."""
    ecs = aws("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []:
            if service["runningCount"] and service.get("loadBalancers"):
                yield environment(service["taskDefinition"])


@functools.cache
def environment(definition: str) -> dict[str, str]:
    """The environment of a definition's only container; a revision never changes."""
    [container] = aws("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"][
        "containerDefinitions"
    ]
    plain = {one["name"]: one["value"] for one in container.get("environment", [])}
    return plain | {one["name"]: one["valueFrom"] for one in container.get("secrets", [])}


def settings(web: dict[str, str]) -> Settings:
    """A site's settings, from the environment of its web tasks."""
    is_held = web.get("MAUTIC_MAILER_DSN", "").startswith("null:")
    return Settings(
        api=web.get("MAUTIC_API_ENABLED") == "1",
        basic_auth=web.get("MAUTIC_API_ENABLE_BASIC_AUTH") == "1",
        administrator=administrator(web["MAUTIC_SITE_URL"]),
        sender=f"{web['MAUTIC_MAILER_FROM_NAME']} <{web['MAUTIC_MAILER_FROM_EMAIL']}>",
        headers=json.loads(web.get("MAUTIC_MAILER_CUSTOM_HEADERS") or "{}"),
        send=None if is_held else sender(web),
    )


def administrator(site: str) -> tuple[str, str]:
    """The first administrator of a site, whom its newest release task is given."""
    for arn in aws("ecs").list_task_definitions(status="ACTIVE", sort="DESC")["taskDefinitionArns"]:
        found = environment(arn)
        if found.get("MAUTIC_SITE_URL") == site and "ADMIN_PASSWORD" in found:
            return secret(found["ADMIN_USERNAME"]), secret(found["ADMIN_PASSWORD"])
    raise LookupError(f"no release task of {site}")


def secret(place: str) -> str:
    """The value that a task gets for `ARN:KEY::`."""
    arn, key, _, _ = place.rsplit(":", 3)
    return json.loads(aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])[key]


def sender(web: dict[str, str]) -> Callable[[EmailMessage], None]:
    """Hands mail over with the credentials of the web tasks."""

    def send(message: EmailMessage) -> None:
        host, port = smtp.environment()["SMTP_ENDPOINT"].rsplit(":", 1)
        authority = certificates.ensure(SETTINGS.servers_file.parent / "aws" / "smtp").authority
        with smtplib.SMTP(host, int(port), timeout=SMTP_SECONDS) as connection:
            connection.starttls(context=ssl.create_default_context(cafile=str(authority)))
            connection.login(secret(web["SMTP_USERNAME"]), secret(web["SMTP_PASSWORD"]))
            connection.send_message(message)

    return send
