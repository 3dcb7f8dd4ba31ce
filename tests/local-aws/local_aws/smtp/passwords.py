"""SES's SMTP password of an access key, as AWS describes it: the signing key of Signature Version 4 for a fixed scope."""

import base64
import hashlib
import hmac

VERSION = b"\x04"
SCOPE = ("11111111", "{region}", "ses", "aws4_request", "SendRawEmail")


def password(secret_access_key: str, region: str) -> str:
    """The password that belongs to this secret in this region."""
    key = f"AWS4{secret_access_key}".encode()
    for part in SCOPE:
        key = hmac.new(key, part.format(region=region).encode(), hashlib.sha256).digest()
    return base64.b64encode(VERSION + key).decode()
