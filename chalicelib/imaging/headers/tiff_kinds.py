"""Which TIFFs are pictures that are taken: neither the raw files of cameras, nor what Pillow has no reader for."""

from PIL.TiffImagePlugin import OPEN_INFO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.ifd import Directories, Entry

_KIND, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
_SAMPLES, _PLANAR, _SUB_DIRECTORIES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _DNG_VERSION = 277, 284, 330, 338, 339, 50706
#: What a plain TIFF's colours are: grey either way, RGB, a palette, a mask, inks, YCbCr, and three kinds of Lab.
_PLAIN_COLOURS = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 32844, 32845}
_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000}
_REDUCED = 1
_CANON_AT, _CANON = 8, b"CR"
_MOST_SUB_DIRECTORIES = 64
_OLD_JPEG, _SEPARATE_PLANES = 6, 2


def refuse_raw(directories: Directories, pages: list[dict[int, Entry]]) -> None:
    """Raises `UnsupportedImageError` where the real picture is not a page of the file, but a sensor's samples, or beside it."""
    first = pages[0]
    inner = [sub for page in pages[:_MOST_SUB_DIRECTORIES] for sub in _sub_directories(directories, page)]
    if (
        _DNG_VERSION in first
        or _is_canon(directories)
        or any(directories.integer(page, _PHOTOMETRIC, 0) not in _PLAIN_COLOURS for page in (*pages, *inner))
        or (inner and directories.integer(first, _KIND, 0) & _REDUCED)
        or any(_pixels(directories, sub) > _pixels(directories, first) for sub in inner)
    ):
        raise UnsupportedImageError(
            "The file is a camera's raw file, which is not taken; send it developed, as JPEG, TIFF or HEIC."
        )


def _is_canon(directories: Directories) -> bool:
    directories.source.seek(_CANON_AT)
    return directories.source.read(2) == _CANON and directories.first == 2 * _CANON_AT


def _sub_directories(directories: Directories, page: dict[int, Entry]) -> list[dict[int, Entry]]:
    offsets = directories.numbers(page[_SUB_DIRECTORIES], _MOST_SUB_DIRECTORIES) if _SUB_DIRECTORIES in page else ()
    return [directories.read(offset)[0] for offset in offsets if isinstance(offset, int) and 0 < offset < directories.length]


def _pixels(directories: Directories, page: dict[int, Entry]) -> int:
    return directories.integer(page, _WIDTH, 0) * directories.integer(page, _HEIGHT, 0)


def refuse_unreadable(directories: Directories, page: dict[int, Entry]) -> None:
    """Raises `UnsupportedImageError` for samples, colours and compressions that are legal and that Pillow cannot read."""
    compression = directories.integer(page, _COMPRESSION, 1)
    colours = 6 if compression == _OLD_JPEG else directories.integer(page, _PHOTOMETRIC, 0)
    formats = _whole(directories, page, _SAMPLE_FORMAT) or (1,)
    formats = formats[:1] if len(set(formats)) == 1 else formats
    bits, extra = _whole(directories, page, _BITS) or (1,), _whole(directories, page, _EXTRA_SAMPLES)
    samples = directories.integer(page, _SAMPLES, 3 if compression == _OLD_JPEG else 1)
    if directories.integer(page, _PLANAR, 1) == _SEPARATE_PLANES and extra and not any(extra):
        bits, samples, extra = bits[: -len(extra)], samples - len(extra), ()
    bits = bits * samples if len(bits) == 1 and 1 < samples <= 16 else bits[: max(samples, 0)]
    order = b"II" if directories.order == "<" else b"MM"
    layout = (order, colours, formats, directories.integer(page, _FILL_ORDER, 1), bits, extra)
    if compression not in _COMPRESSIONS or layout not in OPEN_INFO:
        what = f"{_said(bits)} bits, colours {colours}, sample format {_said(formats)}, compression {compression}"
        raise UnsupportedImageError(f"The TIFF is of a kind that is not taken ({what}); send it as 8-bit RGB or as PNG.")


def _whole(directories: Directories, page: dict[int, Entry], tag: int) -> tuple[int, ...]:
    numbers = directories.numbers(page[tag], 16) if tag in page else ()
    return tuple(number for number in numbers if isinstance(number, int))


def _said(numbers: tuple[int, ...]) -> str:
    return "+".join(map(str, numbers)) or "no"
