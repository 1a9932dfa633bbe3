"""Names the parts of what Samsung's cameras write behind a picture, or in a box of a HEIC: dates, films, sounds."""

import struct
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.contents import described

_END, _DIRECTORY = b"SEFT", b"SEFH"
_MAX_ENTRIES = 200
#: The time, the country's code, the mode, the display's colours and such, which are short; anything larger is none of them.
_KNOWN, _MAX_KNOWN_BYTES = {0x0A01, 0x0AA1, 0x0C61, 0x0CC1, 0x0CD2, 0x0D01}, 256
_HOLDS = {0x0A30: ("film", "video/mp4"), 0x0100: ("sound", "application/octet-stream")}


def trailer(file: BinaryIO, start: int, end: int) -> list[Block]:
    """The blocks of the trailer that ends at `end` and begins not before `start`; none where there is no such trailer.

    What it does not account for is left out. The file is left standing anywhere.
    """
    file.seek(max(start, end - 8))
    tail = file.read(8)
    if len(tail) < 8 or tail[4:] != _END:
        return []
    directory = end - 8 - int.from_bytes(tail[:4], "little")
    if directory < start:
        return []
    file.seek(directory)
    head = file.read(12)
    count = int.from_bytes(head[8:12], "little")
    if head[:4] != _DIRECTORY or count > _MAX_ENTRIES or directory + 12 + 12 * count + 8 != end:
        return []
    blocks = [Block("Samsung", directory, end, Part.METADATA)]
    for _, kind, back, size in struct.iter_unpack("<HHII", file.read(12 * count)):
        begin = directory - back
        if begin >= start and begin + size <= directory:
            blocks += _entry(file, kind, begin, size)
    return blocks


def _entry(file: BinaryIO, kind: int, start: int, size: int) -> list[Block]:
    """The head of an entry, which repeats its kind and names it, and its content."""
    file.seek(start)
    head = file.read(min(8, size))
    if len(head) < 8:
        return []
    _, repeated, name_bytes = struct.unpack("<HHI", head)
    if repeated != kind or 8 + name_bytes > size or name_bytes > _MAX_KNOWN_BYTES:
        return []
    name, content = f"Samsung {kind:04X}", start + 8 + name_bytes
    if kind in _KNOWN and size <= _MAX_KNOWN_BYTES:
        return [Block(name, start, start + size, Part.METADATA)]
    found = described(file, name, content, start + size)
    holds, content_type = _HOLDS.get(kind, (found.holds, found.content_type))
    if found.holds != "unknown":
        holds, content_type = found.holds if kind not in _HOLDS else holds, found.content_type
    return [
        Block(name, start, content, Part.METADATA if content < start + size else Part.MORE),
        Block(name, content, start + size, Part.MORE, holds, content_type),
    ]
