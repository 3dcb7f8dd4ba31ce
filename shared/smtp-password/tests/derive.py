"""AWS's algorithm for SMTP passwords with Python's own libraries: what the Rust code is compared with.

Reads lines of JSON, [secret access key, region]; prints a password for each.
"""

import base64
import hashlib
import hmac
import json
import sys


def sign(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).digest()


def password(secret_access_key: str, region: str) -> str:
    signature = sign(("AWS4" + secret_access_key).encode("utf-8"), "11111111")
    signature = sign(signature, region)
    signature = sign(signature, "ses")
    signature = sign(signature, "aws4_request")
    signature = sign(signature, "SendRawEmail")
    return base64.b64encode(bytes([0x04]) + signature).decode("ascii")


# All of it before the first answer: whoever writes here reads only afterwards.
for line in sys.stdin.readlines():
    print(password(*json.loads(line)))
