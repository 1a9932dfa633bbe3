"""What happens around every view."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from chalice.app import Request, Response

from chalicelib import runtime

log = logging.getLogger(__name__)

Next = Callable[[Request], Response]


def allow_origin(request: Request, get_response: Next) -> Response:
    """Let web pages of the origin that the settings name read the answer; they send a key, so no cookie is at stake."""
    response = get_response(request)
    origin = runtime.current().settings.allowed_origin
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Location, Retry-After"
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
