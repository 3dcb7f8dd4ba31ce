"""What is running, as the files below `.local/` say it."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from local_aws import processes, servers_file

REGION = "eu-central-1"
ACCOUNT = "123456789012"

DEFAULT_STATE = Path(os.environ.get("LOCAL_AWS_STATE") or Path(__file__).resolve().parents[3] / ".local").absolute()
"""Where everything is kept: the repository's ignored directory, unless LOCAL_AWS_STATE names another."""


@dataclass(frozen=True)
class Emulator:
    """The emulator that was started, with the mark of its processes."""

    pid: int
    instance: str
    endpoint: str

    @property
    def is_running(self) -> bool:
        """Whether its process still exists; a process that took over its id does not count."""
        return processes.is_ours(self.pid, self.instance)


@dataclass(frozen=True)
class State:
    """The directory that holds everything which this package writes."""

    directory: Path = DEFAULT_STATE

    @property
    def home(self) -> Path:
        """The emulator's own part of the directory."""
        return self.directory / "aws"

    @property
    def log(self) -> Path:
        """What the emulator prints."""
        return self.home / "emulator.log"

    @property
    def servers(self) -> Path:
        """The addresses for everybody: see `local_aws.servers_file`."""
        return servers_file.path(self.directory)

    def emulator(self) -> Emulator | None:
        """The emulator that was started last, running or not."""
        try:
            return Emulator(**json.loads((self.home / "emulator.json").read_text()))
        except FileNotFoundError:
            return None

    def record(self, emulator: Emulator) -> None:
        """Remember a process from the moment in which it exists."""
        new = self.home / "emulator.json.new"
        new.write_text(json.dumps(asdict(emulator)))
        os.replace(new, self.home / "emulator.json")

    def publish(self, access_key: str, secret_key: str, endpoint: str) -> None:
        """Write the `aws` part of servers.json; the other parts stay as they are."""
        entry = {"endpoint": endpoint, "region": REGION, "account": ACCOUNT}
        servers_file.put(self.directory, "aws", {**entry, "access_key": access_key, "secret_key": secret_key})

    def published(self) -> dict[str, str]:
        """The `aws` part of servers.json; empty while nothing runs."""
        return servers_file.read(self.directory).get("aws", {})

    def forget(self) -> None:
        """Remove the traces of an emulator that has ended; its log stays until the next start."""
        servers_file.remove(self.directory, "aws")
        servers_file.remove(self.directory, "smtp")
        servers_file.remove(self.directory, "site")
        (self.home / "emulator.json").unlink(missing_ok=True)
        shutil.rmtree(self.home / "tmp", ignore_errors=True)
