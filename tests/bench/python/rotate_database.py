"""The common shape of a rotation: boto3 for the four steps, PyMySQL for a second password of the user."""

from __future__ import annotations

import json
import os

import boto3
import pymysql
import runtime


def secret(client, arn: str, **which: str) -> dict:
    """One version's content."""
    return json.loads(client.get_secret_value(SecretId=arn, **which)["SecretString"])


def connect(server: dict, credentials: dict) -> pymysql.Connection:
    return pymysql.connect(
        host=server["host"],
        port=int(server["port"]),
        user=credentials["username"],
        password=credentials["password"],
        ssl={"ca": os.environ["DATABASE_CA_BUNDLE"]},
    )


def create(client, arn: str, token: str) -> None:
    current = secret(client, arn, VersionStage="AWSCURRENT")
    try:
        client.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
    except client.exceptions.ResourceNotFoundException:
        current["password"] = client.get_random_password(PasswordLength=48, ExcludePunctuation=True)["RandomPassword"]
        client.put_secret_value(
            SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(current), VersionStages=["AWSPENDING"]
        )


def install(client, arn: str, token: str) -> None:
    pending = secret(client, arn, VersionId=token, VersionStage="AWSPENDING")
    try:
        connect(pending, pending).close()
        return
    except pymysql.MySQLError:
        pass
    master = secret(client, os.environ["MASTER_SECRET_ARN"])
    with connect(pending, master) as connection, connection.cursor() as cursor:
        statement = "ALTER USER %s@'%%' IDENTIFIED BY %s RETAIN CURRENT PASSWORD"
        cursor.execute(statement, (pending["username"], pending["password"]))


def test(client, arn: str, token: str) -> None:
    pending = secret(client, arn, VersionId=token, VersionStage="AWSPENDING")
    with connect(pending, pending) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT NOW()")


def finish(client, arn: str, token: str, stages: dict) -> None:
    current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
    client.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
    )


def handler(event: dict) -> None:
    client = boto3.client("secretsmanager")
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    described = client.describe_secret(SecretId=arn)
    stages = described["VersionIdsToStages"]
    if not described["RotationEnabled"] or "AWSPENDING" not in stages[token]:
        raise ValueError(f"{arn} is not ready for {step}")
    if step == "finishSecret":
        finish(client, arn, token, stages)
    else:
        {"createSecret": create, "setSecret": install, "testSecret": test}[step](client, arn, token)


runtime.run(handler)
