"""Builds the real image and uses it: installs, migrates, signs in, sends a mail. For a machine with a container engine; `make verify-image`.

The containers run as the tasks do: user 33, no capability, a read-only root, empty volumes. They share the host's network, where the
project's own MySQL, Redis or Valkey and an SMTP server of the tests answer with TLS. Another Mautic than the Dockerfile's is named by
MAUTIC_TAG and MAUTIC_DIGEST, a mirror by MAUTIC_IMAGE, another processor, which the engine must know how to imitate, by PLATFORM.
"""

import contextlib
import email
import http.client
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.parse
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from image_base import Base
from local_aws import certificates
from local_aws.smtp.mailbox import Mailbox
from local_aws.smtp.server import Server
from local_aws.state import DEFAULT_STATE
from support import CONTAINER, Cache, MySql, free_port, servers
from test_mail import Account

ENGINE = os.environ.get("ENGINE", "docker")
IMAGE = "mautic-server-verified"
SITE = "https://mautic.example.org"
ADMINISTRATOR = {"ADMIN_USERNAME": "admin", "ADMIN_EMAIL": "admin@example.org", "ADMIN_PASSWORD": secrets.token_hex(12)}
VOLUMES = (
    "/var/www/html/config",
    "/var/www/html/var/cache",
    "/var/www/html/var/logs",
    "/var/www/html/var/tmp",
    "/tmp",
    "/run",
)
START_SECONDS = 240


def say(text: str) -> None:
    """A step that is done."""
    print(f"verify-image: {text}", flush=True)


def engine(*words: str, seconds: int = 900) -> subprocess.CompletedProcess[str]:
    """Call the container engine."""
    return subprocess.run([ENGINE, *words], capture_output=True, text=True, timeout=seconds)


def must(done: subprocess.CompletedProcess[str], what: str) -> str:
    """The output of something that ended with 0."""
    if done.returncode != 0:
        raise SystemExit(
            f"verify-image: {what} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout


def build(base: Base) -> None:
    """Make the image. One whose code was not compiled is good for a task, which compiles at its start, and is not what the build is for."""
    must(engine("build", *base.options, *base.arguments(SITE), "--tag", IMAGE, str(CONTAINER), seconds=7200), "build")
    look = 'cat "$MAUTIC_SERVER/compiled/site" && test -n "$(ls "$MAUTIC_SERVER/compiled/prod")"'
    done = engine("run", "--rm", *base.options, "--entrypoint=/bin/bash", IMAGE, "-c", look)
    if done.returncode != 0 or done.stdout != SITE:
        raise SystemExit(
            f"verify-image: the image holds no compiled/prod for {SITE}: {(done.stdout + done.stderr).strip()}; "
            "the build's log says why Mautic could not be compiled."
        )
    say(f"Mautic is compiled for {SITE}")


class Tasks:
    """Containers of the image, with everything that a task is given."""

    def __init__(self, base: Base, variables: dict[str, str], files: dict[str, str], shared: Path) -> None:
        mounts = [f"--volume={source}:{target}:ro" for source, target in files.items()]
        mounts += [f"--volume={shared / name}:/mautic/{name}" for name in ("media", "import")]
        self.options = [
            "run",
            *base.options,
            "--network=host",
            "--user=33:33",
            "--cap-drop=ALL",
            "--read-only",
            "--init",
            *(f"--volume={path}" for path in VOLUMES),
            *mounts,
            *(f"--env={name}={value}" for name, value in variables.items()),
        ]

    def run(self, *words: str, **variables: str) -> str:
        """One that ends."""
        extra = [f"--env={name}={value}" for name, value in variables.items()]
        return must(engine(*self.options, "--rm", *extra, IMAGE, *words), " ".join(words))

    @contextlib.contextmanager
    def running(self, *words: str, **variables: str) -> Iterator[str]:
        """One that stays; its id. Stopped as ECS stops it, and its end is judged."""
        extra = [f"--env={name}={value}" for name, value in variables.items()]
        name = must(engine(*self.options, "--detach", *extra, IMAGE, *words), " ".join(words)).strip()
        try:
            yield name
            began = time.monotonic()
            must(engine("stop", "--time", "60", name), "stop")
            code = must(engine("inspect", "--format", "{{.State.ExitCode}}", name), "inspect").strip()
            took = time.monotonic() - began
            if code != "0" or took > 55:
                raise SystemExit(
                    f"verify-image: {words[0]} was stopped in {took:.0f} s and ended with {code}\n{self.log(name)}"
                )
            say(f"{words[0]} stops in good order, in {took:.1f} s")
        finally:
            engine("rm", "--force", "--volumes", name)

    def log(self, name: str) -> str:
        """The end of what it printed."""
        done = engine("logs", "--tail", "60", name)
        return done.stdout + done.stderr


class Browser:
    """Somebody at the site: what the load balancer would pass on, and cookies, which are for https only."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, {}

    def __call__(
        self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, str]:
        """Ask for a page; status, text, and where it leads."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {
            "Host": SITE.partition("//")[2],
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.1",
            "Cookie": cookies,
        }
        body = None
        if fields is not None:
            body, sent["Content-Type"] = urllib.parse.urlencode(fields), "application/x-www-form-urlencoded"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=110)) as connection:
            connection.request(method, path, body, {**sent, **headers})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            if "secure" not in cookie.lower():
                raise SystemExit(f"verify-image: the cookie {name} is not for https only")
        return answer.status, text, answer.headers.get("Location", "")


