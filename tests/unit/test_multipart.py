"""Reading forms with files."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.multipart import Part, open_form, parse_form
from chalicelib.errors import BadRequestError
from tests.http.client import FORM, field_part, file_part, form

CONTENT_TYPE = FORM["Content-Type"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=30)


@given(
    st.lists(
        st.tuples(TEXTS.filter(lambda text: not set(text) & set('"\\%')), st.none() | TEXTS, st.binary(max_size=100)),
        max_size=5,
    )
)
def test_a_form_comes_back_as_the_parts_it_was_made_of(parts: list[tuple[str, str | None, bytes]]) -> None:
    made = [field_part(name, content) if file is None else file_part(name, file, content) for name, file, content in parts]
    if any(b"a-boundary-of-the-tests" in content for _, _, content in parts):
        return
    read = parse_form(CONTENT_TYPE, form(made))
    assert [(part.name, part.content) for part in read] == [(name, content) for name, _, content in parts]
    assert [part.file_name is None for part in read] == [file is None for _, file, _ in parts]


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes) -> None:
    for whole in (body, b"--a-boundary-of-the-tests\r\n" + body, form([body])):
        with suppress(BadRequestError):
            parse_form(CONTENT_TYPE, whole)


@given(st.text(max_size=60))
def test_no_content_type_does_anything_but_be_refused(content_type: str) -> None:
    with pytest.raises(BadRequestError):
        parse_form(content_type, form([field_part("a", "b")]))


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_form_that_breaks_off_anywhere_is_refused(content: bytes, data: st.DataObject) -> None:
    whole = form([file_part("image", "a.png", content)])
    kept = data.draw(st.integers(0, len(whole) - len(b"--\r\n") - 1))
    with pytest.raises(BadRequestError):
        parse_form(CONTENT_TYPE, whole[:kept])


def test_a_preamble_and_a_quoted_boundary_are_read() -> None:
    body = form([file_part("image", "a.png", b"bytes")], "a b:c")
    assert parse_form('multipart/form-data; charset=utf-8; boundary="a b:c"', body) == [Part("image", "a.png", b"bytes")]


def test_a_name_that_is_too_long_to_keep_is_still_read_so_that_the_refusal_can_say_so() -> None:
    (part,) = parse_form(CONTENT_TYPE, form([file_part("image", "n" * 10_000, b"content")]))
    assert part == Part("image", "n" * 10_000, b"content")


def part_named(parameters: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="image"; ' + parameters + b"\r\n\r\nbytes"


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (b'filename="a%22b.png"', 'a"b.png'),
        (b'filename="a%0D%0Ab.png"', "a b.png"),
        (b'filename="100%25 %41.png"', "100%25 %41.png"),
        (b"filename*=iso-8859-1''%A3%20rates.png", "£ rates.png"),
        (b"filename*=ISO-8859-1'en'caf%E9.png", "café.png"),
        (b"filename*=UTF-8''caf%C3%A9%2522.png", "café%22.png"),
        ('filename="café.png"'.encode("latin-1"), "café.png"),
        ('filename="café.png"'.encode(), "café.png"),
    ],
)
def test_names_are_taken_as_the_programs_that_there_are_write_them(parameters: bytes, name: str) -> None:
    assert parse_form(CONTENT_TYPE, form([part_named(parameters)])) == [Part("image", name, b"bytes")]


def test_a_name_that_is_not_in_the_encoding_it_names_is_refused() -> None:
    with pytest.raises(BadRequestError, match="file name"):
        parse_form(CONTENT_TYPE, form([part_named(b"filename*=utf-8''caf%E9.png")]))


@given(st.binary(max_size=40).filter(lambda text: b"--" not in text), st.integers(1, 50))
def test_what_stands_before_the_first_boundary_says_nothing_however_it_comes(preamble: bytes, size: int) -> None:
    whole = preamble + b"\n" + form([file_part("image", "a.png", b"bytes")])
    pieces = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
    parts = [(part.name, b"".join(part.chunks)) for part in open_form(CONTENT_TYPE, pieces)]
    assert parts == [("image", b"bytes")]


def test_an_endless_preamble_is_refused_before_it_ends() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024
        raise AssertionError("read on")

    with pytest.raises(BadRequestError):
        list(open_form(CONTENT_TYPE, pieces()))
