"""Query parameters: from text to values, each refusal naming the parameter and what it takes."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar, get_args

from chalicelib.errors import BadRequestError
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.model.records import Box, Filters, Range, Sort

T = TypeVar("T")
Query = Mapping[str, list[str]]

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
LONGEST_TEXT = 255
MOST_CHOICES = 50
SORTS: tuple[Sort, ...] = get_args(Sort)
DEFAULT_SORT: Sort = "-uploaded_at"
CHOICES = ("format", "camera_make", "camera_model", "lens_model")
RANGES = ("width", "height", "byte_size", "iso", "f_number", "exposure_time", "focal_length")
_BOUNDS = tuple(f"{name}_{end}" for name in RANGES for end in ("min", "max"))
_TIMES = ("uploaded_after", "uploaded_before", "taken_after", "taken_before")

#: Every parameter that may be given once, and those that may be repeated.
SINGLE = frozenset({"limit", "cursor", "sort", "name", "has_location", "bbox", "include_total", *_TIMES, *_BOUNDS})
REPEATED = frozenset(CHOICES)

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list is asked for; `cursor` is as the client sent it."""

    filters: Filters
    sort: Sort
    limit: int
    include_total: bool
    cursor: str | None


def list_query(query: Query) -> ListQuery:
    """Raises `BadRequestError` for a value that cannot be read."""
    return ListQuery(
        filters=_filters(query),
        sort=_one(query, "sort", _sort) or DEFAULT_SORT,
        limit=_one(query, "limit", _limit) or DEFAULT_LIMIT,
        include_total=_one(query, "include_total", _boolean) or False,
        cursor=query["cursor"][0] if "cursor" in query else None,
    )


def thumbnail_size(query: Query) -> int:
    """Raises `BadRequestError` for a size that there is not."""
    return _one(query, "size", _thumbnail_size) or THUMBNAIL_SIZES[0]


def disposition(query: Query) -> Literal["inline", "attachment"]:
    """Raises `BadRequestError` for any other word."""
    return _one(query, "disposition", _disposition) or "inline"


def _filters(query: Query) -> Filters:
    return Filters(
        uploaded_after=_one(query, "uploaded_after", _utc_time),
        uploaded_before=_one(query, "uploaded_before", _utc_time),
        taken_after=_one(query, "taken_after", _wall_time),
        taken_before=_one(query, "taken_before", _wall_time),
        name=_one(query, "name", _text),
        format=_many(query, "format"),
        camera_make=_many(query, "camera_make"),
        camera_model=_many(query, "camera_model"),
        lens_model=_many(query, "lens_model"),
        ranges=_ranges(query),
        has_location=_one(query, "has_location", _boolean),
        box=_one(query, "bbox", _box),
    )


def _one(query: Query, name: str, read: Callable[[str], T]) -> T | None:
    if name not in query:
        return None
    try:
        return read(query[name][0])
    except ValueError as problem:
        raise BadRequestError(f"The query parameter {name!r} {problem}") from None


def _many(query: Query, name: str) -> tuple[str, ...]:
    values = query.get(name, [])
    if len(values) > MOST_CHOICES:
        raise BadRequestError(f"The query parameter {name!r} is given {len(values)} times: at most {MOST_CHOICES} are taken.")
    return tuple(_one({name: [value]}, name, _text) or "" for value in values)


def _ranges(query: Query) -> dict[str, Range]:
    bounds = {name: Range(_one(query, f"{name}_min", _number), _one(query, f"{name}_max", _number)) for name in RANGES}
    return {name: bound for name, bound in bounds.items() if bound != Range()}


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= LARGEST_LIMIT):
        raise ValueError(f"takes a whole number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def _one_of(choices: Iterable[T]) -> Callable[[str], T]:
    """Reads the text of one of these."""
    by_text = {str(choice): choice for choice in choices}

    def read(text: str) -> T:
        if text not in by_text:
            raise ValueError(f"takes one of {', '.join(by_text)}.")
        return by_text[text]

    return read


_sort = _one_of(SORTS)
_thumbnail_size = _one_of(THUMBNAIL_SIZES)


def _disposition(text: str) -> Literal["inline", "attachment"]:
    if text == "inline":
        return "inline"
    if text == "attachment":
        return "attachment"
    raise ValueError("takes inline or attachment.")


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("takes true or false.")
    return text == "true"


def _text(text: str) -> str:
    if not 0 < len(text) <= LONGEST_TEXT:
        raise ValueError(f"takes a text of 1 to {LONGEST_TEXT} characters.")
    return text


def _number(text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError("takes a finite number, such as 800 or 0.004.")
    return value


def _utc_time(text: str) -> datetime:
    time, has_offset = _time(text)
    try:
        return time.astimezone(UTC) if has_offset else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999.") from None


def _wall_time(text: str) -> datetime:
    time, has_offset = _time(text)
    if has_offset:
        raise ValueError("is the camera's wall clock: give it without an offset.")
    return time


def _time(text: str) -> tuple[datetime, bool]:
    match = _TIME.fullmatch(text)
    try:
        if match:
            return datetime.fromisoformat(text.upper()), match["offset"] is not None
    except ValueError:
        pass
    raise ValueError("takes a date or time such as 2024-05-31 or 2024-05-31T18:30:00Z (in a URL, + is written %2B).")


def _box(text: str) -> Box:
    parts = text.split(",")
    if len(parts) != 4:
        raise ValueError("takes four numbers: west,south,east,north.")
    west, south, east, north = map(_number, parts)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("takes west,south,east,north in degrees, south not above north.")
    return Box(west, south, east, north)
