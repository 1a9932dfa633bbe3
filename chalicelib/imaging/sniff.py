"""Tells the format of a file by its first bytes; names and claimed types count for nothing."""

from chalicelib.errors import BadImageError, UnsupportedImageError
from chalicelib.model.pictures import FORMATS

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_AV1_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2", b"miaf"}

#: How many of a file's first bytes `sniff` wants.
SNIFFED_BYTES = 256


def sniff(head: bytes) -> str:
    """The name in `FORMATS` of the file that begins with `head`.

    Raises `BadImageError` for an empty file and `UnsupportedImageError` for any format that is not on the list.
    """
    if not head:
        raise BadImageError("The file is empty; send the bytes of an image.")
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(_TIFF_MAGIC):
        return "TIFF"
    if _is_bitmap(head):
        return "BMP"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    raise _unsupported()


def _is_bitmap(head: bytes) -> bool:
    """`BM` alone begins many a text: the size of the second header must be one that exists."""
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in {12, 16, 40, 52, 56, 64, 108, 124}


def _by_brand(head: bytes) -> str:
    """AV1 wherever a brand says so: both kinds may also carry the brands that only mean "some HEIF"."""
    box = head[: int.from_bytes(head[:4], "big")]
    brands = {box[8:12], *(box[at : at + 4] for at in range(16, len(box) - 3, 4))}
    if brands & _AV1_BRANDS:
        return "AVIF"
    if brands & _HEIF_BRANDS:
        return "HEIC"
    raise _unsupported()


def _unsupported() -> UnsupportedImageError:
    return UnsupportedImageError(f"The file is none of the image formats taken here; send one of {', '.join(FORMATS)}.")
