"""Decodes the kinds of BMP that Pillow reads wrongly: runs, alpha in 16 bits, and palettes that it takes for greys."""

from typing import BinaryIO

from PIL import Image

from chalicelib.imaging.headers.bmp import RLE4, RLE8, Layout, layout
from chalicelib.imaging.headers.bmp_rle import unpacked
from chalicelib.imaging.headers.header import take

_PILLOWS_16 = {(0x7C00, 0x3E0, 0x1F): "BGR;15", (0xF800, 0x7E0, 0x1F): "BGR;16"}
_INDICES = {1: "P;1", 4: "P;4", 8: "P"}
_OPAQUE = (255, 255)


def decoded(file: BinaryIO) -> Image.Image | None:
    """The picture, or `None` where Pillow reads it rightly. Raises `BadImageError` where the file ends before it does."""
    found = layout(file)
    if found.compression in {RLE4, RLE8}:
        file.seek(found.pixels_at)
        runs = unpacked(file.read(), found.compression == RLE4, found.width, found.height)
        return _with_palette(file, found, Image.frombytes("P", (found.width, found.height), runs.pixels))
    if found.depth == 16 and (found.masks[3] or found.masks[:3] not in _PILLOWS_16):
        return _from_fields(file, found)
    # Pillow takes a palette that is 0, 1, 2, … grey by grey, or black and white, for samples of 8 bits or of 1.
    if (found.depth == 8 and found.colours <= 2) or found.depth == 4 or (found.depth == 1 and found.colours != 2):
        return _with_palette(file, found, _raw(file, found, "P", _INDICES[found.depth]))
    return None


def _raw(file: BinaryIO, found: Layout, mode: str, raw_mode: str) -> Image.Image:
    file.seek(found.pixels_at)
    data = take(file, found.row_bytes * found.height, "BMP")
    direction = 1 if found.top_down else -1
    return Image.frombytes(mode, (found.width, found.height), data, "raw", raw_mode, found.row_bytes, direction)


def _with_palette(file: BinaryIO, found: Layout, image: Image.Image) -> Image.Image:
    file.seek(found.palette_at)
    entry, colours = found.palette_entry, min(found.colours, 256)
    data = take(file, entry * colours, "BMP")
    rgb = bytes(data[at + 2 - channel] for at in range(0, len(data), entry) for channel in range(3))
    image.putpalette(rgb.ljust(768, b"\0"))
    return image


def _from_fields(file: BinaryIO, found: Layout) -> Image.Image:
    """Sixteen bits by their masks; alpha that is opaque throughout is none."""
    samples = _raw(file, found, "I;16", "I;16").convert("I")
    *colours, alpha = found.masks
    known = _PILLOWS_16.get(found.masks[:3])
    image = _raw(file, found, "RGB", known) if known else Image.merge("RGB", [_channel(samples, mask) for mask in colours])
    if alpha:
        opacity = _channel(samples, alpha)
        if opacity.getextrema() != _OPAQUE:
            image.putalpha(opacity)
    return image


def _channel(samples: Image.Image, mask: int) -> Image.Image:
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    most = mask >> shift or 1
    return samples.point([round(((value & mask) >> shift) * 255 / most) for value in range(1 << 16)], "L")
