"""The list: which of an owner's images match, in which order, from where on.

Pages go by key, not by offset: the next one starts behind the sort value and id of the last image shown, so it costs what
the first one does.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, Row, Select, and_, bindparam, func, or_, select

from chalicelib.catalog.cells import runs
from chalicelib.catalog.conversion import LISTED_COLUMNS
from chalicelib.catalog.folding import fold, folded
from chalicelib.catalog.tables import images, originals
from chalicelib.model.records import LARGEST_INTEGER, Box, Filters, Position, Range, Sort

_SORT_COLUMNS: dict[str, Column[Any]] = {
    "uploaded_at": images.c.uploaded_at,
    "taken_at": images.c.sort_time,
    "name": images.c.name_key,
    "byte_size": images.c.byte_size,
}
_WHOLE_NUMBERS: dict[str, Column[int] | Column[int | None]] = {
    "width": images.c.width,
    "height": images.c.height,
    "byte_size": images.c.byte_size,
    "iso": images.c.iso,
}
_NUMBERS: dict[str, Column[float | None]] = {
    "f_number": images.c.f_number,
    "exposure_time": images.c.exposure_time,
    "focal_length": images.c.focal_length,
}


def page_query(filters: Filters, sort: Sort, after: Position | None) -> Select[*tuple[Any, ...]]:
    """The images behind `after` that match, with `LISTED_COLUMNS` and the column sorted by, for `page_parameters`."""
    extra = [*_filtered(filters), *_also_sorted_by(sort, filters)]
    return _page_query(sort, after is not None, *extra) if extra else _plain_page_query(sort, after is not None)


def page_parameters(owner: str, limit: int, after: Position | None) -> dict[str, Any]:
    parameters: dict[str, Any] = {"list_owner": owner, "list_limit": limit}
    if after is not None:
        value = min(after.value, LARGEST_INTEGER) if isinstance(after.value, int) else after.value
        parameters |= {"after_value": value, "after_id": min(after.id, LARGEST_INTEGER)}
    return parameters


def position_behind(row: Row[*tuple[Any, ...]], sort: Sort) -> Position:
    """The position just behind a row of `page_query`."""
    return Position(getattr(row, _column(sort).name), row.id)


def _column(sort: Sort) -> Column[Any]:
    return _SORT_COLUMNS[sort.removeprefix("-")]


def _page_query(sort: Sort, continued: bool, *extra: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Finds the images by id first, from an index alone where it can be, and reads only those that are shown."""
    column, descending = _column(sort), sort.startswith("-")
    order = (column.desc(), images.c.id.desc()) if descending else (column, images.c.id)
    found = select(images.c.id).where(images.c.owner == bindparam("list_owner"), *extra)
    if continued:
        found = found.where(_behind(column, descending))
    shown = found.order_by(*order).limit(bindparam("list_limit", type_=Integer)).subquery("shown")
    more = () if column.name in {listed.name for listed in LISTED_COLUMNS} else (column,)
    return (
        select(*LISTED_COLUMNS, *more)
        .select_from(shown)
        .join(images, images.c.id == shown.c.id)
        .join(originals, originals.c.id == images.c.original_id)
        .order_by(*order)
    )


#: Building a statement takes as long as sending it; these few are asked for most.
_plain_page_query = cache(_page_query)


def count_query(owner: str, filters: Filters) -> Select[int]:
    return select(func.count()).select_from(images).where(images.c.owner == owner, *_filtered(filters))


def _filtered(filters: Filters) -> list[ColumnElement[bool]]:
    return [*_times(filters), *_texts(filters), *_ranges(filters), *_places(filters)]


def _also_sorted_by(sort: Sort, filters: Filters) -> Iterator[ColumnElement[bool]]:
    """Where the camera's time is known the list is sorted by it: its bounds narrow that sort's index too."""
    return _taken(images.c.sort_time, filters) if _column(sort) is images.c.sort_time else iter(())


def _behind(column: Column[Any], descending: bool) -> ColumnElement[bool]:
    # Written out, because MySQL and MariaDB use no index for `(a, b) < (x, y)`.
    value, number = bindparam("after_value", type_=column.type), bindparam("after_id", type_=images.c.id.type)
    if descending:
        return and_(column <= value, or_(column < value, images.c.id < number))
    return and_(column >= value, or_(column > value, images.c.id > number))


def _times(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.uploaded_after is not None:
        yield images.c.uploaded_at >= filters.uploaded_after
    if filters.uploaded_before is not None:
        yield images.c.uploaded_at < filters.uploaded_before
    yield from _taken(images.c.taken_at, filters)


def _taken(column: Column[Any], filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.taken_after is not None:
        yield column >= filters.taken_after
    if filters.taken_before is not None:
        yield column < filters.taken_before


def _texts(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.name is not None:
        yield func.instr(images.c.name_key, fold(filters.name)) > 0
    for column, alternatives in (
        (images.c.format_key, filters.format),
        (images.c.camera_make_key, filters.camera_make),
        (images.c.camera_model_key, filters.camera_model),
        (images.c.lens_model_key, filters.lens_model),
    ):
        if alternatives:
            yield column.in_(sorted({folded(text) for text in alternatives}))


def _ranges(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for name, bounds in filters.ranges.items():
        if name in _WHOLE_NUMBERS:
            yield from _between(_WHOLE_NUMBERS[name], _whole(bounds))
        else:
            yield from _between(_NUMBERS[name], bounds)


def _whole(bounds: Range) -> Range:
    """The same range for whole numbers that the database can hold."""
    return Range(
        None if bounds.minimum is None else max(min(math.ceil(bounds.minimum), LARGEST_INTEGER), -LARGEST_INTEGER),
        None if bounds.maximum is None else max(min(math.floor(bounds.maximum), LARGEST_INTEGER), -LARGEST_INTEGER),
    )


def _between(column: Column[Any], bounds: Range) -> Iterator[ColumnElement[bool]]:
    if bounds.minimum is not None:
        yield column >= bounds.minimum
    if bounds.maximum is not None:
        yield column <= bounds.maximum


def _places(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.has_location is not None:
        yield images.c.located == int(filters.has_location)
    if filters.box is not None:
        yield _inside(filters.box)


def _inside(box: Box) -> ColumnElement[bool]:
    beside = or_ if box.west > box.east else and_
    return and_(
        images.c.latitude.between(box.south, box.north),
        beside(images.c.longitude >= box.west, images.c.longitude <= box.east),
        # Only for the index: where it is not used, the many runs are judged last.
        or_(*(images.c.cell.between(first, last) for first, last in runs(box))),
    )
