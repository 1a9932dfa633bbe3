"""Reads the header of a BMP, and says what each of its bytes is."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers.bmp_rle import unpacked
from chalicelib.imaging.headers.header import Header, damaged, take, truncated

_FILE_HEADER_BYTES = 14
_CORE_HEADER_BYTES, _OS2_HEADER_BYTES = 12, 64
_WITH_COLOUR_SPACE = (108, 124)
_CALIBRATED = b"\0\0\0\0"
_SRGB_NAMES = (b"BGRs", b" niW")
PLAIN, RLE8, RLE4, FIELDS = range(4)
_DEPTHS = {PLAIN: {1, 4, 8, 16, 24, 32}, RLE8: {8}, RLE4: {4}, FIELDS: {16, 24, 32}}
#: What Pillow reads of 24 and 32 bits: red, green, blue, alpha.
_READABLE = {
    (0xFF0000, 0xFF00, 0xFF, 0),
    (0xFF000000, 0xFF0000, 0xFF00, 0),
    (0xFF000000, 0xFF00, 0xFF, 0),
    (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
    (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
}
_USUAL_16 = (0x7C00, 0x3E0, 0x1F, 0)
_BLOCK = 1 << 20
_MOST_RUN_BYTES = 4 << 20
#: Of rows that end in something else than zeros, so many are named: one is enough to count.
_MOST_PADDED_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a BMP are. `masks` are those of red, green, blue and alpha; zeros where there are none."""

    header_bytes: int
    rest: bytes
    width: int
    height: int
    top_down: bool
    depth: int
    compression: int
    masks: tuple[int, int, int, int]
    palette_at: int
    palette_entry: int
    colours: int
    pixels_at: int

    @property
    def row_bytes(self) -> int:
        return (self.width * self.depth + 31) // 32 * 4

    @property
    def palette_end(self) -> int:
        return self.palette_at + self.palette_entry * self.colours


def read(file: BinaryIO, size: int) -> Header:
    """`size` is that of the file.

    Raises `BadImageError` where it is too small for its pixels, `UnsupportedImageError` for what nobody here decodes.
    """
    found = layout(file)
    if found.compression in {PLAIN, FIELDS}:
        end = found.pixels_at + found.row_bytes * found.height
        faithful, padding = _unused(file, found) if end <= size else (True, [])
    else:
        end, faithful, padding = _end_of_runs(file, found, size), size - found.pixels_at <= _MOST_RUN_BYTES, []
    if end > size:
        raise truncated("BMP")
    return Header(
        format="BMP",
        width=found.width,
        height=found.height,
        end=end,
        faithful=faithful and _usual_colours(found),
        coding="1-bit" if found.depth == 1 else "rgb" if found.depth == 24 else "",
        blocks=account(file, [*_blocks(file, found, end), *padding, *pieces(file, end, size)], end, size, zero_gaps=True),
    )


def layout(file: BinaryIO) -> Layout:
    file.seek(10)
    offset, header_bytes = struct.unpack("<II", take(file, 8, "BMP"))
    rest = take(file, header_bytes - 4, "BMP")
    at, masks = _FILE_HEADER_BYTES + header_bytes, b""
    if header_bytes == _CORE_HEADER_BYTES:
        width, height, _, depth = struct.unpack("<4H", rest[:8])
        compression = colours = 0
    else:
        width, height, _, depth, compression = struct.unpack("<iiHHI", rest.ljust(120, b"\0")[:16])
        colours = int.from_bytes(rest[28:32], "little")
        masks = rest[36:52]
        if header_bytes == 40 and compression == FIELDS:
            masks, at = take(file, 12, "BMP"), at + 12
    if width <= 0 or height == 0:
        raise damaged("BMP", "its width or height is zero")
    entry = 3 if header_bytes == _CORE_HEADER_BYTES else 4
    colours = (colours or 1 << depth) if depth <= 8 else 0
    fields: tuple[int, int, int, int] = struct.unpack("<4I", masks.ljust(16, b"\0")[:16])
    found = Layout(
        header_bytes=header_bytes,
        rest=rest,
        width=width,
        height=abs(height),
        top_down=height < 0,
        depth=depth,
        compression=compression,
        masks=fields if compression == FIELDS else _USUAL_16 if depth == 16 else (0, 0, 0, 0),
        palette_at=at,
        palette_entry=entry,
        colours=colours,
        # As Pillow has it: an offset right behind the header is one that forgot the palette.
        pixels_at=at + entry * colours if offset in {0, _FILE_HEADER_BYTES + header_bytes} and depth <= 8 else offset or at,
    )
    _refuse_unreadable(found)
    return found


