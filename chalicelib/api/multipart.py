"""Forms with files (multipart/form-data, RFC 7578), read part by part as they come."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from chalicelib.errors import BadRequestError

_MOST_PARTS = 100
#: Of one header: room for a name far too long to keep, so that it can be refused for what it is.
_MOST_HEADER_BYTES = 1 << 16
#: How clients that do not follow RFC 7578 to the letter send a name beyond ASCII (RFC 5987).
_EXTENDED_NAME = re.compile(rb"filename\*=(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)
#: What browsers write for the three signs that would end a quoted name, and for nothing else (WHATWG's form encoding).
_QUOTE, _LINE_ENDS = "%22", re.compile(r"(?:%0[AD])+", re.IGNORECASE)
#: Of what may stand before the first boundary, and says nothing (RFC 2046).
_MOST_PREAMBLE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; `file_name` is `None` for a plain value."""

    name: str
    file_name: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenPart:
    """One field of a form that is still coming; what of `chunks` is not read before the next part is lost."""

    name: str
    file_name: str | None
    chunks: Iterator[bytes]


#: A part's `Content-Disposition` as it begins, bytes of its content, `None` as it ends.
_Event = tuple[bytes] | bytes | None


@dataclass(slots=True)
class _Collector:
    """Turns the parser's callbacks into events."""

    events: deque[_Event] = field(default_factory=deque)
    complete: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _parts: int = 0

    def on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise BadRequestError(f"The form has more than {_MOST_PARTS} fields.")
        self._disposition = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def on_headers_finished(self) -> None:
        self.events.append((self._disposition,))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.events.append(data[start:end])

    def on_part_end(self) -> None:
        self.events.append(None)

    def on_end(self) -> None:
        self.complete = True


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of the form, in order. Raises `BadRequestError` for anything that is not one whole form."""
    return [Part(part.name, part.file_name, b"".join(part.chunks)) for part in open_form(content_type, [body])]


def open_form(content_type: str, pieces: Iterable[bytes]) -> Iterator[OpenPart]:
    """The parts of the form as they come, each to be read before the next is asked for. Raises as `parse_form` does, the
    last at its end, where it turns out not to be whole."""
    events = _events(content_type, pieces)
    for event in events:
        if isinstance(event, tuple):
            yield OpenPart(*_names(event[0]), _chunks(events))


def _chunks(events: Iterator[_Event]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, bytes):
            return
        yield event


def _events(content_type: str, pieces: Iterable[bytes]) -> Iterator[_Event]:
    try:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    except UnicodeEncodeError:
        boundary = b""
    if not 0 < len(boundary) <= 70:
        raise BadRequestError("The form's content type names no usable boundary: let the client set it by itself.")
    collector = _Collector()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.on_part_begin,
            "on_header_field": collector.on_header_field,
            "on_header_value": collector.on_header_value,
            "on_header_end": collector.on_header_end,
            "on_headers_finished": collector.on_headers_finished,
            "on_part_data": collector.on_part_data,
            "on_part_end": collector.on_part_end,
            "on_end": collector.on_end,
        },
        max_header_size=_MOST_HEADER_BYTES,
    )
    for piece in _from_first_boundary(b"--" + boundary, pieces):
        try:
            parser.write(piece)
        except (FormParserError, ValueError):
            raise BadRequestError(
                "The form cannot be read: its boundary must be the one that the content type names."
            ) from None
        while collector.events:
            yield collector.events.popleft()
    if not collector.complete:
        raise BadRequestError("The form breaks off: its closing boundary is missing.")


def _from_first_boundary(mark: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces without a preamble; where no boundary comes in time, as they are, for the parser to refuse."""
    pieces, head = iter(pieces), b""
    for piece in pieces:
        head += piece
        begin = head.find(b"\n" + mark) + 1
        if head.startswith(mark):
            yield head
            break
        if begin:
            yield head[begin:]
            break
        if len(head) > _MOST_PREAMBLE_BYTES:
            yield head
            break
    else:
        yield head
    yield from pieces


def _names(disposition: bytes) -> tuple[str, str | None]:
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in options:
        raise BadRequestError("The form has a part without a field name.")
    file_name = options.get(b"filename")
    extended = _EXTENDED_NAME.search(disposition)
    name = _text(options[b"name"])
    if not extended:
        return name, None if file_name is None else _text(file_name)
    try:
        return name, unquote(extended[2].decode("ascii"), extended[1].decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise BadRequestError("The form has a file name (filename*) that is not what it says it is.") from None


def _text(name: bytes) -> str:
    """A name as browsers write it; one that is no UTF-8 comes from a program that knows Latin-1 alone."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = name.decode("latin-1")
    # No name is kept with a line end in it, and the picture is not to be refused for it.
    return _LINE_ENDS.sub(" ", text.replace(_QUOTE, '"'))
