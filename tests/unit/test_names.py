"""The name a file is kept under."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequestError
from chalicelib.services.names import MAX_LENGTH, clean_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("a.jpg", "a.jpg"),
        ("/x/y/a.jpg", "a.jpg"),
        ("C:\\x\\a.jpg", "a.jpg"),
        ("..\\../a", "a"),
        (" a b ", "a b"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_a_name_is_the_last_component_in_nfc(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize(
    "bad", ["", " ", "/", "a/", ".", "..", "a\\..", "a\0", "\n", "a\n", "\x85", "a\u2028", "\ud800", "n" * (MAX_LENGTH + 1)]
)
def test_a_name_that_cannot_be_used_is_refused(bad: str) -> None:
    with pytest.raises(BadRequestError):
        clean_name(bad)


@given(st.text())
def test_what_is_kept_is_a_plain_name_that_is_kept_again_as_it_is(text: str) -> None:
    try:
        name = clean_name(text)
    except BadRequestError:
        return
    assert clean_name(name) == name
    assert 0 < len(name) <= MAX_LENGTH
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\r\n")
    assert unicodedata.is_normalized("NFC", name)
    name.encode("utf-8")
