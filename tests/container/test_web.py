"""The role web: a real Apache with a real PHP, from the first request to the last; only Mautic's own code is not here."""

import contextlib
import http.client
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from mautic import until
from support import CONTAINER, SECONDS, TestCase, environment, free_port, installation, programs
from task import Task

PAGE = """<?php
if (isset($_GET['slow'])) {
    file_put_contents(__DIR__.'/begun', 'yes');
    // One sleep would end with the first signal.
    while (!file_exists(__DIR__.'/enough')) { usleep(10_000); }
}
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
        self.docroot = docroot = self.mautic.root / "docroot"
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
        self.port = free_port()
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
        begun, enough = self.docroot / "begun", self.docroot / "enough"
        enough.unlink(missing_ok=True)
        begun.write_text("")
        begun.chmod(0o666)  # Apache's processes are no longer root
        web = self.web()
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(self.get, "/?slow=1")
            until("a busy process", begun.read_text)
            os.kill(web.pid, number)
            until("a refusal", self.refuses)
            # Whoever stops a container twice does not shorten it.
            os.kill(web.pid, number)
            time.sleep(1)
            self.assertFalse(slow.done(), "the slow request was cut short")
            enough.touch()
            self.assertEqual(slow.result()[:2], (200, "page of /?slow=1 with 256M and 0"))
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

    def refuses(self) -> bool:
        """Whether the port is closed; one that is open and slow does not refuse."""
        try:
            socket.create_connection(("127.0.0.1", self.port), SECONDS).close()
        except OSError as error:
            return isinstance(error, ConnectionRefusedError)
        return False

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