def follow(browser: Browser, path: str) -> tuple[int, str, str]:
    """A page and where it was found at last; the first visit to the dashboard makes its widgets and leads to it again."""
    for _ in range(5):
        status, text, place = browser("GET", path)
        if status not in (301, 302, 303):
            break
        path = place.removeprefix(SITE)
    return status, text, path


def sign_in(browser: Browser) -> str:
    """The administrator's, with the generated password; a session in the cache is what keeps it. The dashboard."""
    status, text, _ = browser("GET", "/s/login")
    token = re.search(r'name="_csrf_token" value="([^"]+)"', text)
    if status != 200 or not token:
        raise SystemExit(f"verify-image: /s/login answered {status}: {text[:2000]}")
    fields = {"_username": "admin", "_password": ADMINISTRATOR["ADMIN_PASSWORD"], "_csrf_token": token[1]}
    _, _, place = browser("POST", "/s/login_check", fields)
    status, text, found = follow(browser, "/s/dashboard")
    if "/s/login" in place or status != 200 or "/s/logout" not in text:
        raise SystemExit(f"verify-image: signing in led to {place}, {found} answered {status}: {text[:2000]}")
    say("the administrator signs in")
    return text


def show_widgets(browser: Browser, dashboard: str, cache: Cache) -> None:
    """What a browser fetches for the dashboard; Mautic keeps it in its cache, of which it only warns when it does not work."""
    widgets = re.findall(r'data-widget-id="(\d+)"', dashboard)
    for widget in widgets:
        status, text, _ = browser(
            "GET", f"/s/dashboard/widget/{widget}?ignoreAjax=true", **{"X-Requested-With": "XMLHttpRequest"}
        )
        if status != 200:
            raise SystemExit(f"verify-image: widget {widget} of the dashboard answered {status}: {text[:2000]}")
    judge_cache(len(widgets), cache.keys())


def judge_cache(widgets: int, keys: list[str]) -> None:
    """Sessions alone are no cache."""
    kept = [key for key in keys if not key.startswith("session:")]
    if not kept:
        raise SystemExit(
            f"verify-image: after {widgets} widgets of the dashboard the cache holds {len(keys)} sessions and nothing else: "
            "Mautic does not reach it, and says so in its log only. See cache_adapter_redis in config/local.php."
        )
    say(f"Mautic keeps {len(kept)} keys in its cache")


def api(browser: Browser, path: str, fields: dict[str, str]) -> dict:
    """A call of the REST API."""
    key = b64encode(f"admin:{ADMINISTRATOR['ADMIN_PASSWORD']}".encode()).decode()
    status, text, _ = browser("POST", f"/api/{path}", fields, Authorization=f"Basic {key}")
    if status not in (200, 201):
        raise SystemExit(f"verify-image: /api/{path} answered {status}: {text[:2000]}")
    return json.loads(text)


def queue_mail(browser: Browser) -> None:
    """A mail to a contact, which waits for a worker then."""
    contact = api(browser, "contacts/new", {"firstname": "One", "email": "one@example.org"})["contact"]["id"]
    page = "<html><body><p>Hello {contactfield=firstname}</p></body></html>"
    fields = {
        "name": "verify",
        "subject": "Hello",
        "customHtml": page,
        "emailType": "template",
        "isPublished": "1",
        "language": "en",
    }
    mail = api(browser, "emails/new", fields)["email"]["id"]
    api(browser, f"emails/{mail}/contact/{contact}/send", {})
    say("a mail waits for a worker")


