"""The common shape of a database-initialising custom resource: boto3 for the secret, PyMySQL for the schema."""

from __future__ import annotations

import json
import os

import boto3
import pymysql
import runtime


def handler(event: dict) -> None:
    properties = event["ResourceProperties"]
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=properties["AdminSecretArn"])
    credentials = json.loads(secret["SecretString"])
    connection = pymysql.connect(
        host=properties["Host"],
        port=int(properties["Port"]),
        user=credentials["username"],
        password=credentials["password"],
        ssl={"ca": os.environ["DATABASE_CA_BUNDLE"]},
    )
    name = properties["Name"]
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    runtime.answer(event, "SUCCESS", name, {"Name": name})


runtime.run(handler)
