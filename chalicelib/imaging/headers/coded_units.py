"""Walks the units inside a coded HEVC or AV1 picture: which of them make the picture, and which only come along."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.imaging.blocks import Part

#: More pieces than any picture has: a tile is one or a few.
MAX_UNITS = 20_000
#: Messages to the decoder say what brightness or time is meant. A larger one holds something else.
_MOST_MESSAGE_BYTES = 4096
_SLICES, _PARAMETERS, _DELIMITER, _MESSAGES = range(32), {32, 33, 34}, 35, {39, 40}
_SEQUENCE, _TEMPORAL_DELIMITER, _FRAME_HEADER, _TILE_GROUP, _METADATA, _FRAME, _PADDING = 1, 2, 3, 4, 5, 6, 15


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit from `start` to before `end` of the coded data, its length and header included."""

    start: int
    end: int
    part: Part


def hevc_units(data: bytes, length_size: int) -> Iterator[Unit]:
    """Raises `ValueError` where the data end inside of a unit, or one is empty."""
    at, pictures = 0, 0
    while at < len(data):
        start = at + length_size
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data) or end <= start:
            raise ValueError
        kind, first = data[start] >> 1 & 0x3F, end > start + 2 and bool(data[start + 2] & 0x80)
        pictures += kind in _SLICES and first
        layer = (data[start] & 1) << 5 | data[min(start + 1, end - 1)] >> 3
        yield Unit(at, end, _hevc_part(kind, end - start, is_shown=pictures <= 1 and layer == 0))
        at = end


def _hevc_part(kind: int, size: int, is_shown: bool) -> Part:
    if kind in _SLICES or kind in _PARAMETERS:
        return Part.PICTURE if is_shown else Part.MORE
    return (
        Part.METADATA
        if (kind in _MESSAGES and size <= _MOST_MESSAGE_BYTES) or (kind == _DELIMITER and size <= 3)
        else Part.MORE
    )


def av1_units(data: bytes, most_frames: int = 1) -> Iterator[Unit]:
    """A unit that claims to reach beyond the data ends with them, as it does for a decoder.

    A still picture is one frame; of a film's, one that is shown may be made of several.
    """
    at, frames = 0, 0
    while at < len(data):
        start, head = at, data[at]
        kind = head >> 3 & 15
        at += 2 if head & 4 else 1
        size = len(data) - at
        if head & 2:
            size, at = leb128(data, at)
        end = min(at + size, len(data))
        frames += kind in {_FRAME, _FRAME_HEADER}
        yield Unit(start, end, _av1_part(kind, data[at:end], is_shown=frames <= most_frames))
        at = max(end, start + 1)


def _av1_part(kind: int, body: bytes, *, is_shown: bool) -> Part:
    if kind in {_SEQUENCE, _FRAME_HEADER, _TILE_GROUP, _FRAME}:
        return Part.PICTURE if is_shown else Part.MORE
    if kind == _TEMPORAL_DELIMITER and not body:
        return Part.PICTURE
    idle = (kind == _METADATA and len(body) <= _MOST_MESSAGE_BYTES) or (kind in {0, _PADDING} and not any(body))
    return Part.METADATA if idle else Part.MORE


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """The number of AV1's own kind at `at`, and where it ends."""
    value = 0
    for index in range(8):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << 7 * index
        at += 1
        if not data[at - 1] & 0x80:
            break
    return value, at
