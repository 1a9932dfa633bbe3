"""Walks the directories of a TIFF: pages, sizes, and what a reader could be made to allocate for them."""

from collections.abc import Iterator
from typing import BinaryIO

from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, truncated
from chalicelib.imaging.ifd import MAX_ENTRIES, Directories, Entry
from chalicelib.imaging.iptc import records_in

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _ROWS_PER_STRIP = 256, 257, 258, 262, 277, 278
_STRIP_OFFSETS, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES = 273, 279, 322, 323, 324, 325
_XMP, _IPTC = 700, 33723
_PLANAR, _SUB_DIRECTORIES, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 284, 330, 338, 339
#: Colour spaces declared by other means than a profile: transfer function, white point, primaries, reference levels.
_COLOUR_TAGS = (301, 318, 319, 532)
#: Equal bytes mean other numbers in another sample format.
_MEANING_TAGS = (*_COLOUR_TAGS, 339)
_WHITE_IS_ZERO, _SEPARATE_PLANES, _UNSIGNED, _STRAIGHT_ALPHA = 0, 2, 1, 2
#: Pillow copies the data of every tag of every page.
_MAX_TAG_BYTES = 32 << 20
_MAX_ENTRIES_IN_ALL = 100_000
_MAX_CHUNKS = 1 << 20
_MAX_TILE_PIXELS = 4 << 20


def read(file: BinaryIO, max_frames: int) -> Header:
    """Stops counting one page beyond `max_frames`. Raises `BadImageError` where a page is cut short or a bomb."""
    try:
        directories = Directories(file)
    except ValueError:
        raise truncated("TIFF") from None
    pages = list(_pages(directories, max_frames))
    if not pages:
        raise truncated("TIFF")
    sizes = [_size(directories, page) for page in pages]
    for page, (width, height) in zip(pages, sizes, strict=True):
        _check_coded_data(directories, page, width, height)
    return Header(
        format="TIFF",
        width=sizes[0][0],
        height=sizes[0][1],
        end=directories.length,
        frames=len(pages),
        total_pixels=sum(width * height for width, height in sizes),
        codec_pixels=max(width * height for width, height in sizes),
        bits=max(8, *(bits for page in pages for bits in _bits(directories, page))),
        faithful=all(_exact(directories, page) for page in pages),
        xmp=_bytes(directories, pages[0], _XMP),
        iptc=records_in(_bytes(directories, pages[0], _IPTC)),
        colour=b"".join(_colour(directories, page) for page in pages),
    )


def _pages(directories: Directories, max_frames: int) -> Iterator[dict[int, Entry]]:
    tags = tag_bytes = 0
    for page in directories.chain(max_frames + 1):
        tags += len(page)
        tag_bytes += sum(entry.size for entry in page.values())
        if tags > _MAX_ENTRIES_IN_ALL or tag_bytes > _MAX_TAG_BYTES:
            raise damaged("TIFF", f"its tags claim more than {_MAX_TAG_BYTES:,} bytes or {_MAX_ENTRIES_IN_ALL:,} entries")
        if len(page) >= MAX_ENTRIES:
            raise damaged("TIFF", f"a directory has {MAX_ENTRIES:,} entries or more")
        yield page


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


def _check_coded_data(directories: Directories, page: dict[int, Entry], width: int, height: int) -> None:
    """There must be as many strips or tiles as the page needs, within the file; and none may be larger than a page is."""
    samples = directories.integer(page, _SAMPLES, 1)
    planes = samples if directories.integer(page, _PLANAR, 1) == _SEPARATE_PLANES else 1
    if _TILE_WIDTH in page:
        across, down = directories.integer(page, _TILE_WIDTH, 0), directories.integer(page, _TILE_HEIGHT, 0)
        if across <= 0 or down <= 0 or across * down > max(_MAX_TILE_PIXELS, 2 * width * height):
            raise damaged("TIFF", "its tiles have no size, or are much larger than the page")
        needed = -(-width // across) * -(-height // down) * planes
        offsets, sizes = page.get(_TILE_OFFSETS), page.get(_TILE_SIZES)
    else:
        rows = min(max(directories.integer(page, _ROWS_PER_STRIP, height), 1), height)
        needed = -(-height // rows) * planes
        offsets, sizes = page.get(_STRIP_OFFSETS), page.get(_STRIP_SIZES)
    if offsets is None or offsets.count < needed or needed > _MAX_CHUNKS:
        raise damaged("TIFF", "a page has fewer strips or tiles than it needs")
    if sizes is not None and sizes.count >= needed:
        _check_within(directories, offsets, sizes, needed)


def _check_within(directories: Directories, offsets: Entry, sizes: Entry, needed: int) -> None:
    starts, lengths = directories.numbers(offsets, needed), directories.numbers(sizes, needed)
    for start, length in zip(starts, lengths, strict=True):
        if isinstance(start, int) and isinstance(length, int) and start + length > directories.length:
            raise truncated("TIFF")


def _exact(directories: Directories, page: dict[int, Entry]) -> bool:
    """Whether Pillow hands over every sample as it is: no colours beyond 8 bits, no samples left out or reinterpreted."""
    bits = _bits(directories, page)
    photometric = directories.integer(page, _PHOTOMETRIC, 0)
    extra = directories.numbers(page[_EXTRA_SAMPLES], 8) if _EXTRA_SAMPLES in page else ()
    sample_format = directories.integer(page, _SAMPLE_FORMAT, _UNSIGNED)
    deep = max(bits) > 8
    return not (
        _SUB_DIRECTORIES in page
        or (deep and (len(bits) > 1 or photometric == _WHITE_IS_ZERO))
        or any(sample != _STRAIGHT_ALPHA for sample in extra)
        or (sample_format != _UNSIGNED and not deep)
        or (directories.integer(page, _SAMPLES, 1) > 4)
    )


def _colour(directories: Directories, page: dict[int, Entry]) -> bytes:
    parts = (b"%d:" % tag + (directories.data(page[tag], 1 << 16) or b"") for tag in _MEANING_TAGS if tag in page)
    return b"".join(parts)
