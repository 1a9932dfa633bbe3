"""Turns the data of one EXIF tag into JSON: text, finite numbers, lists of them, or the length of what is neither."""

import math
import re
from typing import Any

from chalicelib.imaging.ifd import ASCII, BYTE, UNDEFINED, UTF8, Directories, Entry, Number, Numbers

#: Tags whose bytes are text behind eight bytes that name its encoding.
_ENCODED_TEXT = {0x9286, 0x001B, 0x001C}  # UserComment, GPSProcessingMethod, GPSAreaInformation
_UTF16_TEXT = range(0x9C9B, 0x9CA0)  # XPTitle and the other tags of Windows' Explorer
_PLAIN_TEXT = {0x9000, 0xA000, 0x0002}  # ExifVersion, FlashpixVersion, InteropVersion
_SMALL_NUMBERS = {0x9101, 0xA300, 0xA301}  # ComponentsConfiguration, FileSource, SceneType
#: What Shift-JIS has and Latin-1 has not: two Japanese letters side by side, and first bytes that are control codes there.
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}")
_NO_LATIN_LETTER = re.compile(rb"[\x81-\x9f]")
_MAX_TEXT_BYTES = 16 << 10
_MAX_NUMBERS = 64
_MAX_BYTES_LISTED = 16


def json_value(directories: Directories, entry: Entry) -> Any:
    """`None` where nothing can be read. Binary data are `{"bytes": <their length>}`."""
    if _holds_text(entry):
        return text(directories, entry)
    if entry.type == UNDEFINED and entry.tag not in _SMALL_NUMBERS:
        return {"bytes": entry.size}
    if entry.count > (_MAX_BYTES_LISTED if entry.type in {BYTE, UNDEFINED} else _MAX_NUMBERS):
        return {"bytes": entry.size}
    if entry.type == UNDEFINED:
        values: list[Number] = list(directories.data(entry, _MAX_NUMBERS) or b"")
    else:
        found = [finite(value) for value in directories.numbers(entry, _MAX_NUMBERS)]
        values = [value for value in found if value is not None]
        if len(values) < len(found):
            return None
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def text(directories: Directories, entry: Entry) -> str | None:
    """The text of a tag, trimmed, or `None` where it holds none."""
    data = (
        directories.data(Entry(entry.tag, entry.type, entry.count, min(entry.size, _MAX_TEXT_BYTES), entry.at), entry.size)
        or b""
    )
    if entry.tag in _UTF16_TEXT:
        return _trimmed(data.decode("utf-16-le", "replace"))
    if entry.tag in _ENCODED_TEXT and entry.type != ASCII:
        return _trimmed(_encoded_text(data, directories.order))
    return _trimmed(_guessed_text(data))


def finite(value: Number | tuple[int, int]) -> Number | None:
    """A stored number as JSON can hold it; `None` for zero denominators, infinities and what is not a number."""
    if isinstance(value, tuple):
        numerator, denominator = value
        if not denominator:
            return None
        whole, rest = divmod(numerator, denominator)
        return numerator / denominator if rest else whole
    return value if math.isfinite(value) else None


def numbers(directories: Directories, entry: Entry, most: int) -> list[Number | None]:
    """The first numbers of a tag, `None` where one is not finite."""
    found: Numbers = directories.numbers(entry, most)
    return [finite(value) for value in found]


def _holds_text(entry: Entry) -> bool:
    return (
        entry.type in {ASCII, UTF8}
        or (entry.type in {BYTE, UNDEFINED} and entry.tag in _UTF16_TEXT)
        or (entry.type == UNDEFINED and entry.tag in _ENCODED_TEXT)
        or (entry.type == UNDEFINED and entry.tag in _PLAIN_TEXT and entry.size <= _MAX_BYTES_LISTED)
    )


def _encoded_text(data: bytes, order: str) -> str:
    name, content = data[:8], data[8:]
    if name.startswith(b"UNICODE"):
        return _utf16(content, order)
    if name.startswith(b"JIS"):
        return content.decode("iso2022_jp", "replace")
    if name.startswith(b"ASCII") or not name.strip(b"\0 "):
        return _guessed_text(content)
    return _guessed_text(data)


def _guessed_text(data: bytes) -> str:
    """EXIF's text is ASCII by the letter, and in cameras UTF-8, Latin-1 and now and then UTF-16 or Shift-JIS."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or (len(data) >= 4 and data[0] and not any(data[1:8:2])):
        return _utf16(data, "<")
    data = data.partition(b"\0")[0]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _shift_jis(data) or data.decode("latin-1")


def _shift_jis(data: bytes) -> str | None:
    """`None` where the bytes are more likely to be Latin."""
    try:
        found = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    return found if _NO_LATIN_LETTER.search(data) and _JAPANESE.search(found) else None


def _utf16(data: bytes, order: str) -> str:
    """UTF-16 by its mark; without one by where the zeros of Latin letters are, else by the order of the file."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    zeros_first, zeros_second = data[0::2].count(0), data[1::2].count(0)
    little = order == "<" if zeros_first == zeros_second else zeros_second > zeros_first
    return data.decode("utf-16-le" if little else "utf-16-be", "replace")


def _trimmed(value: str) -> str | None:
    value = value.partition("\0")[0]
    return "".join(mark for mark in value if mark.isprintable() or mark in "\n\t").strip() or None
