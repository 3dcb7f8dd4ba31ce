"""The HTTPS server: one port for every site, each with a certificate of its own name."""

import json
import ssl
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_aws.site.authority import Authority

LONGEST_BODY = 1 << 20


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """The body as a form's fields."""
        return dict(urllib.parse.parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON; empty where it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int
    body: str
    kind: str = "text/html; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(status: int, value: Any) -> Answer:
    """An answer of the API."""
    return Answer(status, json.dumps(value), "application/json")


class Server:
    """Serves in threads of its own, on a port that the system chose."""

    def __init__(self, authority: Authority, answer: Callable[[Request], Answer]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
        self._server.daemon_threads = True
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.sni_callback = self._choose
        self._authority = authority
        # In the connection's own thread: a slow handshake holds nobody else up.
        self._server.socket = self._context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Serve until the process ends, or `stop`."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if not name:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._authority.context(name)
        return None


def _handler(answer: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "local-aws", ""
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _serve(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            length = min(int(self.headers.get("Content-Length") or 0), LONGEST_BODY)
            request = Request(
                method=self.command,
                host=(self.headers.get("Host") or "").rsplit(":", 1)[0].lower(),
                path=url.path,
                query=dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            found = answer(request)
            body = found.body.encode()
            self.send_response(found.status)
            for name, value in {"Content-Type": found.kind, **found.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the standard library's naming

        def log_message(self, *_: Any) -> None:
            """The emulator's log is about AWS."""

    return Handler