def _refuse_unreadable(found: Layout) -> None:
    odd = (
        found.depth not in _DEPTHS.get(found.compression, ())
        or (found.header_bytes == _OS2_HEADER_BYTES and found.compression >= FIELDS)
        or (found.compression == FIELDS and found.depth == 32 and found.masks not in _READABLE)
        or (found.compression == FIELDS and found.depth == 24 and found.masks != (0xFF0000, 0xFF00, 0xFF, 0))
        or (found.depth == 16 and not all(map(_is_mask, found.masks)))
        or (found.compression in {RLE4, RLE8} and found.top_down)
        or found.colours > 1 << 16
    )
    if odd:
        what = f"{found.depth} bits, compression {found.compression}, masks {'/'.join(f'{mask:x}' for mask in found.masks)}"
        raise UnsupportedImageError(f"The BMP is of a kind that is not taken ({what}); send it as PNG.")


def _is_mask(mask: int) -> bool:
    """Whether the bits of a mask stand side by side in 16 bits."""
    return mask < 1 << 16 and (mask == 0 or "0" not in bin(mask)[2:].rstrip("0"))


def _end_of_runs(file: BinaryIO, found: Layout, size: int) -> int:
    file.seek(found.pixels_at)
    data = file.read(_MOST_RUN_BYTES)
    if found.pixels_at + len(data) < size:
        return size
    runs = unpacked(data, found.compression == RLE4, found.width, found.height, draw=False)
    if not runs.is_whole:
        raise truncated("BMP")
    return found.pixels_at + runs.end


def _blocks(file: BinaryIO, found: Layout, end: int) -> Iterator[Block]:
    yield Block("header", 0, 6, Part.PICTURE)
    yield Block("header", 10, _FILE_HEADER_BYTES, Part.PICTURE)
    # What a header of OS/2 says besides, and the profile that another names, are gaps if they are anything.
    said = min(found.header_bytes, 40) if found.header_bytes == _OS2_HEADER_BYTES else min(found.header_bytes, 112)
    yield Block("header", _FILE_HEADER_BYTES, _FILE_HEADER_BYTES + said, Part.PICTURE)
    yield Block("masks", _FILE_HEADER_BYTES + found.header_bytes, found.palette_at, Part.PICTURE)
    file.seek(found.palette_at)
    colours = min(found.colours, 1 << found.depth)
    palette = file.read(found.palette_entry * colours)
    idle = found.palette_entry == 3 or not palette[3::4].strip(b"\0") or not palette[3::4].strip(b"\xff")
    yield Block("palette", found.palette_at, found.palette_at + len(palette), Part.PICTURE if idle else Part.MORE)
    yield Block("pixels", found.pixels_at, end, Part.PICTURE)


def _unused(file: BinaryIO, found: Layout) -> tuple[bool, list[Block]]:
    """Whether bits that belong to no pixel say nothing, and the bytes that fill up rows and do say something."""
    used_bits, row_bytes = found.width * found.depth, found.row_bytes
    used, loose = -(-used_bits // 8), -used_bits % 8
    red, green, blue, alpha = found.masks
    mask = ~(red | green | blue | alpha) & ((1 << found.depth) - 1) if found.depth in {16, 32} else 0
    mask = 0xFF000000 if found.depth == 32 and found.compression == PLAIN else mask
    rows = max(1, _BLOCK // row_bytes)
    seen: list[set[int]] = [set() for _ in range(found.depth // 8 if mask else 0)]
    padding: list[Block] = []
    faithful = True
    file.seek(found.pixels_at)
    for first in range(0, found.height, rows):
        data = file.read(row_bytes * min(rows, found.height - first))
        left = _MOST_PADDED_ROWS - len(padding)
        if left and any(any(data[column::row_bytes]) for column in range(used, row_bytes)):
            padding += islice(_padded_rows(data, used, row_bytes, found.pixels_at + first * row_bytes), left)
        if loose and any(byte & ((1 << loose) - 1) for byte in set(data[used - 1 :: row_bytes])):
            faithful = False
        for index, values in enumerate(seen):
            byte_mask = mask >> 8 * index & 0xFF
            values.update({byte & byte_mask for byte in set(data[index :: len(seen)])} if byte_mask else set())
    # All set or all clear is how writers leave bits that mean nothing; anything between is a picture of its own.
    idle = all(values <= {0} or values <= {mask >> 8 * index & 0xFF} for index, values in enumerate(seen))
    return faithful and idle, padding


def _padded_rows(data: bytes, used: int, row_bytes: int, at: int) -> Iterator[Block]:
    for row in range(0, len(data), row_bytes):
        if any(data[row + used : row + row_bytes]):
            yield Block("row padding", at + row + used, at + row + row_bytes, Part.MORE)


def _usual_colours(found: Layout) -> bool:
    """Whether the colours are sRGB as far as the file says: Pillow reads no other colour space from a BMP."""
    if found.header_bytes not in _WITH_COLOUR_SPACE:
        return True
    space, endpoints = found.rest[52:56], found.rest[56:92]
    return space in _SRGB_NAMES or (space == _CALIBRATED and not any(endpoints))
