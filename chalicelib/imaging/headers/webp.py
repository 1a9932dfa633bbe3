"""Walks the chunks of a WebP: the canvas, the frames, EXIF, and whether the file is as long as it says."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, size_of, take, truncated

_RIFF_BYTES = 8
_FIRST_CHUNK = 12
_MAX_CHUNKS = 100_000


@dataclass(slots=True)
class _Found:
    size: tuple[int, int] | None = None
    coded: int = 0
    frames: int = 0
    plays: int = 1
    exif: bytes = b""
    xmp: bytes = b""


def read(file: BinaryIO) -> Header:
    """Raises `BadImageError` where the file is shorter than it says or has no picture."""
    file.seek(4)
    end = _RIFF_BYTES + int.from_bytes(take(file, 4, "WebP"), "little")
    if end > size_of(file):
        raise truncated("WebP")
    found = _walk(file, end)
    if found.size is None or not (found.frames or found.coded):
        raise damaged("WebP", "it holds no picture")
    return Header(
        format="WEBP",
        width=found.size[0],
        height=found.size[1],
        end=end,
        frames=max(found.frames, 1),
        codec_pixels=found.coded,
        exif=found.exif,
        xmp=found.xmp,
        plays=found.plays,
    )


def _walk(file: BinaryIO, end: int) -> _Found:
    found = _Found()
    position = _FIRST_CHUNK
    for _ in range(_MAX_CHUNKS):
        if position + 8 > end:
            return found
        file.seek(position)
        name, length = struct.unpack("<4sI", take(file, 8, "WebP"))
        if position + 8 + length > end:
            raise truncated("WebP")
        _chunk(file, name, length, found)
        position += 8 + length + (length & 1)
    raise damaged("WebP", f"it has more than {_MAX_CHUNKS:,} chunks")


def _chunk(file: BinaryIO, name: bytes, length: int, found: _Found) -> None:
    if name == b"VP8X":
        body = take(file, min(length, 10), "WebP").ljust(10, b"\0")
        found.size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
    elif name in {b"VP8 ", b"VP8L"}:
        size = _coded_size(name, take(file, min(length, 10), "WebP").ljust(10, b"\0"))
        found.size = found.size or size
        found.coded = max(found.coded, size[0] * size[1])
    elif name == b"ANIM":
        found.plays = int.from_bytes(take(file, min(length, 6), "WebP")[4:6], "little")
    elif name == b"ANMF":
        found.frames += 1
    elif name == b"EXIF" and not found.exif:
        if length > MAX_EXIF_BYTES:
            raise damaged("WebP", f"its EXIF is larger than {MAX_EXIF_BYTES:,} bytes")
        found.exif = take(file, length, "WebP").removeprefix(b"Exif\0\0")
    elif name == b"XMP " and not found.xmp and length <= MAX_EXIF_BYTES:
        found.xmp = take(file, length, "WebP")


def _coded_size(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    across, down = struct.unpack("<HH", body[6:10])
    return across & 0x3FFF, down & 0x3FFF
