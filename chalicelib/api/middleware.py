"""What happens around every view."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from chalice.app import Request, Response

from chalicelib import runtime
from chalicelib.api.http import cors_headers, refusal
from chalicelib.errors import ForbiddenError

log = logging.getLogger(__name__)

_PAGES = ("/", "/docs")

Next = Callable[[Request], Response]


def refuse_strangers(request: Request, get_response: Next) -> Response:
    """Where no key is asked for, let no web page of elsewhere send a request, or tell by the answer which images there are.

    A browser says where a request comes from (https://www.w3.org/TR/fetch-metadata/, RFC 6454). What sends neither header is
    no page. Anybody may link to the pages themselves.
    """
    current = runtime.current()
    if current.settings.auth == "open" and not _is_of_this_origin(request, current.settings.allowed_origin):
        return refusal(ForbiddenError("Web pages of elsewhere may not use this server: ALLOWED_ORIGIN names one that may."))
    response = get_response(request)
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _is_of_this_origin(request: Request, allowed: str | None) -> bool:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None and allowed in ("*", origin):
        return True
    if request.path in _PAGES and request.method in ("GET", "HEAD") and request.headers.get("sec-fetch-mode") == "navigate":
        return True
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def allow_origin(request: Request, get_response: Next) -> Response:
    """Let web pages of the origin that the settings name read the answer."""
    response = get_response(request)
    response.headers.update(cors_headers(runtime.current().settings.allowed_origin))
    return response


def log_request(request: Request, get_response: Next) -> Response:
    """One line for each request. Neither the query nor the headers: they may hold keys and signatures."""
    began = monotonic()
    response = get_response(request)
    fields: dict[str, Any] = {
        "request_id": request.context.get("requestId"),
        "method": request.method,
        "route": request.context.get("resourcePath"),
        "status": response.status_code,
        "duration_ms": round((monotonic() - began) * 1000),
        "owner": (request.context.get("authorizer") or {}).get("owner"),
    }
    log.info("%s %s %d", fields["method"], fields["route"], fields["status"], extra={"fields": fields})
    return response
