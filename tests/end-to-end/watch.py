"""Who looks on while secrets rotate: a client that signs in as running tasks would, and a listener to deployments."""

import itertools
import json
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymysql
from local_aws import servers_file
from local_aws.rotate import DENIED, Rotation
from world import STATE, client

A_SECOND = 50
LOOK_SECONDS = 0.1
# So many sign in at the same time at most; when all are busy, the rate falls.
AT_ONCE = 8


class SigningIn:
    """Signs in to MySQL 50 times a second, in turn with what each task of a cluster holds: what the secret held as it began."""

    def __init__(self, secret: Rotation, cluster: str) -> None:
        self.secret, self.cluster = secret, cluster
        self.opened, self.refused, self.seconds = 0, [], 0.0
        # Those that were let in.
        self.passwords: set[str] = set()
        self._held: dict[str, dict[str, Any]] = {}
        self._lock, self._over = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._watch, self._sign_in)]

    def __enter__(self) -> "SigningIn":
        port = int(self.secret.value()[1]["port"])
        [authority] = [one["ca_file"] for one in servers_file.read(STATE.directory)["mysql"] if one["port"] == port]
        self._trust = ssl.create_default_context(cafile=authority)
        self._look()
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _look(self) -> set[str]:
        """See which tasks there are, ending ones too; those that are new hold what is current now."""
        ecs, alive = client("ecs"), set()
        for status in ("RUNNING", "STOPPED"):
            arns = ecs.list_tasks(cluster=self.cluster, desiredStatus=status)["taskArns"]
            found = ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
            alive |= {one["taskArn"] for one in found if one["lastStatus"] != "STOPPED"}
        with self._lock:
            new = alive - set(self._held)
        current = self.secret.value()[1] if new else {}
        with self._lock:
            self._held = {one: self._held.get(one, current) for one in alive}
        return alive

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _sign_in(self) -> None:
        began, room = time.monotonic(), threading.Semaphore(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in itertools.count():
                if self._over.wait(max(0.0, began + number / A_SECOND - time.monotonic())):
                    break
                with self._lock:
                    holders = [*self._held.items()]
                if not holders:
                    continue
                task, held = holders[number % len(holders)]
                room.acquire()
                pool.submit(self._connect, task, held).add_done_callback(lambda _: room.release())
            self.seconds = time.monotonic() - began

    def _connect(self, task: str, held: dict[str, Any]) -> None:
        place = {"host": held["host"], "port": int(held["port"]), "database": held["dbname"]}
        try:
            pymysql.connect(user=held["username"], password=held["password"], ssl=self._trust, **place).close()
            with self._lock:
                self.opened += 1
                self.passwords.add(held["password"])
        except Exception as error:
            # What no task holds any more may be refused.
            is_late = isinstance(error, pymysql.err.OperationalError) and error.args[0] == DENIED
            if not is_late or task in self._look():
                with self._lock:
                    self.refused.append(f"{task}: {error!r}")


class Begun:
    """The deployments that begin in a cluster, as EventBridge tells of them."""

    def __init__(self, cluster_arn: str) -> None:
        self.name = f"begun-{cluster_arn.rsplit('/', 1)[1]}"
        queue = client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        self.queue, self._heard = queue, []
        described = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        pattern = {
            "source": ["aws.ecs"],
            "resources": [{"prefix": cluster_arn.replace(":cluster/", ":service/") + "/"}],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_IN_PROGRESS"]},
        }
        client("events").put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": described["Attributes"]["QueueArn"]}
        client("events").put_targets(Rule=self.name, Targets=[target])

    def close(self) -> None:
        """Listen no more."""
        client("events").remove_targets(Rule=self.name, Ids=["queue"])
        client("events").delete_rule(Name=self.name)
        client("sqs").delete_queue(QueueUrl=self.queue)

    def heard(self) -> list[str]:
        """The services of which one has begun, sorted, once for each."""
        sqs = client("sqs")
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for one in found:
                self._heard += [arn.rsplit("/", 1)[1] for arn in json.loads(one["Body"])["resources"]]
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return sorted(self._heard)

    def forget(self) -> None:
        """Begin to count."""
        self.heard()
        self._heard.clear()
