"""A task of the image as a tree of processes: its folders below one of the test's, a real database and a real cache beside it."""

import contextlib
import os
import signal
import subprocess

from mautic import Mautic
from support import CONTAINER, SECONDS, Cache, MySql, TestCase, environment, servers

ENTRYPOINT = CONTAINER / "bin/entrypoint"
MAIL = {"SMTP_HOST": "smtp.example.org", "SMTP_USERNAME": "user", "SMTP_PASSWORD": "mail-secret"}
SITE = {
    "MAUTIC_SITE_URL": "https://mautic.example.org",
    "MAUTIC_SECRET_KEY": "f" * 64,
    "TRUSTED_PROXIES": "10.0.0.0/16",
}


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
