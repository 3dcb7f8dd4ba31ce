"""A rotation function of the common shape, and whatever else is told to it; the tests' stand-in for the real ones.

Every event is appended to the file RECORD as one line of JSON. The step named in FAILS fails. `Step` of a rotation:

    createSecret   writes a value that nobody had, unless the version has one
    setSecret      does nothing
    testSecret     succeeds
    finishSecret   moves AWSCURRENT
"""

import json
import os
import time
import urllib.request
import uuid

import botocore.session

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def main():
    while True:
        with urllib.request.urlopen(f"{RUNTIME}/invocation/next") as answer:
            request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.loads(answer.read())
        with open(os.environ["RECORD"], "a") as file:
            file.write(json.dumps({"at": time.time(), **event}) + "\n")
        try:
            step(event)
            send(f"{request}/response", {})
        except Exception as error:  # noqa: BLE001 - whatever it was, the step failed
            send(f"{request}/error", {"errorType": "NotRotated", "errorMessage": str(error)})


def step(event):
    name = event.get("Step")
    if name == os.environ.get("FAILS"):
        raise RuntimeError(f"told to fail at {name}")
    secrets = botocore.session.get_session().create_client(
        "secretsmanager", endpoint_url=os.environ["AWS_ENDPOINT_URL"]
    )
    secret, token = event.get("SecretId"), event.get("ClientRequestToken")
    if name == "createSecret":
        stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
        if stages[token] != ["AWSPENDING"]:
            raise RuntimeError(f"the version has {stages[token]}")
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            value = json.dumps({"password": uuid.uuid4().hex})
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString=value, VersionStages=["AWSPENDING"]
            )
    if name == "finishSecret":
        stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
        [current] = [one for one, labels in stages.items() if "AWSCURRENT" in labels]
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )


def send(path, answer):
    urllib.request.urlopen(f"{RUNTIME}/invocation/{path}", data=json.dumps(answer).encode()).close()


main()
