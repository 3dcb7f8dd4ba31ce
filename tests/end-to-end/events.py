"""Events as CloudFormation sends them, handed to a function directly, and the answers that come back."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stacks import Stack
from world import client


class Sink:
    """A server that takes the answers which S3 would take."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers.setdefault(self.path.split("?")[0], []).append(json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """The tests look at the answers."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self.server.shutdown()
        self.server.server_close()

    def deliver(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the event's function with it and wait; the one answer."""
        path = f"/{uuid.uuid4()}"
        url = f"http://127.0.0.1:{self.server.server_port}{path}?X-Amz-Signature=of-this-test"
        payload = json.dumps({**event, "ResponseURL": url})
        result = client("lambda").invoke(FunctionName=event["ServiceToken"], Payload=payload)
        answers = self.answers.pop(path, [])
        if "FunctionError" in result or len(answers) != 1:
            raise AssertionError(f"{len(answers)} answers, not one: {answers}\n{result['Payload'].read().decode()}")
        return answers[0]


class Resource:
    """A custom resource of a stack that stands, and the events that could be sent for it."""

    def __init__(self, stack: Stack, logical_id: str, function: str, properties: dict[str, Any]) -> None:
        self.stack, self.logical_id = stack, logical_id
        name = stack.physical_id(function)
        self.function = client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
        self.properties = {"ServiceToken": self.function, **properties}
        self.id = stack.physical_id(logical_id)
        self.type = next(one["ResourceType"] for one in stack.events() if one["LogicalResourceId"] == logical_id)

    def event(self, request_type: str, **other: Any) -> dict[str, Any]:
        """One event; `other` replaces members."""
        event = {
            "RequestType": request_type,
            "ServiceToken": self.function,
            "StackId": self.stack.id,
            "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.type,
            "ResourceProperties": self.properties,
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = self.id
        if request_type == "Update":
            event["OldResourceProperties"] = self.properties
        return {**event, **other}
