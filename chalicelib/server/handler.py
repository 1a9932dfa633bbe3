"""One request to the laptop's server: what comes is judged before it is read, and answered in the contract's words.

Chalice's gateway answers for the API; files go to and from the store in pieces, past it.
"""

import io
import json
import logging
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from email import errors
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from chalice.local import ChaliceRequestHandler, LocalGatewayException, NotAuthorizedError
from chalice.local import ForbiddenError as GatewayForbids

from chalicelib import runtime
from chalicelib.api.http import cors_headers, headers_of
from chalicelib.errors import (
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    RepositoryError,
    UnauthorizedError,
    UnavailableError,
)
from chalicelib.local.composition import STORE_PATH
from chalicelib.server import cors, store_routes
from chalicelib.server.bodies import Body, TimedSocket
from chalicelib.storage import files
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.port import ObjectChanged

#: What a body may hold beyond the largest file: the other fields of its form.
FORM_ALLOWANCE = 1_000_000
#: A question about a hundred files has some tens of kilobytes.
_MOST_JSON_BYTES = 1_000_000
_WITH_FILES = {STORE_PATH, "/image/upload"}
#: How long a connection may be idle, and how long the head of a request may take; a send that gets nowhere; and how long a
#: client that is still sending is listened to after its answer, which it would not see otherwise.
_HEAD_SECONDS, _SEND_SECONDS, _LINGER_SECONDS = 75.0, 60.0, 10.0
_PIECE = 1 << 16
#: What the parser of headers misses of the body of a form, which it is never given.
_OF_BODIES = (
    errors.NoBoundaryInMultipartDefect,
    errors.StartBoundaryNotFoundDefect,
    errors.CloseBoundaryNotFoundDefect,
    errors.MultipartInvariantViolationDefect,
)
#: What is held in memory of a body that is still coming.
_SPOOLED_BYTES = 1 << 20

log = logging.getLogger(__name__)


