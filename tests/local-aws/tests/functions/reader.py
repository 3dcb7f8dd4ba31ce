"""A queue's or a topic's function that does what its messages tell it to; each batch is one line of the file RECORD.

fails     the message is answered as one that failed
lies      the answer names it under another key
raises    the function ends with an error
anything else succeeds
"""

import json
import os
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def main():
    while True:
        with urllib.request.urlopen(f"{RUNTIME}/invocation/next") as event:
            request = event.headers["Lambda-Runtime-Aws-Request-Id"]
            records = json.loads(event.read())["Records"]
        bodies = dict(map(told, records))
        with open(os.environ["RECORD"], "a") as file:
            file.write(json.dumps(sorted(bodies.values())) + "\n")
        if "raises" in bodies.values():
            answer(request, "error", {"errorType": "Told", "errorMessage": "told to"})
            continue
        failed = [{"itemIdentifier": name} for name, body in bodies.items() if body == "fails"]
        failed += [{"identifier": name} for name, body in bodies.items() if body == "lies"]
        answer(request, "response", {"batchItemFailures": failed})


def told(record):
    if "Sns" in record:
        return record["Sns"]["MessageId"], record["Sns"]["Message"]
    return record["messageId"], record["body"]


def answer(request, kind, body):
    urllib.request.urlopen(f"{RUNTIME}/invocation/{request}/{kind}", data=json.dumps(body).encode()).close()


main()
