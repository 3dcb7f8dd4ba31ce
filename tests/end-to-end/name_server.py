"""A DNS server that knows one zone, for whoever asks which name servers answer for it."""

import socket
import struct
import threading
from types import TracebackType

NS, IN = 2, 1
AUTHORITATIVE_ANSWER, NO_SUCH_NAME = 0x8580, 0x8583


class NameServer:
    """Answers every question for NS records of the zone, and no other; `address` is where."""

    def __init__(self, zone: str, servers: list[str]) -> None:
        self.zone, self.servers = zone.lower(), servers
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "NameServer":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, sender = self.socket.recvfrom(512)
                self.socket.sendto(self._answer(question), sender)
            except OSError:
                return

    def _answer(self, query: bytes) -> bytes:
        name, end = _name(query, 12)
        question = query[12 : end + 4]
        (kind,) = struct.unpack("!H", query[end : end + 2])
        known = name.lower() == self.zone and kind == NS
        records = [_encoded(one) for one in self.servers] if known else []
        flags = AUTHORITATIVE_ANSWER if known else NO_SUCH_NAME
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        # 0xC00C points back to the name in the question.
        answers = [struct.pack("!HHHIH", 0xC00C, NS, IN, 60, len(data)) + data for data in records]
        return head + question + b"".join(answers)


def _name(message: bytes, start: int) -> tuple[str, int]:
    """The name that stands there, and where it ends."""
    labels, at = [], start
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


def _encoded(name: str) -> bytes:
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