class RequestHandler(ChaliceRequestHandler):
    """Answers what chalice's own handler would drop, and keeps signed URLs out of the log."""

    #: Header and body are written apart: without this every reply on a kept-open connection waits for an acknowledgement.
    disable_nagle_algorithm = True
    #: A request whose version cannot be read is answered with status and headers, not as in 1991.
    default_request_version = "HTTP/1.1"
    timeout = _SEND_SECONDS

    def setup(self) -> None:
        super().setup()
        self._clock = TimedSocket(self.connection, _SEND_SECONDS)
        self.rfile = io.BufferedReader(self._clock)
        self._payload: bytes | None = None

    def handle_one_request(self) -> None:
        self._clock.deadline = time.monotonic() + _HEAD_SECONDS
        super().handle_one_request()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 # the base class's form
        """The path without its query, which may be a signature."""
        path = getattr(self, "path", "-")  # a request that cannot be read has none
        log.info("%s %s %s", self.command, path.partition("?")[0], code)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 # the base class's form
        """Its arguments quote the request. That a connection was idle for long is nothing to tell of."""
        if not (args and isinstance(args[0], TimeoutError)):
            log.warning("a request could not be read")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 # as above
        """What http.server would refuse by itself, with pages of its own."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # a method it does not know: the gateway says which there are
            self._generic_handle()
        else:
            self._refuse(BadRequestError(f"The request cannot be read: {message or HTTPStatus(code).phrase}."))

    def handle_expect_100(self) -> bool:
        """The body is not asked for before the request has been judged by its head."""
        return True

    def _generic_handle(self) -> None:
        body = None
        try:
            self._check_head()
            with_file = self._path in _WITH_FILES
            largest = runtime.current().settings.max_bytes + FORM_ALLOWANCE if with_file else _MOST_JSON_BYTES
            body = Body(self.headers, self.rfile, self._clock, largest)
            self._answer(body)
        except RepositoryError as error:
            self._refuse(error)
        except UnicodeEncodeError:
            self._refuse(self._no_entry())
        if body is None or not body.finished:
            self._linger()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815 # http.server's

    @property
    def _path(self) -> str:
        return str(self.path).partition("?")[0]

    def _check_head(self) -> None:
        """Raises `BadRequestError` for a head that another server could read in another way, `ForbiddenError` for one that is
        meant for another server: a page from elsewhere can have its own host name resolved to this machine, and then reads
        what it gets."""
        strange = any(not isinstance(defect, _OF_BODIES) for defect in self.headers.defects)
        if strange or any(sign in value for value in self.headers.values() for sign in "\r\n\0"):
            raise BadRequestError("The request's head has a line that is no header.")
        ours = urlsplit(runtime.current().public_url or "").hostname
        try:
            host = urlsplit(f"//{self.headers.get('host', '')}").hostname
        except ValueError:
            host = ""
        if host not in (None, "127.0.0.1", "localhost", "::1", ours):
            raise ForbiddenError(f"This server answers to {runtime.current().public_url}: set PUBLIC_URL to change that.")

    def _answer(self, body: Body) -> None:
        store = runtime.current().store
        if self._path == STORE_PATH and isinstance(store, DiskStore):
            self._answer_for(store, body)
            return
        if not body.finished:
            self._check_key()
        self._payload = self._received(body)
        try:
            super()._generic_handle()
        finally:
            self._payload = None

    def _check_key(self) -> None:
        """Nobody has a body read whose key may not send one. The gateway looks at the key again, before the view runs."""
        current = runtime.current()
        if current.settings.auth == "keys":
            api_key = current.access.bearer(self.headers.get("authorization", ""))
            if api_key is None or "write" not in api_key.scopes:
                raise self._no_entry()

    def _received(self, body: Body) -> bytes | None:
        """The whole body. While it is coming it lies in a file without a name: clients that are slow take no memory."""
        if body.finished:
            return None
        with files.answering():
            folder = runtime.current().workspace.folder
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES, dir=str(folder)) as file:
            for piece in self._pieces(body):
                with files.answering():
                    file.write(piece)
            file.seek(0)
            return file.read()

    def _pieces(self, body: Body) -> Iterator[bytes]:
        body.check()
        if self.headers.get("expect", "").lower() == "100-continue" and not body.finished:
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
        yield from body

    def _parse_payload(self) -> tuple[dict[str, str], bytes | None]:
        """What chalice hands to its gateway."""
        return dict(self.headers), self._payload

    def _answer_for(self, store: DiskStore, body: Body) -> None:
        query = self.path.partition("?")[2]
        headers = {name.lower(): value for name, value in self.headers.items()}
        allowed = runtime.current().settings.allowed_origin
        if self.command == "OPTIONS" and (granted := cors.of_store_preflight(allowed, headers)):
            self._send_http_response_no_body(HTTPStatus.OK, granted)
            return
        with store_routes.answered(store, self.command, query, headers, self._pieces(body)) as answer:
            self.send_response(answer.status)
            for name, value in {**answer.headers, **cors.of_store(allowed, self.command, headers)}.items():
                self.send_header(name, value)
            if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
                self.send_header("Content-Length", str(answer.length))
            if not body.finished:
                self.close_connection = True
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self._send(answer)

    def _send(self, answer: store_routes.Answer) -> None:
        try:
            for piece in answer.content:
                view = memoryview(piece)
                for at in range(0, len(view), _PIECE):
                    self.wfile.write(view[at : at + _PIECE])
        except (UnavailableError, ObjectChanged):
            log.warning("a file could not be read to its end")
            self.close_connection = True

    def _send_error_response(self, error: LocalGatewayException) -> None:
        """As the deployed API has its gateway answer where there is no key, or one that may not, or no such path."""
        if isinstance(error, NotAuthorizedError) or error.headers.get("x-amzn-ErrorType") == "AccessDeniedException":
            raise self._no_entry()
        if isinstance(error, GatewayForbids):
            raise NotFoundError("There is nothing under this path: see /openapi.json for what there is.")
        super()._send_error_response(error)

    def _no_entry(self) -> RepositoryError:
        if runtime.current().access.bears_key(self.headers.get("authorization", "")):
            return ForbiddenError("The key is unknown or revoked, or may not do this.")
        return UnauthorizedError("A whole key is needed, as in Authorization: Bearer imr_….")

    def _refuse(self, error: RepositoryError) -> None:
        self.close_connection = True
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            log.warning("unavailable: %s", error)
        body = json.dumps({"Code": error.code, "Message": error.message}).encode("utf-8")
        self._send_http_response(error.status, {"Connection": "close", **headers_of(error)}, body)

    def _linger(self) -> None:
        """Read on for a while, and keep none of it: a connection that is closed while its client sends is reset, and the
        answer lost on the way."""
        self.close_connection = True
        self._clock.deadline = time.monotonic() + _LINGER_SECONDS
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(_PIECE):
                pass

    def _send_http_response(self, code: int, headers: dict[str, Any], body: str | bytes | None) -> None:
        """What the views and the gateway answer, this class's own refusals included."""
        allowed = runtime.current().settings.allowed_origin
        ours = cors.of_api_preflight(allowed) if self.command == "OPTIONS" else cors_headers(allowed)
        super()._send_http_response(code, {**headers, **ours}, body)

    def _send_http_response_with_body(self, code: int, headers: dict[str, Any], body: str | bytes) -> None:
        """The answer to HEAD tells of the body and leaves it out: one would be taken for the next answer on the connection.

        A 304 is about a body that the client has, and says nothing of its length.
        """
        if code == HTTPStatus.NOT_MODIFIED:
            self.send_response(code)
            self._send_headers(headers)
        elif self.command == "HEAD":
            length = len(body if isinstance(body, bytes) else body.encode("utf-8"))
            self.send_response(code)
            self._send_headers({"Content-Type": "application/json", **headers, "Content-Length": str(length)})
        else:
            super()._send_http_response_with_body(code, headers, body)
