"""What a file claims about its picture, read and held to the limits without any decoder: `read` is the one door.

The readers are our own because no library tells all three of what is asked: whether the file is whole, what every byte of it is
for, and whether a decoder hands over every bit of the picture.
"""

import io
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.headers import bmp, gif, heif, jpeg, png, tiff, webp
from chalicelib.imaging.headers.header import Header, size_of
from chalicelib.imaging.ifd import Directories
from chalicelib.imaging.sniff import SNIFFED_BYTES, sniff
from chalicelib.model.pictures import Limits

__all__ = ["Header", "read", "size_of"]

_MAX_EXIF_CLAIMED, _MOST_EXIF_ENTRIES = 16 << 20, 65_535


def read(file: BinaryIO, limits: Limits) -> Header:
    """Raises `UnsupportedImageError` for what is not on the list, `BadImageError` for what is damaged or too large."""
    file.seek(0)
    header = _read_header(file, limits)
    _check_limits(header, limits)
    _check_exif(header.exif)
    return header


def _read_header(file: BinaryIO, limits: Limits) -> Header:
    name = sniff(file.read(SNIFFED_BYTES))
    file.seek(0)
    match name:
        case "JPEG":
            return jpeg.read(file)
        case "PNG":
            return png.read(file)
        case "GIF":
            return gif.read(file, limits.max_frames)
        case "WEBP":
            return webp.read(file)
        case "TIFF":
            return tiff.read(file, limits.max_frames)
        case "BMP":
            return bmp.read(file, size_of(file))
    return heif.read(file, name)


def _check_limits(header: Header, limits: Limits) -> None:
    pixels = max(header.width * header.height, header.codec_pixels)
    if pixels > limits.max_pixels:
        raise BadImageError(f"The image has {pixels:,} pixels; at most {limits.max_pixels:,} are taken.")
    if header.frames > limits.max_frames:
        raise BadImageError(f"The image has more than {limits.max_frames:,} frames or pages; at most that many are taken.")
    total = header.total_pixels or pixels * header.frames
    if total > limits.max_total_pixels:
        raise BadImageError(f"All frames together have {total:,} pixels; at most {limits.max_total_pixels:,} are taken.")


def _check_exif(block: bytes) -> None:
    """Pillow copies the data of every tag at once, and any number of tags may claim the same bytes as theirs."""
    try:
        directories = Directories(io.BytesIO(block))
    except ValueError:
        return
    entries, _ = directories.read(directories.first, _MOST_EXIF_ENTRIES)
    if sum(entry.size for entry in entries.values()) > _MAX_EXIF_CLAIMED:
        raise BadImageError(f"The tags of its EXIF claim more than {_MAX_EXIF_CLAIMED:,} bytes; send the image without it.")
