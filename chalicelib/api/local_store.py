"""The laptop's store over HTTP: it takes form posts and serves signed URLs as S3 does, errors in XML included."""

import re
from xml.sax.saxutils import escape

from chalice.app import Blueprint, Request, Response

from chalicelib import runtime
from chalicelib.api.http import Headers, raw_body
from chalicelib.api.multipart import Part, parse_form
from chalicelib.errors import BadRequestError, UnavailableError
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.policy import StoreRefusal
from chalicelib.storage.port import ObjectChanged, ObjectMissing

blueprint = Blueprint(__name__)

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
#: A stored object never changes, and its URL is the same for an hour: a browser need not ask twice.
_SERVED: Headers = {"Cache-Control": "private, max-age=3600", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}


@blueprint.route(runtime.STORE_PATH, methods=["POST"], content_types=["multipart/form-data"])
def post_object() -> Response:
    request = blueprint.current_request
    try:
        fields, content = _fields_and_file(parse_form(request.headers.get("content-type", ""), raw_body(request)))
        _store().post(fields, content)
    except BadRequestError as problem:
        return _error(StoreRefusal(400, "MalformedPOSTRequest", problem.message))
    except StoreRefusal as refusal:
        return _error(refusal)
    except UnavailableError as problem:
        return _error(StoreRefusal(503, "ServiceUnavailable", problem.message))
    return Response("", status_code=204)


@blueprint.route(runtime.STORE_PATH, methods=["GET"])
def get_object() -> Response:
    request = blueprint.current_request
    store = _store()
    try:
        grant = store.presigner.check_get(_parameters(request))
        with store.open(grant.key) as reading:
            etag, content = f'"{reading.etag}"', b"".join(reading.chunks())
    except StoreRefusal as refusal:
        return _error(refusal)
    except (ObjectMissing, ObjectChanged):
        return _error(StoreRefusal(404, "NoSuchKey", "The specified key does not exist."))
    except UnavailableError as problem:
        return _error(StoreRefusal(503, "ServiceUnavailable", problem.message))
    headers: Headers = {
        **_SERVED,
        "ETag": etag,
        "Content-Type": grant.content_type,
        "Content-Disposition": grant.content_disposition,
    }
    if _has_it(request.headers.get("if-none-match", ""), etag):
        return Response("", status_code=304, headers=headers)
    return _ranged(request.headers.get("range", ""), content, headers)


def _store() -> DiskStore:
    store = runtime.current().store
    if not isinstance(store, DiskStore):
        raise TypeError("only a folder needs this route: a bucket answers for itself")
    return store


def _fields_and_file(parts: list[Part]) -> tuple[list[tuple[str, str]], bytes]:
    """The fields before the file, and the file; like S3, whatever stands behind the file is ignored."""
    fields: list[tuple[str, str]] = []
    for part in parts:
        if part.name == "file":
            return fields, part.content
        fields.append((part.name, part.content.decode("utf-8", "replace")))
    raise StoreRefusal(400, "InvalidArgument", "POST requires exactly one file upload per request.")


def _parameters(request: Request) -> list[tuple[str, str]]:
    query = request.query_params
    return [(name, value) for name in query for value in query.getlist(name)] if query else []


def _has_it(asked: str, etag: str) -> bool:
    """RFC 9110, section 13.1.2: a list of tags, compared weakly, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    return etag in tags or "*" in tags


def _ranged(asked: str, content: bytes, headers: Headers) -> Response:
    """RFC 9110, section 14: one range is served, anything else that was asked for is answered whole."""
    match = _RANGE.fullmatch(asked)
    if match is None or match[1] == match[2] == "":
        return Response(content, status_code=200, headers=headers)
    size = len(content)
    first = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    last = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if match[1] and match[2] and int(match[2]) < first:
        return Response(content, status_code=200, headers=headers)
    if first >= size:
        refusal = _error(StoreRefusal(416, "InvalidRange", "The requested range is not satisfiable"))
        refusal.headers["Content-Range"] = f"bytes */{size}"
        return refusal
    partial: Headers = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    return Response(content[first : last + 1], status_code=206, headers=partial)


def _error(refusal: StoreRefusal) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
    )
    return Response(body, status_code=refusal.status, headers={"Content-Type": "application/xml"})
