"""Names what stands behind the end of a JPEG: its own smaller copies, a camera's notes, and whatever else is known."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.blocks import Block, Part, account, more
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers import samsung
from chalicelib.imaging.headers.jpeg_names import Names
from chalicelib.imaging.headers.markers import FRAMES, segments
from chalicelib.imaging.ifd import Directories

_ENTRIES_TAG, _ENTRY_BYTES, _MOST_ENTRIES = 0xB002, 16, 100
_KIND_BITS, _THUMBNAILS = 0xFFFFFF, {0x010001, 0x010002}
_MAX_THUMBNAIL = 1920 * 1440
_PURPOSES = {
    "gain map": (b"hdrgm:GainMapM", b"urn:iso:std:iso:ts:21496:-1", b"aux:hdrgainmap"),
    "depth": (b"aux:depth", b"aux:disparity", b"GDepth:"),
}
_LOOKED_AT = 1 << 16


class Behind:
    """What one file's index announces, and what there is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._thumbnails: list[tuple[int, int]] = []

    def announced(self, index: BinaryIO, at: int) -> None:
        """`index` is a multi-picture index that stands at `at` in the file."""
        try:
            directories = Directories(index)
            entry = directories.read(directories.first)[0].get(_ENTRIES_TAG)
            data = directories.data(entry, _MOST_ENTRIES * _ENTRY_BYTES) if entry else None
        except (ValueError, struct.error):
            return
        whole = (data or b"")[: len(data or b"") // _ENTRY_BYTES * _ENTRY_BYTES]
        for kind, size, offset, _ in struct.iter_unpack(directories.order + "IIII", whole):
            if offset and kind & _KIND_BITS in _THUMBNAILS:
                self._thumbnails.append((at + offset, at + offset + size))

    def blocks(self, end: int, size: int, shown: tuple[int, int]) -> Iterator[Block]:
        """`end` is the picture's, `size` the file's, `shown` how large the picture is. The rest is left out."""
        found = samsung.trailer(self._file, end, size)
        for start, until in self._thumbnails:
            if end <= start < until <= size and _is_thumbnail(self._file, start, until, shown):
                found.append(Block("thumbnail", start, until, Part.METADATA))
        at = end
        for block in sorted(found, key=lambda block: block.start):
            yield from self._pieces(at, block.start)
            yield block
            at = max(at, block.end)
        yield from self._pieces(at, size)

    def _pieces(self, start: int, end: int) -> Iterator[Block]:
        for piece in pieces(self._file, start, end):
            yield _told(self._file, piece) if piece.content_type == "image/jpeg" else piece


def _is_thumbnail(file: BinaryIO, start: int, end: int, shown: tuple[int, int]) -> bool:
    """Whether these bytes are a plain JPEG that is smaller than the picture, and nothing else."""
    names, width, height, at = Names(), 0, 0, start
    blocks = [Block("before", 0, start, Part.METADATA), Block("SOI", start, start + 2, Part.PICTURE)]
    try:
        for segment in segments(file, start):
            blocks += names.name(segment)
            at = segment.end
            if segment.marker in FRAMES:
                height, width = struct.unpack(">HH", segment.body[1:5])
    except (BadImageError, struct.error):
        return False
    small = 0 < width * height <= _MAX_THUMBNAIL and width < shown[0] and height < shown[1]
    return small and at <= end and not more(account(file, [*blocks, *names.late()], at, end))


def _told(file: BinaryIO, picture: Block) -> Block:
    """What a JPEG behind a JPEG is for, as far as it says so itself."""
    file.seek(picture.start)
    head = file.read(min(_LOOKED_AT, picture.end - picture.start))
    holds = next((holds for holds, marks in _PURPOSES.items() if any(mark in head for mark in marks)), picture.holds)
    return replace(picture, holds=holds)
