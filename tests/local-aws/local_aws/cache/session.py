"""A session with a Redis or Valkey server for tests, as a client has it: TLS verified, AUTH, commands and their answers."""

import socket
import ssl
from pathlib import Path
from typing import Any


class Refused(Exception):
    """The server's error."""


class Session:
    """One connection; closed by `with`."""

    def __init__(self, port: int, authority: Path | str | None, host: str = "localhost") -> None:
        plain = socket.create_connection((host, port), timeout=10)
        self.socket = plain
        if authority is not None:
            context = ssl.create_default_context(cafile=authority)
            self.socket = context.wrap_socket(plain, server_hostname=host)
        self.answers = self.socket.makefile("rb")

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.answers.close()
        self.socket.close()

    def __call__(self, *words: str) -> Any:
        """Send a command; its answer, or `Refused`."""
        parts = [word.encode() for word in words]
        request = b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(one), one) for one in parts)])
        self.socket.sendall(request)
        return self._answer()

    def _answer(self) -> Any:
        line = self.answers.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"-":
            raise Refused(rest)
        if kind == b"$":
            return None if rest == "-1" else self.answers.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest
