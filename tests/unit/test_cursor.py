"""The list's cursor."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api import cursor
from chalicelib.errors import BadRequestError
from chalicelib.model.records import Filters, Position, Range, Sort, SortValue

IDS = st.integers(1, 2**63 - 1)
VALUES: dict[str, st.SearchStrategy[SortValue]] = {
    "uploaded_at": st.datetimes(timezones=st.just(UTC)),
    "taken_at": st.datetimes(),
    "name": st.binary(max_size=40),
    "byte_size": st.integers(0, 2**63 - 1),
}


@given(data=st.data(), sort=st.sampled_from(get_args(Sort)), image_id=IDS)
def test_a_cursor_comes_back_as_the_place_it_was_made_of(data: st.DataObject, sort: Sort, image_id: int) -> None:
    position = Position(data.draw(VALUES[sort.removeprefix("-")]), image_id)
    text = cursor.encode(position, "local", Filters(), sort)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert cursor.decode(text, "local", Filters(), sort) == position


@given(
    text=st.one_of(st.text(max_size=80), st.from_regex(r"[A-Za-z0-9_-]{0,80}", fullmatch=True)),
    sort=st.sampled_from(get_args(Sort)),
)
def test_no_text_is_taken_for_a_cursor_or_does_anything_but_refuse(text: str, sort: Sort) -> None:
    with pytest.raises(BadRequestError):
        cursor.decode(text, "local", Filters(), sort)


@given(data=st.data(), image_id=st.one_of(st.integers(max_value=0), st.integers(min_value=2**63)))
def test_an_id_that_no_row_can_have_is_refused(data: st.DataObject, image_id: int) -> None:
    text = cursor.encode(Position(data.draw(VALUES["byte_size"]), image_id), "local", Filters(), "byte_size")
    with pytest.raises(BadRequestError):
        cursor.decode(text, "local", Filters(), "byte_size")


def test_a_cursor_belongs_to_one_owner_one_sort_and_one_set_of_filters() -> None:
    filters = Filters(name="a", ranges={"width": Range(1.0, 2.0)})
    text = cursor.encode(Position(5, 7), "local", filters, "byte_size")
    assert cursor.decode(text, "local", replace(filters, ranges={"width": Range(1.0, 2.0)}), "byte_size").id == 7
    for owner, other, sort in [
        ("another", filters, "byte_size"),
        ("local", replace(filters, name="b"), "byte_size"),
        ("local", replace(filters, ranges={"height": Range(1.0, 2.0)}), "byte_size"),
        ("local", filters, "-byte_size"),
        ("local", filters, "name"),
    ]:
        with pytest.raises(BadRequestError):
            cursor.decode(text, owner, other, sort)  # type: ignore[arg-type] # the sorts above are sorts


def test_a_time_of_the_other_kind_is_refused() -> None:
    naive = cursor.encode(Position(datetime(2024, 1, 1), 1), "local", Filters(), "uploaded_at")
    aware = cursor.encode(Position(datetime(2024, 1, 1, tzinfo=UTC), 1), "local", Filters(), "taken_at")
    for text, sort in ((naive, "uploaded_at"), (aware, "taken_at")):
        with pytest.raises(BadRequestError):
            cursor.decode(text, "local", Filters(), sort)  # type: ignore[arg-type] # the sorts above are sorts
