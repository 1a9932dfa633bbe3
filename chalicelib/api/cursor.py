"""The list's cursor: a place in one owner's list under one set of filters and one sort, opaque to clients."""

import base64
import hashlib
from datetime import UTC, datetime

import msgspec

from chalicelib.errors import BadRequestError
from chalicelib.model.records import LARGEST_INTEGER, Filters, Position, Sort, SortValue

#: A name's key, in bytes.
_LONGEST_NAME = 1020


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    query: bytes
    value: str
    id: int


def encode(position: Position, owner: str, filters: Filters, sort: Sort) -> str:
    cursor = msgspec.json.encode(_Cursor(_digest(owner, filters, sort), _to_text(position.value), position.id))
    return base64.urlsafe_b64encode(cursor).decode("ascii").rstrip("=")


def decode(text: str, owner: str, filters: Filters, sort: Sort) -> Position:
    """Raises `BadRequestError` for a text that is no cursor, or a cursor of another owner, filter or sort."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Cursor)
        value = _from_text(cursor.value, sort)
    except (ValueError, RecursionError, OverflowError):
        raise BadRequestError("The cursor cannot be read: send next_cursor of the page before, unchanged.") from None
    if cursor.query != _digest(owner, filters, sort) or not 0 < cursor.id <= LARGEST_INTEGER:
        raise BadRequestError("The cursor belongs to another list: keep filters and sort the same from page to page.")
    return Position(value, cursor.id)


def _digest(owner: str, filters: Filters, sort: Sort) -> bytes:
    """Ties a cursor to its list. No secret: a position alone shows nothing, and every list is led by its owner anyway."""
    return hashlib.sha256(msgspec.json.encode([owner, filters, sort], order="deterministic")).digest()[:9]


def _to_text(value: SortValue) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def _from_text(text: str, sort: Sort) -> SortValue:
    """Raises `ValueError` where the text is no value of that sort."""
    column = sort.removeprefix("-")
    if column == "name":
        name = base64.b64decode(text, validate=True)
        if len(name) > _LONGEST_NAME:
            raise ValueError("longer than any name")
        return name
    if column == "byte_size":
        size = int(text)
        if not 0 <= size <= LARGEST_INTEGER:
            raise ValueError("no file has that size")
        return size
    value = datetime.fromisoformat(text)
    if (value.tzinfo is None) != (column == "taken_at"):
        raise ValueError("a time of the other kind")
    return value.astimezone(UTC) if value.tzinfo else value
