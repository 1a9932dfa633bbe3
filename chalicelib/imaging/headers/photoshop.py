"""Names the resource blocks that Photoshop keeps in a JPEG: print settings say nothing, paths are more than the picture."""

import struct
from collections.abc import Iterator

from chalicelib.imaging.blocks import Block, Part

MARK = b"Photoshop 3.0\0"
_BLOCK_MARK = b"8BIM"
_KNOWN = {*range(0x03E8, 0x03FE), *range(0x0400, 0x0445), 0x2710}
#: Far more than Photoshop writes: what comes behind has no name.
_MOST = 1000
_PATHS = range(0x07D0, 0x0BB9)


class Resources:
    """Names the blocks of one file's segments in turn: a large block goes on in the next segment."""

    def __init__(self) -> None:
        self._left = self._id = 0
        self._count = 0

    def name(self, body: bytes, start: int) -> Iterator[Block]:
        """`body` is a segment's, with the mark, and stands at `start` in the file. What it has no name for is left out."""
        at = len(MARK)
        yield Block("Photoshop", start, start + at, Part.METADATA)
        while at < len(body):
            if not self._left:
                header = _header(body, at)
                self._count += 1
                if header is None or self._count > _MOST:
                    return
                self._id, self._left, header_bytes = header
                # Where there is content, the header alone says nothing; an empty block of unknown kind is more than none.
                yield _named(None if self._left else self._id, start + at, start + at + header_bytes)
                at += header_bytes
            count = min(self._left, len(body) - at)
            yield _named(self._id, start + at, start + at + count)
            at += count
            self._left -= count


def _header(body: bytes, at: int) -> tuple[int, int, int] | None:
    """The kind, the size with what fills it up, and the size of the header of the block at `at`."""
    if body[at : at + 4] != _BLOCK_MARK or at + 7 > len(body):
        return None
    number = int.from_bytes(body[at + 4 : at + 6], "big")
    name_bytes = (body[at + 6] + 2) & ~1
    size = body[at + 6 + name_bytes : at + 10 + name_bytes]
    if len(size) < 4:
        return None
    left = struct.unpack(">I", size)[0]
    return number, left + (left & 1), 10 + name_bytes


def _named(number: int | None, start: int, end: int) -> Block:
    if number is None:
        return Block("Photoshop", start, end, Part.METADATA)
    known = Part.METADATA if number in _KNOWN else Part.MORE
    return Block(f"Photoshop {number:04X}", start, end, known, "path" if number in _PATHS else "unknown")
