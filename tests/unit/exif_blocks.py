"""EXIF blocks tag by tag, of any type and value."""

import struct
from collections.abc import Mapping

Tags = Mapping[int, tuple[int, int, bytes]]


def text(value: str | bytes) -> tuple[int, int, bytes]:
    data = (value.encode() if isinstance(value, str) else value) + b"\0"
    return 2, len(data), data


def shorts(*values: int) -> tuple[int, int, bytes]:
    return 3, len(values), struct.pack(f"<{len(values)}H", *values)


def long(value: int) -> tuple[int, int, bytes]:
    return 4, 1, struct.pack("<I", value)


def fractions(*values: int, signed: bool = False) -> tuple[int, int, bytes]:
    return 10 if signed else 5, len(values) // 2, struct.pack(f"<{len(values)}{'i' if signed else 'I'}", *values)


def block(image: Tags, exif: Tags | None = None, gps: Tags | None = None) -> bytes:
    """An EXIF block of these tags, each (type, count, data)."""
    pointers = {0x8769: exif, 0x8825: gps}
    out = bytearray(b"II*\0\x08\0\0\0")
    image = dict(image) | {tag: long(0) for tag, held in pointers.items() if held is not None}
    places = _directory(out, image)
    for tag, held in pointers.items():
        if held is not None:
            out[places[tag] : places[tag] + 4] = struct.pack("<I", len(out))
            _directory(out, held)
    return bytes(out)


def _directory(out: bytearray, tags: Tags) -> dict[int, int]:
    start = len(out)
    places = {tag: start + 2 + 12 * index + 8 for index, tag in enumerate(tags)}
    out += struct.pack("<H", len(tags)) + bytes(12 * len(tags) + 4)
    for tag, (kind, count, data) in tags.items():
        value = data.ljust(4, b"\0")
        if len(data) > 4:
            value = struct.pack("<I", len(out))
            out += data
        out[places[tag] - 8 : places[tag] + 4] = struct.pack("<HHI", tag, kind, count) + value
    return places
