"""What every view shares: answers as JSON, refusals in the contract's shape, and the request's body and address."""

import logging
from typing import Any

import msgspec
from chalice.app import Request, Response

from chalicelib import runtime
from chalicelib.errors import BadRequestError, RepositoryError

Headers = dict[str, str | list[str]]

#: Answers are about one owner's pictures and may change with the next request: no shared cache may keep them.
_PRIVATE: Headers = {"Cache-Control": "private, no-cache"}
_RETRY_AFTER_SECONDS = "5"

log = logging.getLogger(__name__)


def headers_of(error: RepositoryError) -> Headers:
    """What stands in the head of a refusal beside its body."""
    return {"WWW-Authenticate": "Bearer"} if error.status == 401 else retry_after(error.status)


def retry_after(status: int) -> Headers:
    """When to come again, where the status says that it may help."""
    return {"Retry-After": _RETRY_AFTER_SECONDS} if status == 503 else {}


def cors_headers(allowed: str | None) -> Headers:
    """What lets web pages of the origin `allowed` (`*` for any) read an answer. They send a key: no cookie is at stake."""
    if allowed is None:
        return {}
    return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": "Location, Retry-After"}


def refusal(error: RepositoryError) -> Response:
    if error.status == 503:
        log.warning("unavailable: %s", error)
    return json_answer({"Code": error.code, "Message": error.message}, error.status, headers_of(error))


def json_answer(body: Any, status: int = 200, headers: Headers | None = None) -> Response:
    """`body` is anything msgspec encodes; times come out as RFC 3339."""
    text = msgspec.json.encode(body).decode("utf-8")
    return Response(text, status_code=status, headers={**_PRIVATE, "Content-Type": "application/json", **(headers or {})})


def redirect(url: str) -> Response:
    return Response("", status_code=302, headers={**_PRIVATE, "Location": url, "Content-Type": "text/plain"})


def public_url(request: Request) -> str:
    """The root under which clients reach this repository, without a trailing slash: as set, or as the gateway saw it.

    The gateway's path holds what it puts before ours: the stage, or whatever a domain maps to it.
    """
    configured = runtime.current().public_url
    if configured is not None:
        return configured
    path, resource = request.context["path"].rstrip("/"), request.context["resourcePath"].rstrip("/")
    prefix = path.rsplit("/", resource.count("/"))[0] if resource else path
    return f"https://{request.context['domainName']}{prefix}"


def raw_body(request: Request) -> bytes:
    """Raises `BadRequestError` for a body that cannot be put into bytes (half a surrogate pair in the gateway's event)."""
    try:
        body = request.raw_body
    except ValueError:
        raise BadRequestError("The request body is not valid UTF-8.") from None
    return body if isinstance(body, bytes) else body.encode("utf-8")
