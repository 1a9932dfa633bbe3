"""Cursors that somebody made up: refused in words, or a place in the list; nothing in one makes a database fail."""

import base64
from contextlib import suppress
from datetime import UTC
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.api import cursor
from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import BadRequestError
from chalicelib.model.records import Filters, Position, Sort
from tests.contract.making import admitted

SORTS: tuple[Sort, ...] = get_args(Sort)
NUMBERS = st.integers() | st.sampled_from(
    [sign * 2**power + off for power in (31, 32, 63, 64) for sign in (1, -1) for off in (-1, 0, 1)]
)
TIMES = st.datetimes() | st.datetimes(timezones=st.timezones() | st.just(UTC))
VALUES = st.one_of(
    NUMBERS.map(str),
    st.sampled_from(["", "-0", "+5", " 7 ", "1_0", "\u0661", "9" * 5000, "-" + "9" * 4000, "nan", "null", "\x00", "\ud800"]),
    TIMES.map(lambda time: time.isoformat()),
    st.sampled_from(["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+14:00", "2026-W01-1"]),
    st.binary(max_size=2000).map(lambda name: base64.b64encode(name).decode()),
    st.text(max_size=30),
)
ANYTHING = st.recursive(st.none() | st.booleans() | NUMBERS | st.floats() | VALUES, lambda inner: st.lists(inner, max_size=4))


def forge(sort: Sort, value: Any, image_id: Any) -> str:
    """A cursor for the list that it is asked of, with any place in it."""
    genuine = cursor.encode(Position(b"", 1), "local", Filters(), sort)
    query = msgspec.json.decode(base64.urlsafe_b64decode(genuine + "=="))[0]
    with suppress(UnicodeEncodeError):
        return _text(msgspec.json.encode([query, value, image_id]))
    return _text(b'["' + query.encode() + b'", "\\ud800", 1]')


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def listing(catalog: Catalog) -> Catalog:
    for number in range(3):
        admitted(catalog, f"file {number}")
    return catalog


@given(sort=st.sampled_from(SORTS), value=VALUES | ANYTHING, image_id=st.integers(1, 9) | NUMBERS | ANYTHING)
@example(sort="byte_size", value=str(-(10**40)), image_id=1)
@example(sort="-byte_size", value=str(10**40), image_id=1)
@example(sort="name", value=base64.b64encode(b"\xff" * 1020).decode(), image_id=2**63 - 1)
@example(sort="-taken_at", value="0001-01-01T00:00:00", image_id=1)
@example(sort="uploaded_at", value="0001-01-01T00:00:00+00:00", image_id=1)
@example(sort="-uploaded_at", value="9999-12-31T23:59:59.999999-14:00", image_id=1)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forged_cursor_is_refused_or_is_a_place_in_the_list(listing: Catalog, sort: Sort, value: Any, image_id: Any) -> None:
    text = forge(sort, value, image_id)
    with suppress(BadRequestError):
        position = cursor.decode(text, "local", Filters(), sort)
        listing.images.page("local", Filters(), sort, 2, position)


def test_the_forger_forges() -> None:
    assert cursor.decode(forge("byte_size", "5", 7), "local", Filters(), "byte_size") == Position(5, 7)
