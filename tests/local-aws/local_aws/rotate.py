"""One rotation of a deployed stack's database password, watched by clients: what `make up` shows at its end.

Three clients look at every moment that matters: a connection that was opened before and is held open, one that signs in
with the old password as a running task would, and one that signs in with the new.
"""

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from local_aws import servers_file
from local_aws.errors import LocalAwsError
from local_aws.service import client

PATIENCE = 300.0
POLL_SECONDS = 0.2
SETTLE_SECONDS = 1.0
"""Of the local AWS: what is seen within it after a label's move is the overlap, for nothing is rolled out before."""
TRIES = 5
"""On a busy machine a look may come later than that, and see what is right then: that is tried again, and fails in the end."""
# MySQL's ER_ACCESS_DENIED_ERROR
DENIED = 1045


@dataclass(frozen=True, repr=False)
class Seen:
    """What the three clients saw at one moment."""

    held: bool
    old: bool
    new: bool

    def __str__(self) -> str:
        def words(good: bool) -> str:
            return "answers" if good else "is refused"

        return f"held connection {words(self.held)}, old password {words(self.old)}, new password {words(self.new)}"


@dataclass(frozen=True, repr=False)
class Rotated:
    """A rotation, and what was seen as soon as its version was current."""

    first: str
    old: dict[str, Any]
    new: dict[str, Any]
    seen: Any
    within: float
    """Seconds in which the label moved and all of it was seen, at most."""

    @property
    def may_be_late(self) -> bool:
        """Whether the overlap may have been over."""
        return self.within >= SETTLE_SECONDS


class Rotation:
    """A secret with a database user, in a stack."""

    def __init__(self, aws: dict[str, str], directory: Path, stack: str) -> None:
        keys = (aws["endpoint"], aws["access_key"], aws["secret_key"])
        self.secrets, self.directory = client("secretsmanager", *keys), directory
        described = client("cloudformation", *keys).describe_stacks(StackName=stack)["Stacks"][0]
        found = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
        self.secret = found["DatabaseSecretArn"]

    def value(self, stage: str = "AWSCURRENT") -> tuple[str, dict[str, Any]]:
        """The version with this label, and what it holds."""
        found = self.secrets.get_secret_value(SecretId=self.secret, VersionStage=stage)
        return found["VersionId"], json.loads(found["SecretString"])

    def labels(self, version: str) -> list[str]:
        """The labels of a version."""
        return self.secrets.describe_secret(SecretId=self.secret)["VersionIdsToStages"].get(version, [])

    def begin(self) -> str:
        """Ask for a rotation; the version that it makes."""
        return self.secrets.rotate_secret(SecretId=self.secret)["VersionId"]

    def rotate(self, look: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Rotated:
        """Rotate, and look with what the old and the new version hold as soon as the new one is current."""
        (first, old), asked = self.value(), time.monotonic()
        second, deadline = self.begin(), time.monotonic() + PATIENCE
        while True:
            before, asked = asked, time.monotonic()
            if "AWSCURRENT" in self.labels(second):
                break
            self._give_up_after(deadline, second, "AWSCURRENT")
        _, new = self.value()
        seen = look(old, new)
        return Rotated(first, old, new, seen, time.monotonic() - before)

    def until_labelled(self, version: str, label: str) -> None:
        """Wait until a version has a label."""
        deadline = time.monotonic() + PATIENCE
        while label not in self.labels(version):
            self._give_up_after(deadline, version, label)

    def _give_up_after(self, deadline: float, version: str, label: str) -> None:
        if time.monotonic() > deadline:
            raise LocalAwsError(
                f"version {version} of {self.secret} has no label {label} after {PATIENCE:.0f} s: look into the logs of "
                "the functions rotate-database and rotation-rollout (docs/secrets.md)"
            )
        time.sleep(POLL_SECONDS)

    @contextlib.contextmanager
    def connected(self, held: dict[str, Any]) -> Iterator[pymysql.Connection]:
        """A connection with what a version holds; the server's certificate is verified."""
        servers = servers_file.read(self.directory).get("mysql", [])
        authorities = [one["ca_file"] for one in servers if one["port"] == int(held["port"])]
        if not authorities:
            raise LocalAwsError(f"no MySQL runs at port {held['port']}: run `python -m local_aws mysql start`")
        connection = pymysql.connect(
            host=held["host"],
            port=int(held["port"]),
            user=held["username"],
            password=held["password"],
            database=held["dbname"],
            ssl=ssl.create_default_context(cafile=authorities[0]),
        )
        try:
            yield connection
        finally:
            connection.close()

    def signs_in(self, held: dict[str, Any]) -> bool:
        """Whether a new connection is let in; any other trouble than a wrong password is raised."""
        try:
            with self.connected(held) as connection:
                return answers(connection)
        except pymysql.err.OperationalError as error:
            if error.args[0] != DENIED:
                raise
            return False

    def look(self, connection: pymysql.Connection, old: dict[str, Any], new: dict[str, Any]) -> Seen:
        """What the three clients see now."""
        return Seen(answers(connection), self.signs_in(old), self.signs_in(new))


def answers(connection: pymysql.Connection) -> bool:
    """Whether a connection that is open still serves its user."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def rotate(aws: dict[str, str], directory: Path, stack: str, say: Callable[[str], None] = print) -> tuple[Seen, Seen]:
    """Rotate the stack's database password, and say what clients saw in the overlap and after it."""
    rotation = Rotation(aws, directory, stack)
    for number in range(TRIES):
        began = time.monotonic()
        with rotation.connected(rotation.value()[1]) as held:
            done = rotation.rotate(lambda old, new, held=held: rotation.look(held, old, new))
            say(f"rotated after {time.monotonic() - began:.1f} s: {done.seen}")
            rotation.until_labelled(done.first, "RETIRED")
            after = rotation.look(held, done.old, done.new)
            say(f"rolled out and retired after {time.monotonic() - began:.1f} s: {after}")
        if (done.seen, after) == (Seen(True, True, True), Seen(True, False, True)):
            return done.seen, after
        if (done.seen, after) != (Seen(True, False, True), Seen(True, False, True)) or not done.may_be_late:
            break
        if number + 1 < TRIES:
            say(f"seen {done.within:.1f} s after the label had moved, which may be after the overlap: once more")
    raise LocalAwsError(
        "the rotation did not go as it should: both passwords are good in the overlap, the old one is not after it"
    )
