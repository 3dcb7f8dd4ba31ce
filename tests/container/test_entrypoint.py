"""The entrypoint: what it refuses, what it prepares, what each role but the web starts, and what reaches that."""

import os
import unittest
from pathlib import Path

from mautic import until
from support import CONTAINER
from task import MAIL, SITE, Task


class Settings(Task):
    def refused(self, *words: str, **variables: str) -> str:
        code, out, errors = self.start(*words, **variables)
        self.assertEqual((code, out), (64, ""))
        self.assertEqual(self.mautic.calls(), [])
        return errors

    def test_everything_that_is_missing_is_named_at_once(self):
        given = self.variables()
        for name in ("MAUTIC_SECRET_KEY", "MAUTIC_DB_PASSWORD", "CACHE_HOST", "SMTP_PASSWORD", "TRUSTED_PROXIES"):
            del given[name]
        self.assertEqual(
            self.refused("web", **given),
            "entrypoint: not set: MAUTIC_SECRET_KEY MAUTIC_DB_PASSWORD CACHE_HOST SMTP_PASSWORD TRUSTED_PROXIES. "
            "The task definition sets them; see docs/operations.md.\n",
        )

    def test_where_mail_is_held_no_mail_server_is_needed(self):
        given = {name: value for name, value in self.variables().items() if name not in MAIL}
        code, _, errors = self.start("job", "mautic:import", **given, MAUTIC_MAILER_DSN="null://null")
        self.assertEqual((code, errors), (0, ""))

    def test_only_the_web_has_proxies_before_it(self):
        given = {name: value for name, value in self.variables().items() if name != "TRUSTED_PROXIES"}
        code, _, errors = self.start("job", "mautic:import", **given)
        self.assertEqual((code, errors), (0, ""))
        self.mautic.record.write_text("")
        self.assertIn("entrypoint: not set: TRUSTED_PROXIES. ", self.refused("web", **given))

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
        # Half a copy, of a start that was cut short, is in nobody's way.
        (self.mautic.root / "var/cache/prod.new").mkdir()
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


if __name__ == "__main__":
    unittest.main()
