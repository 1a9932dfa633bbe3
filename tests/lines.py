"""A line to a database server that can be cut, as networks do, at the worst of moments."""

import selectors
import socket
import threading
from contextlib import suppress

from sqlalchemy import URL

_COMMIT = b"\x03COMMIT"


class Line:
    """Listens on a port of its own and passes on what comes to `server`."""

    def __init__(self, server: URL) -> None:
        self._server = (server.host, server.port)
        self._commits_until_cut: int | None = None
        self._refusals = 0
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = server.set(port=self._socket.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def lose_an_answer(self, commits: int, refusals: int) -> None:
        """Let so many commits be answered, lose the answer of the next, and then refuse so many connections."""
        with self._lock:
            self._commits_until_cut, self._refusals = commits, refusals

    @property
    def is_whole_again(self) -> bool:
        """Whether an answer was lost and all those connections were refused; from now on nothing is lost any more."""
        with self._lock:
            was_cut, self._commits_until_cut = self._commits_until_cut is None, None
            return was_cut and self._refusals == 0

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if not self._refuses():
                with socket.create_connection(self._server) as server, selectors.DefaultSelector() as both:
                    both.register(client, selectors.EVENT_READ, server)
                    both.register(server, selectors.EVENT_READ, client)
                    while self._pass_on(both, client):
                        pass

    def _pass_on(self, both: selectors.BaseSelector, client: socket.socket) -> bool:
        for key, _ in both.select():
            source, target = key.fileobj, key.data
            assert isinstance(source, socket.socket)
            data = source.recv(1 << 16)
            if not data:
                return False
            target.sendall(data)
            if source is client and _COMMIT in data and self._loses_the_answer():
                target.recv(1 << 16)  # it is committed now
                return False
        return True

    def _loses_the_answer(self) -> bool:
        with self._lock:
            if self._commits_until_cut is None:
                return False
            self._commits_until_cut -= 1
            if self._commits_until_cut >= 0:
                return False
            self._commits_until_cut = None
            return True

    def _refuses(self) -> bool:
        with self._lock:
            if self._commits_until_cut is not None or not self._refusals:
                return False
            self._refusals -= 1
            return True
