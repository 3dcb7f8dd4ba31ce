"""The world of the end-to-end tests: one local AWS and MySQL servers of their own, packages, and a way to speak to them.

Everything lies below `.local/end-to-end`, apart from what `make up` runs: both may run at the same time. It is started at the
first use and stopped when the process ends, also after a failure, Ctrl-C or a termination; nothing else is ever stopped.
"""

import atexit
import contextlib
import fcntl
import functools
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from local_aws import aws_cli, cache, mysql, service
from local_aws.state import REGION, State

ROOT = Path(__file__).resolve().parents[2]
STATE = State(ROOT / ".local" / "end-to-end")
BINARIES = ROOT / "target" / "lambda-local"
BUCKET = "end-to-end"
DIST = STATE.directory / "dist"
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
DRIVER = ROOT / "target" / "debug" / "stack-driver"
AWS_CLI = STATE.directory / "aws-cli" / "aws"

PATIENCE = 300.0
"""Seconds; far over what anything here takes, far under the hour that a lost answer would cost."""

POLL_SECONDS = 0.5
"""Between two looks: with a dozen threads that look, shorter ones keep the emulator busy with answering them."""


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call it once for each arguments; whoever else asks meanwhile waits, and a failure is not repeated but remembered."""
    lock, results = threading.Lock(), {}

    @functools.wraps(function)
    def first(*arguments: Any) -> Any:
        with lock:
            if arguments not in results:
                future = results[arguments] = Future()
                try:
                    future.set_result(function(*arguments))
                except BaseException as error:
                    future.set_exception(error)
        return results[arguments].result()

    return first


# The servers are ended through their process ids: their handles, which never hear of it, would complain at the very end.
warnings.filterwarnings("ignore", "subprocess .* is still running", ResourceWarning)

_children: set[subprocess.Popen] = set()
_cli = contextlib.ExitStack()


class NotBuilt(Exception):
    """Something that `make end-to-end` builds first is missing."""


@dataclass(frozen=True)
class World:
    """The running servers."""

    aws: dict[str, str]
    mysql: list[dict[str, Any]]

    @property
    def environment(self) -> dict[str, str]:
        """What a shell needs to speak to this AWS and to no other."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.aws["endpoint"],
            "AWS_ACCESS_KEY_ID": self.aws["access_key"],
            "AWS_SECRET_ACCESS_KEY": self.aws["secret_key"],
            "AWS_REGION": self.aws["region"],
            "AWS_DEFAULT_REGION": self.aws["region"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_COLOR": "1",
        }


@once
def world() -> World:
    """Start everything at the first use."""
    _take_over()
    atexit.register(stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("end to end: terminated"))
    stop()
    for kind in ("mysql", "cache"):
        for recipe in (ROOT / ".local" / kind).glob("*/recipe"):
            _borrow(recipe.parent)
    _cli.enter_context(aws_cli.served(AWS_CLI.parent))
    with ThreadPoolExecutor() as pool:
        databases = pool.submit(mysql.start, STATE.directory, _say)
        pool.submit(service.start, STATE, _say, AWS_CLI.parent).result()
        servers = databases.result()
    return World(STATE.published(), servers)


def _take_over() -> None:
    """Wait until no other run uses the directory; the kernel lets go of the lock when this process ends."""
    STATE.directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(STATE.directory / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)


def _borrow(home: Path) -> None:
    """Use the servers that were fetched already; their data are our own."""
    own = STATE.directory / home.parent.name / home.name
    own.mkdir(parents=True, exist_ok=True)
    shutil.copy(home / "recipe", own / "recipe")
    if not (own / "prefix").exists():
        (own / "prefix").symlink_to(home / "prefix")


def stop() -> None:
    """End exactly what `world` started; again is nothing."""
    for child in list(_children):
        child.terminate()
    _cli.close()
    service.stop(STATE, _say)
    mysql.stop(STATE.directory, _say)
    cache.stop(STATE.directory, _say)


def _say(text: str) -> None:
    """The tests' own output says what matters."""


@once
def client(name: str) -> Any:
    """A boto3 client with the key of the identity that deploys; one for all threads, for making one takes longer than most calls."""
    aws = world().aws
    return service.client(name, aws["endpoint"], aws["access_key"], aws["secret_key"])


@contextlib.contextmanager
def started(*command: Any, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A command that runs against the local AWS, and ends with this process."""
    words = [str(part) for part in command]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": stderr}
    with subprocess.Popen(words, cwd=ROOT, env=world().environment, text=True, **pipes) as child:
        _children.add(child)
        try:
            yield child
        finally:
            _children.discard(child)


def run(*command: Any, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command against the local AWS; a failure shows all that it printed."""
    words = [str(part) for part in command]
    with started(*words) as child:
        printed, complaints = child.communicate()
    if check and child.returncode != 0:
        raise AssertionError(f"{' '.join(words)} ended with {child.returncode}:\n{printed}{complaints}")
    return subprocess.CompletedProcess(words, child.returncode, printed, complaints)


@once
def packaged() -> Path:
    """The root template as `make package` and the AWS CLI leave it, with everything that it names in the bucket."""
    for program in (DRIVER, BINARIES / "faulty-function" / "bootstrap"):
        if not program.is_file():
            raise NotBuilt(f"{program} is missing: run `make end-to-end`")
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    run(sys.executable, ROOT / "tools" / "stage.py", "--quick", BINARIES, DIST)
    target = DIST / "packaged.yaml"
    arguments = ("--template-file", DIST / "mautic.yaml", "--s3-bucket", BUCKET, "--output-template-file", target)
    run(AWS_CLI, "cloudformation", "package", *arguments)
    return target


@once
def root() -> str:
    """The address of the packaged root template."""
    return published("root.yaml", packaged().read_text())


class _Template(yaml.CSafeLoader):
    """Reads a template's shape; what its functions would give does not matter."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: suffix)


@once
def module(path: str) -> str:
    """The packaged text of a module's template by the names that lead to it, such as `Ses` or `Ses/MailCredentials`."""
    return _text(_key(path))


def address(path: str) -> str:
    """Where CloudFormation finds that text."""
    return f"{client('s3').meta.endpoint_url}/{BUCKET}/{_key(path)}"


def published(name: str, text: str) -> str:
    """Where CloudFormation finds another text."""
    s3 = client("s3")
    s3.put_object(Bucket=BUCKET, Key=name, Body=text.encode())
    return f"{s3.meta.endpoint_url}/{BUCKET}/{name}"


def _key(path: str) -> str:
    key = ""
    for name in path.split("/"):
        key = _shape(key)["Resources"][name]["Properties"]["TemplateURL"].split(f"/{BUCKET}/", 1)[1]
    return key


@once
def _shape(key: str) -> dict[str, Any]:
    """A packaged template, read; the root's key is blank."""
    return yaml.load(_text(key) if key else packaged().read_text(), _Template)


def _text(key: str) -> str:
    return client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def wait_until(what: str, check: Callable[[], Any], story: Callable[[], str] = str, patience: float = PATIENCE) -> Any:
    """The first true value of `check`, which is asked again and again; `story` is told if there is none in time."""
    deadline = time.monotonic() + patience
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:.0f} s\n{story()}")
        time.sleep(POLL_SECONDS)
    return value
