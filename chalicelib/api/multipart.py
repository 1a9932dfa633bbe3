"""Forms with files (multipart/form-data, RFC 7578), whole in memory as the gateway hands them over."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from chalicelib.errors import BadRequestError

_MOST_PARTS = 100
#: Of one header: room for a name far too long to keep, so that it can be refused for what it is.
_MOST_HEADER_BYTES = 1 << 16
#: How clients that do not follow RFC 7578 to the letter send a name beyond ASCII (RFC 5987).
_EXTENDED_NAME = re.compile(rb"filename\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


@dataclass(slots=True)
class Part:
    """One field of a form; `file_name` is `None` for a plain value."""

    name: str
    file_name: str | None
    content: bytes


@dataclass(slots=True)
class _Collector:
    """Gathers the parser's callbacks into parts."""

    parts: list[Part] = field(default_factory=list)
    complete: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _content: list[bytes] = field(default_factory=list)

    def on_part_begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            raise BadRequestError(f"The form has more than {_MOST_PARTS} fields.")
        self._disposition = b""
        self._content = []

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def on_part_end(self) -> None:
        name, file_name = _names(self._disposition)
        self.parts.append(Part(name, file_name, b"".join(self._content)))

    def on_end(self) -> None:
        self.complete = True


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of the form, in order. Raises `BadRequestError` for anything that is not one whole form."""
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
            "on_part_data": collector.on_part_data,
            "on_part_end": collector.on_part_end,
            "on_end": collector.on_end,
        },
        max_header_size=_MOST_HEADER_BYTES,
    )
    try:
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise BadRequestError("The form cannot be read: its boundary must be the one that the content type names.") from None
    if not collector.complete:
        raise BadRequestError("The form breaks off: its closing boundary is missing.")
    return collector.parts


def _names(disposition: bytes) -> tuple[str, str | None]:
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in options:
        raise BadRequestError("The form has a part without a field name.")
    file_name = options.get(b"filename")
    extended = _EXTENDED_NAME.search(disposition)
    try:
        name = options[b"name"].decode("utf-8")
        if extended:
            return name, unquote(extended[1].decode("ascii"), errors="strict")
        return name, None if file_name is None else file_name.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequestError("The form has a name that is not valid UTF-8.") from None
