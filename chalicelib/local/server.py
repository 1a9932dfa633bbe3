"""Chalice's development server, made fit to keep real pictures.

`chalice local` builds its server from the name `chalice.local.LocalDevServer`; `adapt` puts the one below in its place.
"""

import json
import logging
import sys
import threading
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

import chalice.local
from chalice.app import Chalice
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    HTTPServerThread,
    LocalDevServer,
    LocalGatewayException,
    NotAuthorizedError,
    ThreadedHTTPServer,
)

from chalicelib import runtime
from chalicelib.api.http import headers_of
from chalicelib.errors import (
    BadRequestError,
    ForbiddenError,
    PayloadTooLargeError,
    RepositoryError,
    UnauthorizedError,
)
from chalicelib.local import startup
from chalicelib.settings import SettingsError

#: What a body may hold beyond the largest file: the other fields of its form.
FORM_ALLOWANCE = 1_000_000
_PIECE = 1 << 20

log = logging.getLogger(__name__)


def adapt() -> None:
    """Have `chalice local` serve with the classes below."""
    chalice.local.LocalDevServer = LocalServer  # type: ignore[misc, assignment] # the only way in that chalice leaves


class RequestHandler(ChaliceRequestHandler):
    """Answers what chalice's own handler would drop, and keeps signed URLs out of the log."""

    #: Header and body are written apart: without this every reply on a kept-open connection waits for an acknowledgement.
    disable_nagle_algorithm = True
    #: A request whose version cannot be read is answered with status and headers, not as in 1991.
    default_request_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 # the base class's form
        """The path without its query, which may be a signature."""
        path = getattr(self, "path", "-")  # a request that cannot be read has none
        log.info("%s %s %s", self.command, path.partition("?")[0], code)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 # the base class's form
        """Its arguments quote the request."""
        log.warning("a request could not be read")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 # as above
        """What http.server would refuse by itself, with pages of its own."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # a method it does not know: the gateway says which there are
            self._generic_handle()
        else:
            self._refuse(BadRequestError(f"The request cannot be read: {message or HTTPStatus(code).phrase}."))

    def _generic_handle(self) -> None:
        length = self.headers.get("content-length", "0")
        if not self._is_for_us():
            self._refuse(
                ForbiddenError(f"This server answers to {runtime.current().public_url}: set PUBLIC_URL to change that.")
            )
        elif self.headers.get("transfer-encoding"):
            self._refuse(BadRequestError("Send the body whole, with its Content-Length."))
        elif not (length.isascii() and length.isdigit() and len(length) < 19):
            self._refuse(BadRequestError("The Content-Length must be a whole number."))
        elif int(length) > runtime.current().settings.max_bytes + FORM_ALLOWANCE:
            self._pass_over(int(length))
            self._refuse_large()
        else:
            self._answer()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815 # http.server's

    def _is_for_us(self) -> bool:
        """A page from elsewhere can have its own host name resolved to this machine, and then reads what it gets."""
        try:
            host = urlsplit(f"//{self.headers.get('host', '')}").hostname
        except ValueError:
            return False
        return host in (None, "127.0.0.1", "localhost", "::1", urlsplit(runtime.current().public_url).hostname)

    def _answer(self) -> None:
        try:
            super()._generic_handle()
        except RepositoryError as error:
            self._refuse(error)  # an authorizer that could not ask the catalog
        except UnicodeEncodeError:
            self._refuse(ForbiddenError("The Authorization header holds characters that no key has."))

    def _pass_over(self, length: int) -> None:
        """Read the body away, so that the client gets to the answer; none of it is kept."""
        while length > 0:
            piece = self.rfile.read(min(length, _PIECE))
            if not piece:
                return
            length -= len(piece)

    def _refuse_large(self) -> None:
        largest = runtime.current().settings.max_bytes
        if self.path.startswith(runtime.STORE_PATH):
            text = "<Error><Code>EntityTooLarge</Code><Message>Your proposed upload is too large.</Message></Error>"
            self._send_http_response(400, {"Content-Type": "application/xml", "Connection": "close"}, text)
        else:
            self._refuse(PayloadTooLargeError(f"The body is too large: files of at most {largest} bytes are taken."))

    def _send_error_response(self, error: LocalGatewayException) -> None:
        """As the deployed API has its gateway answer where there is no key, or one that may not."""
        if isinstance(error, NotAuthorizedError):
            error.headers["WWW-Authenticate"] = "Bearer"
            error.body = _body(UnauthorizedError("Send your key, as in Authorization: Bearer imr_…."))
        elif error.headers.get("x-amzn-ErrorType") == "AccessDeniedException":
            error.body = _body(ForbiddenError("The key is unknown or revoked, or may not do this."))
        super()._send_error_response(error)

    def _refuse(self, error: RepositoryError) -> None:
        self.close_connection = True
        self._send_http_response(error.status, {"Connection": "close", **headers_of(error)}, _body(error))

    def _send_http_response_with_body(self, code: int, headers: dict[str, Any], body: str | bytes) -> None:
        """The answer to HEAD has no body: one would be taken for the next answer on the connection."""
        if self.command == "HEAD":
            self._send_http_response_no_body(code, headers)
        else:
            super()._send_http_response_with_body(code, headers, body)


def _body(error: RepositoryError) -> bytes:
    return json.dumps({"Code": error.code, "Message": error.message}).encode("utf-8")


class _Listener(ThreadedHTTPServer):
    """Room for more clients to knock at once than the five of the standard library, beyond which they are reset."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may leave whenever it likes; only what is our own fault is worth a traceback."""
        if isinstance(sys.exc_info()[1], ConnectionError):
            log.info("a client went away")
        else:
            super().handle_error(request, client_address)


class LocalServer(LocalDevServer):
    """Starts, with the server, all that a laptop needs besides."""

    def __init__(self, app_object: Chalice, config: Config, host: str, port: int) -> None:
        if isinstance(threading.current_thread(), HTTPServerThread):
            _have_decoders_keep_the_checkout_unchanged()
        try:
            super().__init__(app_object, config, host, port, handler_cls=RequestHandler, server_cls=_Listener)
        except OSError as error:
            _give_up(f"The server cannot listen on {host}, port {port}: {error.strerror}. PORT= chooses another port.")

    def serve_forever(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            started = startup.start(f"http://{host}:{self.port}")
        except (SettingsError, RepositoryError) as problem:
            _give_up(str(problem))
        sys.stdout.write(f"The image repository is at {started.public_url}, its pictures are in {started.settings.storage}\n")
        sys.stdout.flush()
        self.server.serve_forever()


def _give_up(problem: str) -> NoReturn:
    """An operator needs the sentence, not the way it came."""
    sys.stderr.write(f"{problem}\n")
    raise SystemExit(1)


def _have_decoders_keep_the_checkout_unchanged() -> None:
    """Under autoreload any change in the checkout restarts the server, and the first upload would write bytecode there."""
    sys.dont_write_bytecode = True
