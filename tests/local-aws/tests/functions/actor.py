"""A custom resource's function that does what its properties tell it to; the tests' stand-in for the real ones.

Every event is appended to the file RECORD as one line of JSON, so that a test sees what CloudFormation sent and when.
`Behaviour` (of the event's ResourceProperties, or `DeleteBehaviour` on Delete):

    succeed   answer SUCCESS with the physical id `Id`, else `actor:<Name>`
    fail      answer FAILED with that id
    stay      answer FAILED to every Update
    exit      end the process with status 3, without an answer
    leave     end it with status 0, without an answer
    abort     be ended by SIGABRT
    kill      be ended by SIGKILL, as the kernel ends a process for its memory
    hang      never answer, never end
    slow      succeed, `Seconds` later
    held      succeed, once the file RECORD with the suffix .go is there
    call      succeed with what the API call `Call` answered, made with the function's own credentials
    tell      succeed with the process's environment
"""

import json
import os
import signal
import time
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def main():
    while True:
        with urllib.request.urlopen(f"{RUNTIME}/invocation/next") as answer:
            request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.loads(answer.read())
        print(json.dumps({"message": "event", "request": request, "type": event.get("RequestType")}), flush=True)
        record(event)
        if "requestPayload" in event:
            respond(event["requestPayload"], "FAILED", "actor:unknown", reason=f"killed: {event['responsePayload']}")
        else:
            act(event)
        urllib.request.urlopen(f"{RUNTIME}/invocation/{request}/response", data=b"{}").close()


def record(event):
    with open(os.environ.get("RECORD", os.devnull), "a") as file:
        kept = {name: value for name, value in event.items() if name != "ServiceToken"}
        file.write(json.dumps({"at": time.time(), "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"], **kept}) + "\n")


def act(event):
    properties = event["ResourceProperties"]
    physical_id = properties.get("Id") or f"actor:{properties.get('Name', '')}"
    behaviour = properties.get("Behaviour", "succeed")
    if event["RequestType"] == "Delete":
        behaviour = properties.get("DeleteBehaviour", "succeed")
        physical_id = event["PhysicalResourceId"]
    data = {"Name": properties.get("Name", "")}
    if behaviour == "exit":
        os._exit(3)
    if behaviour == "leave":
        os._exit(0)
    if behaviour == "abort":
        os.kill(os.getpid(), signal.SIGABRT)
    if behaviour == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "hang":
        time.sleep(3600)
    if behaviour == "slow":
        time.sleep(float(properties["Seconds"]))
    while behaviour == "held" and not os.path.exists(f"{os.environ['RECORD']}.go"):
        time.sleep(0.02)
    if behaviour == "call":
        data["Answer"] = call(properties["Call"])
    if behaviour == "tell":
        data["Environment"] = json.dumps({k: v for k, v in os.environ.items() if "KEY" not in k and "TOKEN" not in k})
    if behaviour == "fail" or (behaviour == "stay" and event["RequestType"] == "Update"):
        respond(event, "FAILED", physical_id, reason="told to fail")
    else:
        respond(event, "SUCCESS", physical_id, data=data)


def call(name):
    import botocore.session

    service, operation, *arguments = name.split(" ", 2)
    client = botocore.session.get_session().create_client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        getattr(client, operation)(**json.loads(arguments[0] if arguments else "{}"))
    except Exception as error:  # noqa: BLE001 - the test reads whatever it was
        return str(error)
    return "allowed"


def respond(event, status, physical_id, reason="", data=None):
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": status, "PhysicalResourceId": physical_id, "Reason": reason, "Data": data or {}}
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    request.add_unredirected_header("Content-Type", "")
    urllib.request.urlopen(request).close()


main()
