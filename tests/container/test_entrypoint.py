"""The entrypoint as a tree of processes: what it starts, what reaches it, how it ends. Apache and PHP are real, Mautic's code is not here."""

import contextlib
import http.client
import http.server
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mautic import Mautic, until
from support import CONTAINER, SECONDS, Cache, MySql, TestCase, environment, installation, programs, servers

ENTRYPOINT = CONTAINER / "bin/entrypoint"
MAIL = {"SMTP_HOST": "smtp.example.org", "SMTP_USERNAME": "user", "SMTP_PASSWORD": "mail-secret"}
SITE = {"MAUTIC_SITE_URL": "https://mautic.example.org", "MAUTIC_SECRET_KEY": "f" * 64}


class Task(TestCase):
    """A container's file system in a folder, beside a real database and cache."""

    def setUp(self):
        self.mautic = Mautic(self.folder())
        self.run_directory = self.mautic.root / "run"
        self.media = self.mautic.root / "shared"
        for folder in (self.run_directory, self.media):
            folder.mkdir()
        self.image = self.folder()
        for name in ("lib", "config"):
            (self.image / name).symlink_to(CONTAINER / name)
        (self.image / "media").mkdir()
        self.database = self.enterContext(contextlib.closing(MySql(servers("mysql")[0])))
        self.cache = self.enterContext(contextlib.closing(Cache(servers("cache")[0])))

    def enterContext(self, context):
        """unittest's own, which Python 3.10 does not have yet."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def variables(self, script=None, **changes: str) -> dict[str, str]:
        """Those of a task, and the folders of this test instead of the image's."""
        folders = {
            "RUN_DIRECTORY": str(self.run_directory),
            "MEDIA_DIRECTORY": str(self.media),
            "MAUTIC_SERVER": str(self.image),
        }
        task = {**self.database.variables(), **self.cache.variables(), **MAIL, **SITE}
        return environment(**{**self.mautic.variables(script), **folders, **task, **changes})

    def begin(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start the container in a role."""
        process = subprocess.Popen(
            [str(ENTRYPOINT), *words],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # What it leaves behind is found by its session.
            start_new_session=True,
        )
        self.addCleanup(self.end_session, process)
        return process

    def end_session(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        out, errors = process.communicate(timeout=SECONDS)
        return process.returncode, out, errors

    def start(self, *words: str, **variables: str) -> tuple[int, str, str]:
        """Start the container and wait until it ends."""
        return self.finish(self.begin(*words, **variables))


class Settings(Task):
    def refused(self, *words: str, **variables: str) -> str:
        code, out, errors = self.start(*words, **variables)
        self.assertEqual((code, out), (64, ""))
        self.assertEqual(self.mautic.calls(), [])
        return errors

    def test_everything_that_is_missing_is_named_at_once(self):
        given = self.variables()
        for name in ("MAUTIC_SECRET_KEY", "MAUTIC_DB_PASSWORD", "CACHE_HOST", "SMTP_PASSWORD"):
            del given[name]
        self.assertEqual(
            self.refused("web", **given),
            "entrypoint: not set: MAUTIC_SECRET_KEY MAUTIC_DB_PASSWORD CACHE_HOST SMTP_PASSWORD. "
            "The task definition sets them; see docs/operations.md.\n",
        )

    def test_where_mail_is_held_no_mail_server_is_needed(self):
        given = {name: value for name, value in self.variables().items() if name not in MAIL}
        code, _, errors = self.start("job", "mautic:import", **given, MAUTIC_MAILER_DSN="null://null")
        self.assertEqual((code, errors), (0, ""))

    def test_an_installation_needs_the_administrator(self):
        self.assertEqual(
            self.refused("release", "install", **self.variables()),
            "entrypoint: not set: ADMIN_USERNAME ADMIN_EMAIL ADMIN_PASSWORD. "
            "The task definition sets them; see docs/operations.md.\n",
        )

    def test_a_site_without_tls_is_refused(self):
        self.assertEqual(
            self.refused("web", **self.variables(MAUTIC_SITE_URL="http://mautic.example.org")),
            "entrypoint: MAUTIC_SITE_URL is http://mautic.example.org; it must begin with https://.\n",
        )

    def test_a_password_that_mautic_would_misread_is_refused_and_not_shown(self):
        self.assertEqual(
            self.refused("job", "x", **self.variables(MAUTIC_DB_PASSWORD="a%b%c")),
            "entrypoint: MAUTIC_DB_PASSWORD holds a percent sign, which Mautic takes for a reference; make one without.\n",
        )

    def test_a_role_that_there_is_not(self):
        for words, name in ((("cron",), "cron"), ((), "")):
            self.assertEqual(
                self.refused(*words, **self.variables()),
                f'entrypoint: "{name}" is no role; there are web, worker, job COMMAND and release install|reinstall|migrate.\n',
            )


class Folders(Task):
    def test_an_empty_configuration_folder_is_filled(self):
        (self.mautic.root / "config/local.php").unlink()
        self.assertEqual(self.start("job", "mautic:import", **self.variables())[0], 0)
        for name in ("local.php", "config_override.php"):
            self.assertEqual(
                (self.mautic.root / "config" / name).read_text(), (CONTAINER / "config" / name).read_text()
            )

    def test_what_mautic_brings_is_laid_on_the_shared_storage_and_nothing_is_overwritten(self):
        for name, text in {"files/.htaccess": "deny", "images/a b.png": "new", "images/logo.png": "new"}.items():
            (self.image / "media" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.image / "media" / name).write_text(text)
        (self.media / "images").mkdir()
        (self.media / "images/logo.png").write_text("the customer's own")
        for _ in range(2):
            code, _, errors = self.start("job", "mautic:import", **self.variables())
            self.assertEqual((code, errors), (0, ""))
        found = {
            str(path.relative_to(self.media)): path.read_text() for path in self.media.rglob("*") if path.is_file()
        }
        self.assertEqual(
            found, {"files/.htaccess": "deny", "images/a b.png": "new", "images/logo.png": "the customer's own"}
        )

    def test_tables_of_addresses_are_shared_between_tasks(self):
        self.start("job", "mautic:iplookup:download", **self.variables())
        link = self.mautic.root / "var/cache/ip_data"
        self.assertEqual(os.readlink(link), str(self.media / "ip_data"))


class Compiling(Task):
    def start_with(self, site: str, **variables: str) -> None:
        """Run a job in an image whose code was compiled for this site."""
        (self.image / "compiled/prod").mkdir(parents=True, exist_ok=True)
        (self.image / "compiled/prod/kernel.php").write_text("compiled")
        (self.image / "compiled/site").write_text(site)
        self.assertEqual(self.start("job", "x", **self.variables(**variables))[0], 0)

    def compiled(self) -> bool:
        return (self.mautic.root / "var/cache/prod/kernel.php").exists()

    def test_code_that_was_compiled_for_this_site_is_taken(self):
        self.start_with(SITE["MAUTIC_SITE_URL"])
        self.assertTrue(self.compiled())

    def test_code_that_was_compiled_for_another_site_or_other_settings_is_not(self):
        self.start_with("https://other.example.org")
        self.assertFalse(self.compiled())
        self.start_with(SITE["MAUTIC_SITE_URL"], MAUTIC_CONFIG_PARAMETERS='{"db_host_ro": "x"}')
        self.assertFalse(self.compiled())


class Jobs(Task):
    def test_a_job_is_the_entrypoint_s_own_process(self):
        job = self.begin("job", "mautic:import", **self.variables({"mautic:import": {"seconds": 50}}))
        until("the command", self.mautic.calls)
        words = Path(f"/proc/{job.pid}/cmdline").read_bytes().split(b"\0")
        self.assertIn(str(self.image / "lib/job.php").encode(), words)
        job.terminate()
        code, out, _ = self.finish(job)
        self.assertEqual(code, 143)
        self.assertRegex(out.splitlines()[-1], r'^\{"job":"mautic:import","exit":143,"seconds":\d+\.\d\}$')


class Workers(Task):
    def test_a_worker_consumes_both_queues_within_its_limits_and_ends_when_told(self):
        variables = self.variables({"messenger:consume": {"seconds": 50}})
        worker = self.begin("worker", **variables, WORKER_TIME_LIMIT="3600", WORKER_MEMORY_LIMIT="512M")
        [call] = until("the worker", self.mautic.calls)
        self.assertEqual(
            call["words"],
            ["messenger:consume", "email", "hit", "--no-interaction", "--time-limit=3600", "--memory-limit=512M"],
        )
        # The entrypoint has become PHP: nobody stands between ECS and the worker.
        self.assertEqual(call["pid"], worker.pid)
        worker.terminate()
        code, out, _ = self.finish(worker)
        self.assertEqual(code, 0)
        self.assertIn("console: told to stop", out)


class Releases(Task):
    def test_a_release_is_judged_by_its_exit_code(self):
        code, _, errors = self.start("release", "migrate", **self.variables())
        self.assertEqual(
            (code, errors),
            (
                1,
                f"release: schema {self.database.schema} holds no Mautic: it has no first user; nothing was changed. "
                "For an empty schema: release install\n",
            ),
        )


PAGE = """<?php
// One sleep would end with the first signal.
for ($end = microtime(true) + ($_GET['seconds'] ?? 0); microtime(true) < $end;) { usleep(10_000); }
if (isset($_GET['session'])) { session_start(); $_SESSION['n'] = 1 + ($_SESSION['n'] ?? 0); echo $_SESSION['n']; exit; }
if (isset($_GET['break'])) { throw new Exception('broken page'); }
echo 'page of ', $_SERVER['REQUEST_URI'], ' with ', ini_get('memory_limit'), ' and ', ini_get('opcache.validate_timestamps');
"""
# What Mautic's own file of that name does, as far as it is tried here.
HTACCESS = """
RewriteEngine On
RewriteCond %{REQUEST_FILENAME} -f
RewriteRule .? - [L]
RewriteRule .? index.php [L]
<FilesMatch "\\.php$">
    Require all denied
</FilesMatch>
<If "%{REQUEST_URI} =~ m#^/index\\.php#">
    Require all granted
</If>
"""


class Web(Task):
    def setUp(self):
        super().setUp()
        docroot = self.mautic.root / "docroot"
        (docroot / "index.php").write_text(PAGE)
        (docroot / ".htaccess").write_text(HTACCESS)
        (docroot / "other.php").write_text("<?php echo 'must not run';")
        (docroot / "robots.txt").write_text("robots")
        for folder in ("files", "images"):
            (self.media / folder).mkdir()
            (docroot / "media" / folder).symlink_to(self.media / folder)
        (self.media / "images/picture.png").write_text("picture")
        (self.media / "images/evil.php").write_text("<?php echo 'must not run';")
        (self.media / "files/contacts.csv").write_text("must not be seen")
        self.port = 20_000 + os.getpid() % 20_000
        # The distribution's list of media types, wherever it is.
        self.configuration = self.mautic.root / "apache.conf"
        text = (CONTAINER / "apache.conf").read_text()
        types = installation().prefix / "etc/mime.types"
        self.configuration.write_text(text.replace("/etc/mime.types", str(types)))

    def web(self, **changes: str) -> subprocess.Popen[str]:
        """Start the web role and wait until it answers."""
        web = self.begin("web", **self.web_variables(**changes))
        until("an answer", lambda: web.poll() is not None or self.status("/container-health") == 200)
        if web.poll() is not None:
            self.fail(f"the web role ended: {self.finish(web)}")
        return web

    def web_variables(self, **changes: str) -> dict[str, str]:
        apache = {"APACHE_ROOT": str(programs() / "apache"), "APACHE_CONFIGURATION": str(self.configuration)}
        return self.variables(WEB_PORT=str(self.port), WEB_PROCESSES="4", **{**apache, **changes})

    def get(self, path: str, timeout: float = SECONDS, **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers

    def status(self, path: str, timeout: float = SECONDS) -> int:
        try:
            return self.get(path, timeout)[0]
        except OSError:
            return 0

    def test_the_cache_is_compiled_before_the_first_request(self):
        self.web()
        self.assertEqual(self.mautic.words(), [["cache:warmup", "--no-interaction"]])

    def test_nothing_touches_the_schema(self):
        self.web()
        self.assertEqual(self.database.tables(), [])

    def test_everything_goes_to_mautic_s_front_controller(self):
        self.web()
        code, text, headers = self.get("/s/login?a=b")
        self.assertEqual((code, text), (200, "page of /s/login?a=b with 256M and 0"))
        self.assertEqual(headers["Server"], "Apache")
        self.assertNotIn("X-Powered-By", headers)
        self.assertEqual(headers["Connection"], "close")
        self.assertEqual(self.get("/robots.txt")[1], "robots")
        # A folder is no redirect of Apache's own, which would name http and this port.
        self.assertEqual(self.get("/media")[:2], (200, "page of /media with 256M and 0"))

    def test_no_other_program_can_be_asked_for_and_what_was_uploaded_is_none(self):
        self.web()
        self.assertEqual(self.status("/other.php"), 403)
        self.assertEqual(self.status("/media/images/evil.php"), 403)
        self.assertEqual(self.status("/media/files/contacts.csv"), 403)
        self.assertEqual(self.status("/.htaccess"), 403)
        code, text, headers = self.get("/media/images/picture.png")
        self.assertEqual((code, text, headers["Content-Type"]), (200, "picture", "image/png"))
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    def test_sessions_are_in_the_cache(self):
        self.web()
        code, text, headers = self.get("/?session=1")
        self.assertEqual((code, text), (200, "1"))
        cookie = headers["Set-Cookie"].split(";")[0]
        self.assertEqual(self.get("/?session=1", Cookie=cookie)[1], "2")
        self.assertEqual(self.cache.keys(), [f"session:{cookie.split('=')[1]}"])

    def test_health_is_for_the_container_alone_and_the_program_reads_it(self):
        web = self.web()
        healthy = [str(programs() / "php"), str(CONTAINER / "bin/healthy")]
        variables = self.web_variables()
        good = subprocess.run(healthy, env=variables, capture_output=True, text=True)
        self.assertEqual((good.returncode, good.stdout, good.stderr), (0, "", ""))
        web.terminate()
        self.finish(web)
        bad = subprocess.run(healthy, env=variables, capture_output=True, text=True)
        self.assertEqual(bad.returncode, 1)
        self.assertEqual(bad.stderr, f"http://127.0.0.1:{self.port}/container-health: no answer within 5 seconds\n")

    def test_what_php_says_of_an_error_is_in_the_container_s_log_as_the_alarms_look_for_it(self):
        web = self.web()
        self.assertEqual(self.status("/?break=1"), 500)
        web.terminate()
        code, out, errors = self.finish(web)
        self.assertRegex(errors, r"\[php:error\] .*PHP Fatal error:  Uncaught Exception: broken page")

    def test_told_to_stop_it_ends_its_requests_and_takes_no_more(self):
        for number in (signal.SIGTERM, signal.SIGWINCH):
            with self.subTest(signal=number.name):
                self.stop_while_busy(number)

    def stop_while_busy(self, number: signal.Signals) -> None:
        web = self.web()
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(self.get, "/?seconds=4")
            until("a busy process", lambda: self.connected() > 0)
            time.sleep(0.2)
            os.kill(web.pid, number)
            time.sleep(0.5)
            self.assertEqual(self.status("/container-health", timeout=1), 0)
            # Whoever stops a container twice does not shorten it.
            os.kill(web.pid, number)
            self.assertFalse(slow.done(), "the slow request had ended before the other one was left unanswered")
            self.assertEqual(slow.result()[:2], (200, "page of /?seconds=4 with 256M and 0"))
        code, _, errors = self.finish(web)
        self.assertEqual(code, 0, errors)

    def test_told_to_stop_before_it_has_begun_it_ends_at_once(self):
        web = self.begin("web", **self.web_variables())
        until("the first line", lambda: web.stdout.readline().startswith("entrypoint: web on port"))
        web.terminate()
        self.assertIn(self.finish(web)[0], (0, 128 + signal.SIGTERM))

    def test_an_apache_that_cannot_start_ends_the_container_with_its_code(self):
        with socket.create_server(("127.0.0.1", self.port)):
            code, _, errors = self.start("web", **self.web_variables())
        self.assertEqual(code, 1)
        self.assertIn(f"could not bind to address 0.0.0.0:{self.port}", errors)

    def connected(self) -> int:
        """How many connections to the port are established."""
        lines = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
        return len([line for line in lines if re.search(rf":{self.port:04X} \w+:\w+ 01 ", line)])

    def test_a_cache_that_cannot_be_entered_stops_the_start_with_the_reason(self):
        variables = self.web_variables(CACHE_PASSWORD="not-the-password", CACHE_CHECK_TRIES="1")
        code, _, errors = self.start("web", **variables)
        self.assertEqual(code, 1)
        self.assertRegex(errors, rf"^cache at tls://localhost:{self.cache.server['port']}: .*WRONGPASS")
        self.assertNotIn("not-the-password", errors)


class Processes(TestCase):
    def count(self, **variables: str) -> int:
        done = subprocess.run(
            [str(programs() / "php"), str(CONTAINER / "lib/processes.php")],
            env=environment(**variables),
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.stderr, "")
        return int(done.stdout)

    def test_the_memory_of_the_task_decides(self):
        # GiB of the template's sizes, and what a request may take.
        for mebibytes, limit, expected in ((512, "512M", 3), (1024, "512M", 5), (2048, "512M", 13), (4096, "512M", 29)):
            with self.subTest(mebibytes=mebibytes), ecs(mebibytes) as address:
                count = self.count(ECS_CONTAINER_METADATA_URI_V4=address, PHP_MEMORY_LIMIT=limit)
                self.assertEqual(count, expected)

    def test_without_ecs_there_are_some(self):
        self.assertGreaterEqual(self.count(), 3)


@contextlib.contextmanager
def ecs(mebibytes: int):
    """ECS's metadata endpoint, as far as it is asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/v4/task" else 404)
            self.end_headers()
            self.wfile.write(b'{"Limits": {"CPU": 0.5, "Memory": %d}}' % mebibytes)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v4"
        finally:
            server.shutdown()


if __name__ == "__main__":
    unittest.main()
