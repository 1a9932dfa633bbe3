"""The list's query parameters."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api import query
from chalicelib.errors import BadRequestError
from chalicelib.model.records import Box, Filters, Range


def test_no_parameters_restrict_nothing() -> None:
    assert query.list_query({}) == query.ListQuery(Filters(), "-uploaded_at", 50, include_total=False, cursor=None)


def test_every_parameter_ends_up_in_its_filter() -> None:
    given = {
        "uploaded_after": ["2024-05-01T14:00:00+02:00"],
        "uploaded_before": ["2024-06-01"],
        "taken_after": ["2024-05-01 08:30"],
        "taken_before": ["2024-05-01T08:30:00.25"],
        "name": ["beach"],
        "format": ["JPEG", "PNG"],
        "camera_make": ["A"],
        "camera_model": ["B"],
        "lens_model": ["C"],
        "has_location": ["false"],
        "bbox": ["170,-10.5,-170,10"],
        **{f"{name}_min": ["1"] for name in query.RANGES},
        "iso_max": ["3.5"],
    }
    assert query.list_query(given).filters == Filters(
        uploaded_after=datetime(2024, 5, 1, 12, tzinfo=UTC),
        uploaded_before=datetime(2024, 6, 1, tzinfo=UTC),
        taken_after=datetime(2024, 5, 1, 8, 30),
        taken_before=datetime(2024, 5, 1, 8, 30, 0, 250_000),
        name="beach",
        format=("JPEG", "PNG"),
        camera_make=("A",),
        camera_model=("B",),
        lens_model=("C",),
        ranges={**{name: Range(1.0, None) for name in query.RANGES}, "iso": Range(1.0, 3.5)},
        has_location=False,
        box=Box(170.0, -10.5, -170.0, 10.0),
    )
    assert {*given, "limit", "cursor", "sort", "include_total"} >= query.SINGLE - {f"{name}_max" for name in query.RANGES}


@given(st.sampled_from(sorted(query.SINGLE | query.REPEATED)), st.text(max_size=40))
def test_a_text_is_read_or_refused_in_a_sentence_that_names_the_parameter(name: str, text: str) -> None:
    said = refusal_of(query.list_query, {name: [text]})
    assert said is None or name in said


@given(st.sampled_from(["size", "disposition"]), st.text(max_size=40))
def test_what_is_asked_of_one_image_is_read_or_refused_in_a_sentence_that_names_it(name: str, text: str) -> None:
    said = refusal_of({"size": query.thumbnail_size, "disposition": query.disposition}[name], {name: [text]})
    assert said is None or f"'{name}'" in said


def refusal_of(read: Callable[[query.Query], object], parameters: query.Query) -> str | None:
    try:
        read(parameters)
    except BadRequestError as refusal:
        return refusal.message
    return None


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_with_an_offset_is_read_as_the_moment_it_names(moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is None or offset.seconds % 60:
        return
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        with pytest.raises(BadRequestError):
            query.list_query({"uploaded_after": [moment.isoformat()]})
        return
    assert query.list_query({"uploaded_after": [moment.isoformat()]}).filters.uploaded_after == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_python_writes_it(number: float) -> None:
    assert query.list_query({"f_number_min": [repr(number)]}).filters.ranges["f_number"] == Range(number, None)
