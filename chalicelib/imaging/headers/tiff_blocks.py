"""Says of the directories of a TIFF, and of what they point to, what is the picture and what known metadata."""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.headers.markers import segments
from chalicelib.imaging.headers.photoshop import MARK, Resources
from chalicelib.imaging.headers.xmp_payload import Payload
from chalicelib.imaging.ifd import BYTE, UNDEFINED, Directories, Entry

JPEG_TABLES, _PROFILE, _XMP, _PHOTOSHOP = 347, 34675, 700, 34377
_EXIF_POINTER, _GPS_POINTER, _INTEROP_POINTER = 0x8769, 0x8825, 0xA005
_PICTURE = {
    *range(254, 267),
    *range(273, 285),
    *range(290, 298),
    301,
    *range(317, 348),
    *range(512, 533),
    _PROFILE,
    *range(32995, 32999),
} - {330, 333, 337, 343, 344, 345, 513, 514}
_METADATA = {*range(269, 273), *range(285, 290), 305, 306, 315, 316, 333, 337, _XMP, 33432, 33723, _PHOTOSHOP}
#: EXIF's tags, which some writers leave in a page's own directory.
_EXIF = {18246, 18249, *range(40091, 40096), 33434, 33437, 34850, 34852, *range(34855, 34860), *range(34864, 34870)}
_EXIF |= {_EXIF_POINTER, _GPS_POINTER, *range(36864, 37523), *range(37888, 37894), *range(40960, 40966)}
_EXIF |= {*range(41483, 42083), 42240}
#: A text is not longer; what is may be anything.
_MOST_TEXT_BYTES = 1 << 20
_MOST_PHOTOSHOP_BYTES = 16 << 20
_MOST_STRETCHES = 50_000
_MOST_JPEGS = 4096
#: Segments that make a picture, and those that only describe it: Adobe's and JFIF's. A TIFF needs no other.
_JPEG_PICTURE = {0xD8, 0xD9, 0xDA, 0xDB, 0xC0, 0xC1, 0xC2, 0xC4, 0xDD, 0xEE}
_JPEG_METADATA = {0xE0, 0xFE}


def page_blocks(directories: Directories, offset: int, page: dict[int, Entry]) -> Iterator[Block]:
    """The directory of a page and the values in it; not the coded picture."""
    yield from _directory(directories, offset, page, lambda entry: _part(directories, entry))
    if directories.repeats_header(offset):
        yield Block("header", offset - directories.header_bytes, offset, Part.METADATA)
    for pointer in (_EXIF_POINTER, _GPS_POINTER, _INTEROP_POINTER):
        yield from _pointed_to(directories, page, pointer)
    if _PHOTOSHOP in page:
        entry = page[_PHOTOSHOP]
        data = directories.data(entry, _MOST_PHOTOSHOP_BYTES) or b""
        named = Resources().name(MARK + data, entry.at - len(MARK))
        yield from (block for block in named if block.start >= entry.at)
    if JPEG_TABLES in page:
        entry = page[JPEG_TABLES]
        source = io.BytesIO(directories.data(entry, 1 << 16) or b"")
        yield from jpeg_blocks(source, 0, entry.size, entry.at) or [Block("JPEG", entry.at, entry.at + entry.size, Part.MORE)]


def _pointed_to(directories: Directories, entries: dict[int, Entry], pointer: int) -> Iterator[Block]:
    offset = directories.integer(entries, pointer, 0)
    if offset <= 0 or offset >= directories.length:
        return
    inner, _ = directories.read(offset)
    if inner:
        yield from _directory(directories, offset, inner, lambda _: Part.METADATA)
        if pointer == _EXIF_POINTER:
            yield from _pointed_to(directories, inner, _INTEROP_POINTER)


def _directory(
    directories: Directories, offset: int, entries: dict[int, Entry], part: Callable[[Entry], Part]
) -> Iterator[Block]:
    for start, end in directories.frame(offset):
        yield Block("directory", start, end, Part.METADATA)
    for entry in entries.values():
        judged = part(entry)
        kind, row_end = f"tag {entry.tag}", entry.row + directories.entry_bytes
        outside = not entry.row <= entry.at < row_end
        # Where the value is elsewhere it is what counts, and not the row that points to it.
        yield Block(kind, entry.row, row_end, Part.METADATA if outside and judged is Part.MORE else judged)
        if outside and entry.tag != _PHOTOSHOP:
            yield Block(kind, entry.at, entry.at + entry.size, judged)


def _part(directories: Directories, entry: Entry) -> Part:
    if entry.tag == _PROFILE and entry.type not in {BYTE, UNDEFINED}:
        return Part.MORE
    if entry.tag in _PICTURE:
        return Part.PICTURE
    if entry.tag == _XMP:
        text = directories.data(entry, 4 << 20)
        return Part.MORE if text is None or Payload().look(text) else Part.METADATA
    known = entry.tag in _METADATA or entry.tag in _EXIF
    return Part.METADATA if known and entry.size <= _MOST_TEXT_BYTES else Part.MORE


def strip_blocks(stretches: list[tuple[int, int]]) -> list[Block] | None:
    """The coded picture, given where its strips or tiles are; `None` where they are too many pieces to account for."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    if len(merged) > _MOST_STRETCHES:
        return None
    return [Block("strips", start, end, Part.PICTURE) for start, end in merged]


def jpeg_strips(directories: Directories, stretches: list[tuple[int, int]]) -> list[Block] | None:
    """The same where every strip is a JPEG, which has segments of its own; `None` where one is not."""
    if len(stretches) > _MOST_JPEGS:
        return None
    found: list[Block] = []
    for start, end in stretches:
        blocks = jpeg_blocks(directories.source, start, end, 0)
        if blocks is None:
            return None
        found += blocks
    return found


def jpeg_blocks(source: BinaryIO, start: int, end: int, shift: int) -> list[Block] | None:
    """The segments of the JPEG that begins at `start`; what lies between them and behind is left out."""
    found = [Block("JPEG", start + shift, start + 2 + shift, Part.PICTURE)]
    try:
        for segment in segments(source, start):
            if segment.coded_end > end:
                return None
            part = Part.PICTURE if segment.marker in _JPEG_PICTURE else Part.MORE
            part = Part.METADATA if segment.marker in _JPEG_METADATA else part
            found.append(Block(f"JPEG {segment.marker:02X}", segment.start + shift, segment.coded_end + shift, part))
    except BadImageError:
        return None
    return found
