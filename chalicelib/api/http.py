"""What every view shares: answers as JSON, refusals in the contract's shape, and the request's body and address."""

import functools
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import Request, Response

from chalicelib import runtime
from chalicelib.errors import BadRequestError, RepositoryError

View = Callable[..., Response]
Headers = dict[str, str | list[str]]

#: Answers are about one owner's pictures and may change with the next request: no shared cache may keep them.
_PRIVATE: Headers = {"Cache-Control": "private, no-cache"}
_RETRY_AFTER_SECONDS = "5"

log = logging.getLogger(__name__)


def answering(view: View) -> View:
    """Turn the refusals that a view raises into the contract's answers."""

    @functools.wraps(view)
    def guarded(*args: Any, **captures: Any) -> Response:
        try:
            return view(*args, **captures)
        except RepositoryError as error:
            return refusal(error)

    return guarded


def headers_of(error: RepositoryError) -> Headers:
    """What stands in the head of a refusal beside its body."""
    headers: Headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 503:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return headers


def cors_headers(allowed: str | None) -> Headers:
    """What lets web pages of the origin `allowed` (`*` for any) read an answer. They send a key: no cookie is at stake."""
    if allowed is None:
        return {}
    return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": "Location, Retry-After"}


def refusal(error: RepositoryError) -> Response:
    if error.status == 503:
        log.warning("unavailable: %s", error.message)
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


def query_of(request: Request, single: frozenset[str], repeated: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """The query parameters by name. Raises `BadRequestError` for one that is unknown, or given twice but may not be."""
    parameters = request.query_params
    values = {name: parameters.getlist(name) for name in parameters} if parameters else {}
    for name, given in values.items():
        if name not in single | repeated:
            raise BadRequestError(f"There is no query parameter {name[:50]!r} here: see /openapi.json for those there are.")
        if len(given) > 1 and name in single:
            raise BadRequestError(f"The query parameter {name!r} is given {len(given)} times: give it once.")
    return values