def arrived(folder: Path) -> None:
    """The mail is there, with the headers that bounces are found by."""
    found = [email.message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml")]
    if len(found) != 1:
        raise SystemExit(f"verify-image: {len(found)} mails arrived instead of 1")
    wanted = {"X-SES-CONFIGURATION-SET": r"^verify$", "X-Mautic-Track": rf"^{SITE}/email/\w+\.gif"}
    for name, pattern in wanted.items():
        if not re.search(pattern, str(found[0][name])):
            raise SystemExit(f"verify-image: the mail's {name} is {found[0][name]}, not {pattern}")
    say("the mail has arrived, signed in with a password as SES makes them")


def use(tasks: Tasks, port: int, folder: Path, cache: Cache) -> None:
    """Everything that the image is for, once."""
    tasks.run("release", "install", RELEASE_ID="verify-1", **ADMINISTRATOR)
    say("Mautic is installed")
    tasks.run("release", "migrate", RELEASE_ID="verify-2")
    say("there is nothing to migrate")
    browser = Browser(port)
    with tasks.running("web") as web:
        deadline = time.monotonic() + START_SECONDS
        while engine("exec", web, "/usr/local/bin/healthy").returncode != 0:
            if time.monotonic() > deadline:
                raise SystemExit(f"verify-image: web is not healthy after {START_SECONDS} s\n{tasks.log(web)}")
            time.sleep(1)
        say("web is healthy")
        show_widgets(browser, sign_in(browser), cache)
        queue_mail(browser)
        with tasks.running("worker"):
            deadline = time.monotonic() + START_SECONDS
            while not list(folder.glob("*.eml")) and time.monotonic() < deadline:
                time.sleep(1)
        arrived(folder)
    out = tasks.run("job", "mautic:segments:update", JOB_EXCLUSIVE="true", JOB_TIME_LIMIT="600")
    if json.loads(out.splitlines()[-1])["exit"] != 0:
        raise SystemExit(f"verify-image: the job ended with {out}")
    say("a job runs once")


def verify(base: Base, database: MySql, cache: Cache, shared: Path) -> None:
    """One whole life beside this database and this cache."""
    authority = certificates.ensure(DEFAULT_STATE.resolve() / "cache/certificates")
    mail, password, port = shared / "mail", "BGd+0/x7Yz4=Q/aB+c==", free_port()
    for name in ("media", "import", "mail"):
        (shared / name).mkdir()
        (shared / name).chmod(0o777)
    server = Server(Account("AKIAIOSFODNN7EXAMPLE", password), Mailbox(mail), authority)
    server.start()
    try:
        host, smtp_port = server.address
        files = {str(authority.authority): "/authority.pem", database.server["ca_file"]: "/database-authority.pem"}
        variables = {
            **database.variables(),
            **cache.variables(),
            "MAUTIC_SITE_URL": SITE,
            "MAUTIC_SECRET_KEY": secrets.token_hex(32),
            "TRUSTED_PROXIES": "127.0.0.0/8",
            "MAUTIC_API_ENABLED": "1",
            "MAUTIC_API_ENABLE_BASIC_AUTH": "1",
            "DATABASE_CA_FILE": "/database-authority.pem",
            "TLS_CA_FILE": "/authority.pem",
            "SMTP_HOST": host,
            "SMTP_PORT": str(smtp_port),
            "SMTP_USERNAME": "AKIAIOSFODNN7EXAMPLE",
            "SMTP_PASSWORD": password,
            "SES_CONFIGURATION_SET": "verify",
            "MAUTIC_MAILER_FROM_EMAIL": "news@example.org",
            "WEB_PORT": str(port),
        }
        use(Tasks(base, variables, files, shared), port, mail, cache)
    finally:
        server.stop()


def main() -> int:
    """Build, then a life beside each shape of cache."""
    base = Base.asked_for(os.environ)
    mysql = base.mysql(servers("mysql"))
    say(f"building the image of Mautic {base.tag or base.major}; the first time that takes many minutes")
    build(base)
    for server in servers("cache"):
        say(
            f"beside MySQL {mysql['version']} and {server['engine']} {server['version']}, {len(server['ports'])} shards"
        )
        with (
            contextlib.closing(MySql(mysql)) as database,
            contextlib.closing(Cache(server)) as cache,
            tempfile.TemporaryDirectory(prefix="verify-image-") as shared,
        ):
            Path(shared).chmod(0o755)
            verify(base, database, cache, Path(shared))
    say("all of it works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
