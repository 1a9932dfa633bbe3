"""A server on a bare socket that answers what a test scripts: also what no decent server would."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


#: What is sent for a request, byte for byte; after `None`, or bytes that end in `HANG_UP`, the connection is closed.
Answer = Callable[[Request], bytes | None]
HANG_UP = b"\x00hang up"


@dataclass
class Scripted:
    url: str
    requests: list[Request] = field(default_factory=list)


@contextmanager
def scripted(answer: Answer) -> Iterator[Scripted]:
    """Serve until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")
        open_connections: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    open_connections.append(connection)
                    threading.Thread(target=_serve, args=(connection, answer, server.requests), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            # Closing alone does not wake a thread that waits in `accept`.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in open_connections:
                connection.close()


def reply(status: int, body: Any = None, **headers: str) -> bytes:
    """A whole answer; `body` is bytes, or anything that JSON takes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _serve(connection: socket.socket, answer: Answer, requests: list[Request]) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            method, target, _ = line.decode("latin-1").split(" ", 2)
            headers = {}
            while header := stream.readline().strip():
                name, _, value = header.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            request = Request(method, target, headers, stream.read(int(headers.get("content-length", "0"))))
            requests.append(request)
            content = answer(request)
            if content is None:
                return
            connection.sendall(content.removesuffix(HANG_UP))
            if content.endswith(HANG_UP):
                return


@dataclass
class Front:
    """Stands before a real server, which may die and come back elsewhere.

    `at` is called with each request, before it goes on.
    """

    at: Callable[[Request], None]
    port: int = 0

    def __call__(self, request: Request) -> bytes | None:
        self.at(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(request.method, request.target, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            headers = {
                name: value for name, value in answer.getheaders() if name.lower() not in ("content-length", "connection")
            }
            return reply(answer.status, answer.read(), **headers)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
