"""A domain of the operator's own that is mapped to the deployed API: it stays where it is, whichever API an update makes."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

#: From so many bytes on: `MinimumCompressionSize` in infra/template.yaml.
_COMPRESSED = 1024
_OF_THE_CONNECTION = {"connection", "content-encoding", "content-length", "host", "transfer-encoding", "keep-alive"}


@dataclass
class Answer:
    """To one request, as it goes out."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    content: bytes


def _leave(_: Answer) -> None:
    """As it is."""


class Domain(ThreadingHTTPServer):
    """Answers below `url` what is answered below `target()`, the address of an API's stage. `asked` are the paths so far.

    Answers are compressed and wrong methods refused as API Gateway does by the API's definition, and the emulator does not.
    `change` has the last word on each answer.
    """

    daemon_threads = True

    def __init__(self, target: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.change: Callable[[Answer], None] = _leave
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that has left before its answer came is no fault."""


class _Handler(BaseHTTPRequestHandler):
    server: Domain
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = [(name, value) for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION]
        answer = httpx.request(self.command, self.server.target() + self.path, headers=asked, content=body, timeout=120)
        headers = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
        going = Answer(self.command, self.path, answer.status_code, headers, answer.content)
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(going.content) >= _COMPRESSED:
            going.content = gzip.compress(going.content)
            going.headers["content-encoding"] = "gzip"
        if self.command == "PUT" and going.status == 404:
            going.status, going.content = (
                405,
                b'{"Code": "MethodNotAllowedError", "Message": "No such method."}',
            )
        self.server.change(going)
        self.send_response_only(going.status)
        for name, value in going.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(going.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(going.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815 - as the library names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: requests hold keys."""


@contextmanager
def domain(target: Callable[[], str]) -> Iterator[Domain]:
    with Domain(target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
