"""The SMTP server of the local AWS, alone, for the tests in Rust: it lets in the keys that it is told of.

Says one line of JSON, where it is and whom it comes from; then reads one command a line and answers each with `ok`:
`{"allow": KEY, "password": PASSWORD}`, `{"deny": KEY}`, or `{"listen": false}` and `{"listen": true}`, which leave the port and
come back to it. Ends with its input.
"""

import json
import sys
import tempfile
from pathlib import Path

from local_aws import certificates
from local_aws.smtp.mailbox import Mailbox
from local_aws.smtp.server import Server


class Keys:
    """Which keys sign in, with which passwords."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}

    def user(self, access_key: str, password: str) -> str | None:
        return "mail" if self.passwords.get(access_key) == password else None

    def refusal(self, *_: object) -> str:
        return "Access denied"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made, keys = certificates.ensure(Path(folder)), Keys()
        server = Server(keys, Mailbox(Path(folder, "mail")), made)
        server.start()
        host, port = server.address
        authorities = {"ca_file": str(made.authority), "wrong_ca_file": str(made.wrong_authority)}
        print(json.dumps({"host": host, "port": port, **authorities}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            if "allow" in command:
                keys.passwords[command["allow"]] = command["password"]
            elif "deny" in command:
                keys.passwords.pop(command["deny"], None)
            elif command["listen"]:
                server = Server(keys, Mailbox(Path(folder, "mail")), made)
                server.port = port
                server.start()
            else:
                server.stop()
            print("ok", flush=True)
        server.stop()


main()
