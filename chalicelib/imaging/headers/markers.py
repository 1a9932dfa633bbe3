"""The markers of a JPEG, one after the other, as decoders find them: what stands between two segments is passed over."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.headers.header import damaged, take, truncated

SOS, EOI = 0xDA, 0xD9
#: What begins the description of a picture.
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
#: What a crafted file may ask of the walk: far above what any camera or encoder writes.
_MAX_SEGMENTS, _MAX_SCANS = 10_000, 200
_MAX_FILLING = 1 << 16
_BLOCK, _FAR, _NEAR = 1 << 20, 1 << 16, 64
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
#: Between segments a marker is FF and anything but zero and another FF.
_NEXT = re.compile(rb"\xff[\x01-\xfe]")
#: In coded data it is none of the restarts either.
_NEXT_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker; `start` is that of the FF in front of it, or of those that fill up to it. `end` is behind its body.

    The coded data that follow a scan's header lie between `end` and `coded_end`, which is `end` for any other.
    """

    marker: int
    start: int
    body: bytes
    end: int
    coded_end: int


def segments(file: BinaryIO, start: int) -> Iterator[Segment]:
    """The segments of the JPEG that begins at `start`, up to the end of its image and with that.

    Raises `BadImageError` where the file ends before, or has more of them than any picture.
    """
    at, scans = start + 2, 0
    for _ in range(_MAX_SEGMENTS):
        file.seek(at)
        marker, found = _pass(file, _NEXT, _NEAR)
        at = at if found > at and _is_filled(file, at, found) else found
        body, end = b"", found + 2
        if marker not in _WITHOUT_LENGTH:
            length = struct.unpack(">H", take(file, 2, "JPEG"))[0]
            if length < 2:
                raise damaged("JPEG", "a segment has no length")
            body = take(file, length - 2, "JPEG")
            end += length
        coded_end = end
        if marker == SOS:
            scans += 1
            if scans > _MAX_SCANS:
                raise damaged("JPEG", f"it has more than {_MAX_SCANS} scans")
            _, coded_end = _pass(file, _NEXT_IN_SCAN, _FAR)
        yield Segment(marker, at, body, end, coded_end)
        if marker == EOI:
            return
        at = coded_end
    raise damaged("JPEG", f"it has more than {_MAX_SEGMENTS:,} segments")


def end_of_jpeg(file: BinaryIO, start: int) -> int | None:
    """Where the JPEG that begins at `start` ends; `None` where it has no end."""
    last = None
    try:
        for segment in segments(file, start):
            last = segment.end
    except BadImageError:
        return None
    return last


def _is_filled(file: BinaryIO, start: int, end: int) -> bool:
    """Whether these are the bytes that may fill up to a marker; the file is left standing behind the marker."""
    file.seek(start)
    between = file.read(min(end - start, _MAX_FILLING))
    file.seek(end + 2)
    return start + len(between) == end and not between.strip(b"\xff")


def _pass(file: BinaryIO, wanted: re.Pattern[bytes], step: int) -> tuple[int, int]:
    """The next marker and where it stands; the file is left standing behind it."""
    carried = b""
    while block := file.read(step):
        window = carried + block
        if found := wanted.search(window):
            at = file.tell() - len(window) + found.start()
            file.seek(at + 2)
            return int(found[0][1]), at
        # In steps that grow: what is read and not used is never much more than what is passed.
        carried, step = window[-1:], min(4 * step, _BLOCK)
    raise truncated("JPEG")
