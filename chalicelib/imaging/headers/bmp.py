"""Reads the header of a BMP."""

import struct
from typing import BinaryIO

from chalicelib.imaging.headers.header import Header, damaged, take, truncated

_FILE_HEADER_BYTES = 14
_CORE_HEADER_BYTES = 12
_WITH_COLOUR_SPACE = (108, 124)
_CALIBRATED = b"\0\0\0\0"
_SRGB_NAMES = (b"BGRs", b" niW")


def read(file: BinaryIO, size: int) -> Header:
    """`size` is that of the file. Raises `BadImageError` where it is too small for its pixels."""
    file.seek(10)
    offset, header_bytes = struct.unpack("<II", take(file, 8, "BMP"))
    rest = take(file, header_bytes - 4, "BMP")
    if header_bytes == _CORE_HEADER_BYTES:
        width, height, _, depth = struct.unpack("<4H", rest[:8])
        compression = 0
    else:
        rest = rest.ljust(120, b"\0")
        width, height, _, depth, compression = struct.unpack("<iiHHI", rest[:16])
    if width <= 0 or height == 0:
        raise damaged("BMP", "its width or height is zero")
    row_bytes = (width * depth + 31) // 32 * 4
    end = offset + row_bytes * abs(height) if compression in {0, 3} else size
    if end > size:
        raise truncated("BMP")
    return Header(format="BMP", width=width, height=abs(height), end=end, faithful=_usual_colours(header_bytes, rest))


def _usual_colours(header_bytes: int, rest: bytes) -> bool:
    """Whether the colours are sRGB as far as the file says: Pillow reads no other colour space from a BMP."""
    if header_bytes not in _WITH_COLOUR_SPACE:
        return True
    space, endpoints = rest[52:56], rest[56:92]
    return space in _SRGB_NAMES or (space == _CALIBRATED and not any(endpoints))
