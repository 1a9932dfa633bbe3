"""Walks the directories of a TIFF: pages, sizes, and what a reader could be made to allocate for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, truncated
from chalicelib.imaging.headers.tiff_blocks import jpeg_strips, page_blocks, strip_blocks
from chalicelib.imaging.headers.tiff_kinds import refuse_raw, refuse_unreadable
from chalicelib.imaging.ifd import MAX_ENTRIES, Directories, Entry
from chalicelib.imaging.iptc import records_in

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _ROWS_PER_STRIP = 256, 257, 258, 262, 277, 278
_STRIP_OFFSETS, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES = 273, 279, 322, 323, 324, 325
_XMP, _IPTC = 700, 33723
_COMPRESSION, _PLANAR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 259, 284, 338, 339
#: Colour spaces declared by other means than a profile: transfer function, white point, primaries, reference levels.
_COLOUR_TAGS = (301, 318, 319, 532)
#: Equal bytes mean other numbers in another sample format.
_MEANING_TAGS = (*_COLOUR_TAGS, 339)
#: White point and primaries of sRGB, as writers round them.
_SRGB = {318: (0.3127, 0.3290), 319: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)}
_TOLERANCE = 0.001
_WHITE_IS_ZERO, _YCBCR, _SEPARATE_PLANES, _UNSIGNED, _STRAIGHT_ALPHA = 0, 6, 2, 1, 2
_UNCOMPRESSED, _OLD_JPEG, _JPEG = 1, 6, 7
_FILL_ORDER, _LOWER_BIT_FIRST = 266, 2
_MOST_SAMPLES = 16
#: Pillow copies the data of every tag of every page.
_MAX_TAG_BYTES = 32 << 20
_MAX_ENTRIES_IN_ALL = 100_000
_MAX_CHUNKS = 1 << 20
_MAX_TILE_PIXELS = 4 << 20


@dataclass(frozen=True, slots=True)
class Strip:
    """Where a strip or tile is stored, and the most bytes that its pixels unpack to."""

    start: int
    end: int
    unpacked: int
    compression: int
    reversed_bits: bool


def read(file: BinaryIO, max_frames: int) -> Header:
    """Stops counting one page beyond `max_frames`.

    Raises `BadImageError` where a page is cut short or a bomb, `UnsupportedImageError` for what is no plain TIFF.
    """
    try:
        directories = Directories(file)
    except ValueError:
        raise truncated("TIFF") from None
    pages = list(_pages(directories, max_frames))
    if not pages:
        raise truncated("TIFF")
    plain_pages = [page for _, page in pages]
    refuse_raw(directories, plain_pages)
    sizes = [_size(directories, page) for page in plain_pages]
    known, faithful = [Block("header", 0, directories.header_bytes, Part.PICTURE)], True
    for (offset, page), (width, height) in zip(pages, sizes, strict=True):
        strips = _coded_blocks(directories, page, width, height)
        faithful = faithful and strips is not None and _exact(directories, page)
        known += [*(strips or ()), *page_blocks(directories, offset, page)]
    for page in plain_pages:
        refuse_unreadable(directories, page)
    end = max(block.end for block in known)
    return Header(
        format="TIFF",
        width=sizes[0][0],
        height=sizes[0][1],
        end=directories.length,
        frames=len(pages),
        total_pixels=sum(width * height for width, height in sizes),
        codec_pixels=max(width * height for width, height in sizes),
        bits=max(8, *(bits for page in plain_pages for bits in _bits(directories, page))),
        faithful=faithful,
        xmp=_bytes(directories, plain_pages[0], _XMP),
        iptc=records_in(_bytes(directories, plain_pages[0], _IPTC)),
        colour=b"".join(_colour(directories, page) for page in plain_pages),
        coding=_coding(directories, plain_pages),
        blocks=account(file, [*known, *pieces(file, end, directories.length)], end, directories.length, zero_gaps=True),
    )


def packed_strips(file: BinaryIO, max_frames: int) -> Iterator[Strip]:
    """Those of every page of a file that `read` has read, but for pages whose strips cannot be accounted for."""
    directories = Directories(file)
    for _, page in _pages(directories, max_frames):
        yield from _strips(directories, page, *_size(directories, page)) or ()


def _pages(directories: Directories, max_frames: int) -> Iterator[tuple[int, dict[int, Entry]]]:
    tags = tag_bytes = 0
    for offset, page in directories.chain(max_frames + 1):
        tags += len(page)
        tag_bytes += sum(entry.size for entry in page.values())
        if tags > _MAX_ENTRIES_IN_ALL or tag_bytes > _MAX_TAG_BYTES:
            raise damaged("TIFF", f"its tags claim more than {_MAX_TAG_BYTES:,} bytes or {_MAX_ENTRIES_IN_ALL:,} entries")
        if len(page) >= MAX_ENTRIES:
            raise damaged("TIFF", f"a directory has {MAX_ENTRIES:,} entries or more")
        yield offset, page


def _bytes(directories: Directories, page: dict[int, Entry], tag: int) -> bytes:
    return (directories.data(page[tag], MAX_EXIF_BYTES) or b"") if tag in page else b""


def _size(directories: Directories, page: dict[int, Entry]) -> tuple[int, int]:
    width, height = directories.integer(page, _WIDTH, 0), directories.integer(page, _HEIGHT, 0)
    if width <= 0 or height <= 0:
        raise damaged("TIFF", "a page has no size, or the file ends before it")
    return width, height


def _bits(directories: Directories, page: dict[int, Entry]) -> tuple[int, ...]:
    values = directories.numbers(page[_BITS], 8) if _BITS in page else ()
    return tuple(value for value in values if isinstance(value, int)) or (1,)


def _coded_blocks(directories: Directories, page: dict[int, Entry], width: int, height: int) -> list[Block] | None:
    """The coded picture; `None` where not every byte of it can be accounted for."""
    strips = _strips(directories, page, width, height)
    if strips is None:
        return None
    stretches = [(strip.start, strip.end) for strip in strips]
    return jpeg_strips(directories, stretches) if strips[0].compression == _JPEG else strip_blocks(stretches)


def _strips(directories: Directories, page: dict[int, Entry], width: int, height: int) -> list[Strip] | None:
    """The strips or tiles, of which there must be as many as the page needs, within the file, and none larger than a page is.

    `None` where not every byte of them can be accounted for.
    """
    samples = directories.integer(page, _SAMPLES, 1)
    planes = samples if directories.integer(page, _PLANAR, 1) == _SEPARATE_PLANES else 1
    if _TILE_WIDTH in page:
        across, rows = directories.integer(page, _TILE_WIDTH, 0), directories.integer(page, _TILE_HEIGHT, 0)
        if across <= 0 or rows <= 0 or across * rows > max(_MAX_TILE_PIXELS, 2 * width * height):
            raise damaged("TIFF", "its tiles have no size, or are much larger than the page")
        needed = -(-width // across) * -(-height // rows) * planes
        offsets, sizes, last_rows = page.get(_TILE_OFFSETS), page.get(_TILE_SIZES), rows
    else:
        across, rows = width, min(max(directories.integer(page, _ROWS_PER_STRIP, height), 1), height)
        needed = -(-height // rows) * planes
        offsets, sizes, last_rows = page.get(_STRIP_OFFSETS), page.get(_STRIP_SIZES), (height - 1) % rows + 1
    if offsets is None or offsets.count < needed or needed > _MAX_CHUNKS:
        raise damaged("TIFF", "a page has fewer strips or tiles than it needs")
    starts = [start for start in directories.numbers(offsets, needed) if isinstance(start, int)]
    lengths = [length for length in directories.numbers(sizes, needed) if isinstance(length, int)] if sizes else []
    if any(start + length > directories.length for start, length in zip(starts, lengths, strict=False)):
        raise truncated("TIFF")
    compression = directories.integer(page, _COMPRESSION, _UNCOMPRESSED)
    row_bytes = -(-across * (sum(_all_bits(directories, page)) // planes) // 8)
    each = needed // planes
    unpacked = [row_bytes * (last_rows if (index + 1) % each == 0 else rows) for index in range(needed)]
    if compression == _UNCOMPRESSED and directories.integer(page, _PHOTOMETRIC, 0) != _YCBCR:
        lengths = unpacked
    # Of more strips than it needs Pillow may take the last.
    if offsets.count != needed or not len(starts) == len(lengths) == needed or compression == _OLD_JPEG:
        return None
    turned = directories.integer(page, _FILL_ORDER, 1) == _LOWER_BIT_FIRST
    return [
        Strip(start, start + length, most, compression, turned)
        for start, length, most in zip(starts, lengths, unpacked, strict=True)
    ]


def _exact(directories: Directories, page: dict[int, Entry]) -> bool:
    """Whether Pillow hands over every sample as it is: no colours beyond 8 bits, no samples left out or reinterpreted."""
    bits = _bits(directories, page)
    photometric = directories.integer(page, _PHOTOMETRIC, 0)
    extra = directories.numbers(page[_EXTRA_SAMPLES], 8) if _EXTRA_SAMPLES in page else ()
    sample_format = directories.integer(page, _SAMPLE_FORMAT, _UNSIGNED)
    deep = max(bits) > 8
    return not (
        (deep and (len(bits) > 1 or photometric == _WHITE_IS_ZERO))
        or any(sample != _STRAIGHT_ALPHA for sample in extra)
        or (sample_format != _UNSIGNED and not deep)
        or (directories.integer(page, _SAMPLES, 1) > 4)
    )


def _all_bits(directories: Directories, page: dict[int, Entry]) -> tuple[int, ...]:
    """The bits of each sample; a single number stands for all of them."""
    bits, samples = _bits(directories, page), directories.integer(page, _SAMPLES, 1)
    return bits * samples if len(bits) == 1 and 0 < samples <= _MOST_SAMPLES else bits


def _colour(directories: Directories, page: dict[int, Entry]) -> bytes:
    """What a page says of its colours, without what every reader takes for granted."""
    said = {tag: directories.data(page[tag], 1 << 16) or b"" for tag in _MEANING_TAGS if tag in page}
    if _SAMPLE_FORMAT in said and set(directories.numbers(page[_SAMPLE_FORMAT], _MOST_SAMPLES)) == {_UNSIGNED}:
        del said[_SAMPLE_FORMAT]
    if all(_is_near(directories, page[tag], wanted) for tag, wanted in _SRGB.items() if tag in said):
        for tag in _SRGB:
            said.pop(tag, None)
    return b"".join(b"%d:" % tag + data for tag, data in said.items())


def _is_near(directories: Directories, entry: Entry, wanted: tuple[float, ...]) -> bool:
    values: list[float] = []
    for value in directories.numbers(entry, len(wanted) + 1):
        top, bottom = value if isinstance(value, tuple) else (value, 1)
        values.append(top / bottom if bottom else float("nan"))
    return len(values) == len(wanted) and all(
        abs(mine - theirs) <= _TOLERANCE for mine, theirs in zip(values, wanted, strict=True)
    )


def _coding(directories: Directories, pages: list[dict[int, Entry]]) -> str:
    """That of all pages; empty where they differ."""
    found = set()
    for page in pages:
        bits = _bits(directories, page)
        if bits == (1,):
            found.add("bilevel")
        elif max(bits) <= 8 or len(bits) > 1:
            found.add("plain")
        else:
            found.add("grey 16" if max(bits) <= 16 else "float")
    return found.pop() if len(found) == 1 else ""
