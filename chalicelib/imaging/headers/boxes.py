"""Reads the boxes of the ISO base media file format, which HEIC and AVIF share."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.imaging.headers.header import damaged, take, truncated

MAX_BOXES = 20_000
_MAX_META_BYTES = 8 << 20
WHAT = "HEIC or AVIF"


@dataclass(frozen=True, slots=True)
class Box:
    """A box from `start` to before `end` of the file; its body begins at `at`, and is empty where it was not read."""

    name: bytes
    start: int
    at: int
    end: int
    body: bytes = b""

    @property
    def label(self) -> str:
        return self.name.decode("latin-1").strip()


def top_level(file: BinaryIO, size: int) -> Iterator[Box]:
    """The boxes of the file, unread. What lies behind the last of them is none: padding, or no box at all.

    Raises `BadImageError` where one is cut short.
    """
    at = 0
    for _ in range(MAX_BOXES):
        if at == size or _is_no_box(file, at):
            return
        file.seek(at)
        length, name = struct.unpack(">I4s", take(file, 8, WHAT))
        start = at + 8
        if length == 1:
            length, start = struct.unpack(">Q", take(file, 8, WHAT))[0], at + 16
        end = at + length if length else size
        if end > size or end < start:
            raise truncated(WHAT)
        yield Box(name, at, start, end)
        at = end
    raise damaged(WHAT, f"it has more than {MAX_BOXES:,} boxes")


def _is_no_box(file: BinaryIO, at: int) -> bool:
    """Whether a box cannot begin here: names are letters. The first bytes of a box, cut short, may still be one."""
    file.seek(at)
    head = file.read(8)
    if not head.strip(b"\0\r\n"):
        return True
    return at > 0 and len(head) == 8 and not (head[4:].isascii() and head[4:].decode("latin-1").isprintable())


def children(data: bytes, base: int) -> Iterator[Box]:
    """The boxes in a body that begins at `base` of the file. Raises `BadImageError` where one is cut short."""
    at, count = 0, 0
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(data[start : start + 8], "big"), at + 16
        end = at + length if length else len(data)
        count += 1
        if not start <= end <= len(data) or count > MAX_BOXES:
            raise damaged(WHAT, "a box reaches beyond the one around it")
        yield Box(name, base + at, base + start, base + end, data[start:end])
        at = end


def body_of(file: BinaryIO, box: Box) -> Box:
    """The same box, read. Raises `BadImageError` where it is larger than any description is."""
    if box.end - box.at > _MAX_META_BYTES:
        raise damaged(WHAT, f"its description is larger than {_MAX_META_BYTES:,} bytes")
    file.seek(box.at)
    return Box(box.name, box.start, box.at, box.end, take(file, box.end - box.at, WHAT))
