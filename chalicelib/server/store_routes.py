"""The laptop's store over HTTP: it takes form posts and serves signed URLs as S3 does, errors in XML included.

Files pass through in pieces, either way: what is under way takes no memory, and nothing is read of a file that no ticket
permits, or for an answer that does not hold it.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from chalicelib.api.multipart import open_form
from chalicelib.errors import BadRequestError, PayloadTooLargeError, UnavailableError
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.disk_policy import StoreError
from chalicelib.storage.disk_presign import Grant
from chalicelib.storage.files import OpenFile
from chalicelib.storage.port import ObjectMissing

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
#: Of one field before the file: a policy has some hundred bytes.
_MOST_FIELD_BYTES = 1 << 16
log = logging.getLogger(__name__)

_SERVED = {"Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is `length` bytes, in pieces; there is none to send for HEAD and 304."""

    status: int
    headers: Mapping[str, str]
    length: int = 0
    content: Iterable[bytes] = ()


@contextmanager
def answered(store: DiskStore, method: str, query: str, headers: Mapping[str, str], body: Iterable[bytes]) -> Iterator[Answer]:
    """The store's answer, good until the block ends. The names of `headers` are in lower case; `body` may raise
    `BadRequestError` where it breaks off."""
    with ExitStack() as opened:
        try:
            answer = _answer(store, method, query, headers, body, opened)
        except BadRequestError as problem:
            answer = _error(StoreError(400, "MalformedPOSTRequest", problem.message))
        except PayloadTooLargeError:
            answer = _error(StoreError(400, "EntityTooLarge", "Your proposed upload is too large."))
        except StoreError as refusal:
            answer = _error(refusal)
        except ObjectMissing:
            answer = _error(StoreError(404, "NoSuchKey", "The specified key does not exist."))
        except UnavailableError as problem:
            log.warning("unavailable: %s", problem)
            answer = _error(StoreError(503, "ServiceUnavailable", problem.message))
        yield answer


def _answer(
    store: DiskStore, method: str, query: str, headers: Mapping[str, str], body: Iterable[bytes], opened: ExitStack
) -> Answer:
    if method == "POST":
        return _post(store, headers.get("content-type", ""), body)
    if method == "GET":
        grant = store.presigner.check_get(parse_qsl(query, keep_blank_values=True))
        return _served(grant, opened.enter_context(store.open(grant.key)), headers)
    if method == "OPTIONS":
        raise StoreError(403, "AccessForbidden", "CORSResponse: This CORS request is not allowed.")
    raise StoreError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")


def _post(store: DiskStore, content_type: str, body: Iterable[bytes]) -> Answer:
    fields: list[tuple[str, str]] = []
    parts = open_form(content_type, body)
    for part in parts:
        if part.name == "file":
            store.post(fields, _to_the_end(part.chunks, parts))
            return Answer(204, {})
        fields.append((part.name, _short(part.chunks).decode("utf-8", "replace")))
    raise StoreError(400, "InvalidArgument", "POST requires exactly one file upload per request.")


def _to_the_end(chunks: Iterable[bytes], parts: Iterable[object]) -> Iterator[bytes]:
    """The file; like S3, whatever stands behind it is ignored, but the form must be whole."""
    yield from chunks
    for _ in parts:
        pass


def _short(chunks: Iterable[bytes]) -> bytes:
    value = bytearray()
    for chunk in chunks:
        value += chunk
        if len(value) > _MOST_FIELD_BYTES:
            raise BadRequestError(f"A field before the file has more than {_MOST_FIELD_BYTES:,} bytes.")
    return bytes(value)


def _served(grant: Grant, reading: OpenFile, headers: Mapping[str, str]) -> Answer:
    etag = f'"{reading.etag}"'
    tagged = {**_SERVED, "Cache-Control": grant.cache_control, "ETag": etag}
    if _has_it(headers.get("if-none-match", ""), etag):
        return Answer(304, tagged)
    described = {**tagged, "Content-Type": grant.content_type, "Content-Disposition": grant.content_disposition}
    size = reading.size
    # RFC 9110, section 13.1.5: a range is only of the version that the client has begun with.
    wanted = _range(headers.get("range", ""), size) if headers.get("if-range", etag) == etag else None
    if wanted is None:
        return Answer(200, described, size, reading.chunks())
    first, end = wanted
    if first >= size:
        refusal = _error(StoreError(416, "InvalidRange", "The requested range is not satisfiable"))
        return replace(refusal, headers={**refusal.headers, "Content-Range": f"bytes */{size}"})
    partial = {**described, "Content-Range": f"bytes {first}-{end - 1}/{size}"}
    return Answer(206, partial, end - first, reading.chunks(first, end))


def _has_it(asked: str, etag: str) -> bool:
    """RFC 9110, section 13.1.2: a list of tags, compared weakly, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    return etag in tags or "*" in tags


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """RFC 9110, section 14: the one range that is asked for, from its first byte to before its end. `None` for anything else,
    which is answered whole; a range behind the end begins there."""
    match = _RANGE.fullmatch(asked)
    if match is None or match[1] == match[2] == "" or (match[1] and match[2] and int(match[2]) < int(match[1])):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0) if int(match[2]) else size, size
    return int(match[1]), min(int(match[2]) + 1, size) if match[2] else size


def _error(refusal: StoreError) -> Answer:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
    )
    body = text.encode("utf-8", "replace")
    return Answer(refusal.status, {"Content-Type": "application/xml"}, len(body), [body])
