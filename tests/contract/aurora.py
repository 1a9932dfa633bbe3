"""A server that lets in as Aurora does: over TLS, by tokens that it holds against AWS's own library, and then hands on.

Behind it is a MariaDB with the same accounts, without passwords. What is simulated is the login alone: the handshake of MySQL's
protocol asks for `mysql_clear_password`, as Aurora does for accounts with AWSAuthenticationPlugin.
"""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from sqlalchemy import URL

_LONG_PASSWORD, _CONNECT_WITH_DB, _PROTOCOL_41, _SSL, _TRANSACTIONS, _SECURE = 0x1, 0x8, 0x200, 0x800, 0x2000, 0x8000
_MULTI_STATEMENTS, _MULTI_RESULTS, _PLUGIN_AUTH, _PLUGIN_DATA = 0x10000, 0x20000, 0x80000, 0x200000
_OURS = (
    _LONG_PASSWORD | _CONNECT_WITH_DB | _PROTOCOL_41 | _SSL | _TRANSACTIONS | _SECURE | _MULTI_STATEMENTS | _MULTI_RESULTS
) | (_PLUGIN_AUTH | _PLUGIN_DATA)
_UTF8MB4, _AUTOCOMMIT, _ACCESS_DENIED, _SECURE_TRANSPORT = 45, 2, 1045, 3159


@dataclass
class Aurora:
    """Listens on the loopback as `host`, the name in its certificate; `tokens` are those that it was shown."""

    backend: URL
    credentials: Credentials
    region: str
    tls: ssl.SSLContext
    host: str
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def url(self, user: str, host: str | None = None) -> str:
        return f"mysql+pymysql://{user}@{host or self.host}:{self.port}/{self.backend.database}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _attend(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):  # the client does not trust the certificate, or has gone
            self._let_in(plain)

    def _let_in(self, plain: socket.socket) -> None:
        _send(plain, 0, _greeting())
        asked = _receive(plain)
        (flags,) = struct.unpack_from("<I", asked)
        if not flags & _SSL:
            _send(plain, 2, _error(_SECURE_TRANSPORT, "Connections using insecure transport are prohibited"))
            return
        with self.tls.wrap_socket(plain, server_side=True) as client:
            self._log_in(client, flags)

    def _log_in(self, client: ssl.SSLSocket, flags: int) -> None:
        user = _receive(client)[32:].partition(b"\0")[0].decode()
        _send(client, 3, b"\xfemysql_clear_password\0" + bytes(20) + b"\0")
        token = _receive(client).rstrip(b"\0").decode()
        self.tokens.append(token)
        if not self._is_good(token, user):
            _send(client, 5, _error(_ACCESS_DENIED, f"Access denied for user '{user}' (using password: YES)"))
            return
        with socket.create_connection((str(self.backend.host), int(self.backend.port or 0))) as server:
            _receive(server)
            _send(server, 1, _login(flags & ~_SSL & _OURS, user, str(self.backend.database)))
            _send(client, 5, _receive(server))
            _splice(client, server)

    def _is_good(self, token: str, user: str) -> bool:
        """Whether AWS's library makes this signature of what the token says, for this user, this address and this hour."""
        parts = urlsplit(f"https://{token}")
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        signed, _, signature = token.rpartition("&X-Amz-Signature=")
        request = AWSRequest("GET", f"https://{signed}")
        request.context["timestamp"] = said["X-Amz-Date"]
        signer = SigV4QueryAuth(self.credentials, "rds-db", self.region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        age = datetime.now(UTC) - datetime.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        is_young = abs(age.total_seconds()) < int(said["X-Amz-Expires"])
        is_ours = (said["DBUser"], said["Action"], parts.netloc) == (user, "connect", f"{self.host}:{self.port}")
        return is_ours and is_young and signer.signature(text, request) == signature


@contextmanager
def aurora(backend: URL, credentials: Credentials, region: str, tls: ssl.SSLContext, host: str) -> Iterator[Aurora]:
    server = Aurora(backend, credentials, region, tls, host)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _greeting() -> bytes:
    data = b"8.0.39\0" + struct.pack("<I", 1) + b"12345678\0"
    data += struct.pack("<HBHH", _OURS & 0xFFFF, _UTF8MB4, _AUTOCOMMIT, _OURS >> 16)
    return b"\x0a" + data + bytes([21]) + bytes(10) + b"123456789012\0" + b"mysql_native_password\0"


def _login(flags: int, user: str, database: str) -> bytes:
    named = user.encode() + b"\0\0" + database.encode() + b"\0mysql_native_password\0"
    return struct.pack("<IIB", flags, 1 << 24, _UTF8MB4) + bytes(23) + named


def _error(code: int, message: str) -> bytes:
    return b"\xff" + struct.pack("<H", code) + b"#28000" + message.encode()


def _send(to: socket.socket, number: int, payload: bytes) -> None:
    to.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


def _receive(of: socket.socket) -> bytes:
    head = _exactly(of, 4)
    return _exactly(of, int.from_bytes(head[:3], "little"))


def _exactly(of: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = of.recv(size - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


def _splice(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Hand on what either says until one hangs up."""
    while True:
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        for one in ready:
            data = one.recv(1 << 16)
            if not data:
                return
            (server if one is client else client).sendall(data)
