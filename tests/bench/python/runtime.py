"""Lambda's Runtime API for one handler, as lean as Python allows; and the answer to CloudFormation that such functions send."""

from __future__ import annotations

import http.client
import json
import os
import urllib.parse
from collections.abc import Callable

API = "/2018-06-01/runtime/invocation"


def answer(event: dict, status: str, physical_id: str, data: dict) -> None:
    """PUTs the response, as cfn-response does."""
    url = urllib.parse.urlsplit(event["ResponseURL"])
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": status, "PhysicalResourceId": physical_id, "Data": data, "Reason": "see the log"}
    connection = http.client.HTTPSConnection(url.netloc)
    connection.request("PUT", f"{url.path}?{url.query}", json.dumps(body), {"Content-Type": ""})
    connection.getresponse().read()


def run(handler: Callable[[dict], None]) -> None:
    """Takes events until Lambda freezes the process."""
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{API}/next")
        response = connection.getresponse()
        event, request = json.loads(response.read()), response.headers["Lambda-Runtime-Aws-Request-Id"]
        handler(event)
        connection.request("POST", f"{API}/{request}/response", "null")
        connection.getresponse().read()
