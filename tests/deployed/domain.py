"""A domain of the operator's own that is mapped to the deployed API: it stays where it is, whichever API an update makes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_OF_THE_CONNECTION = {"connection", "content-encoding", "content-length", "host", "transfer-encoding", "keep-alive"}


class Domain(ThreadingHTTPServer):
    """Answers below `url` what is answered below `target()`, the address of an API's stage. `asked` are the paths so far."""

    daemon_threads = True

    def __init__(self, target: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
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
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

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
