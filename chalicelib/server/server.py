"""Chalice's development server, made fit to keep real pictures.

`chalice local` builds its server from the name `chalice.local.LocalDevServer`; `adapt` puts the one below in its place.
"""

import ipaddress
import logging
import sys
import threading
import unicodedata
from typing import Any, NoReturn

import chalice.local
from chalice.app import Chalice
from chalice.config import Config
from chalice.local import HTTPServerThread, LocalDevServer, ThreadedHTTPServer

from chalicelib import settings
from chalicelib.errors import RepositoryError
from chalicelib.server import startup
from chalicelib.server.handler import RequestHandler
from chalicelib.settings import SettingsError

log = logging.getLogger(__name__)


def adapt() -> None:
    """Have `chalice local` serve with the classes below."""
    chalice.local.LocalDevServer = LocalServer  # type: ignore[misc, assignment] # the only way in that chalice leaves


class PlainText(logging.Formatter):
    """Lines that no terminal obeys, whatever a request has put into them."""

    def format(self, record: logging.LogRecord) -> str:
        return "".join(sign if sign in "\n\t" else _shown(sign) for sign in super().format(record))


def _shown(sign: str) -> str:
    obeyed = unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return sign.encode("unicode_escape").decode("ascii") if obeyed else sign


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
        for handler in logging.getLogger().handlers:
            handler.setFormatter(PlainText())
        if _is_open_to_the_network(self.host):
            _give_up(
                f"With AUTH=open everybody who reaches {self.host} may see, add and delete pictures: set AUTH=keys, or listen "
                "on 127.0.0.1, or say OPEN_TO_NETWORK=true."
            )
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            started = startup.start(f"http://{host}:{self.port}")
        except (SettingsError, RepositoryError) as problem:
            _give_up(str(problem))
        sys.stdout.write(f"The image repository is at {started.public_url}, its pictures are in {started.settings.storage}\n")
        sys.stdout.flush()
        self.server.serve_forever()


def _is_open_to_the_network(host: str) -> bool:
    """Whether others than this machine can get in without a key, and nobody has said that they may."""
    wanted = settings.from_env()
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may mean any address
        loopback = False
    return wanted.auth == "open" and not wanted.open_to_network and not loopback


def _give_up(problem: str) -> NoReturn:
    """An operator needs the sentence, not the way it came."""
    sys.stderr.write(f"{problem}\n")
    raise SystemExit(1)


def _have_decoders_keep_the_checkout_unchanged() -> None:
    """Under autoreload any change in the checkout restarts the server, and the first upload would write bytecode there."""
    sys.dont_write_bytecode = True
