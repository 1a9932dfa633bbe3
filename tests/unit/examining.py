"""Pictures that tests make for themselves, and what `examine` makes of them."""

import hashlib
import io
import random
import struct
import tempfile
import zlib
from typing import Any

import pillow_heif
from PIL import Image

from chalicelib.imaging.examine import examine
from chalicelib.model.pictures import Limits, Picture

LIMITS = Limits(max_pixels=150_000_000, max_frames=2_000, max_total_pixels=500_000_000)

pillow_heif.register_heif_opener()


def noise(mode: str, size: tuple[int, int] = (37, 23), seed: int = 1) -> Image.Image:
    """A picture of random samples: any two seeds differ in every row."""
    bytes_per_row = len(Image.new(mode, (size[0], 1)).tobytes())
    return Image.frombytes(mode, size, random.Random(seed).randbytes(bytes_per_row * size[1]))  # noqa: S311 - a picture


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def examined(data: bytes, limits: Limits = LIMITS) -> Picture:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return examine(file, hashlib.sha256(data).digest(), limits)


def same(one: bytes, other: bytes) -> bool:
    return examined(one).identity == examined(other).identity


def exif_with(tag: int, value: Any) -> bytes:
    exif = Image.Exif()
    exif[tag] = value
    return exif.tobytes()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(png: bytes, *chunks: bytes) -> bytes:
    """`png` with more chunks right behind its header."""
    header_end = 8 + 25
    return png[:header_end] + b"".join(chunks) + png[header_end:]


def raw_png(width: int, height: int, bits: int, colour_type: int, rows: bytes) -> bytes:
    """A PNG of exactly these rows; each begins with its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body


def tiff_block(entries: list[tuple[int, int, int, bytes]], order: str = "<", data: bytes = b"") -> bytes:
    """A TIFF header and one directory of (tag, type, count, four bytes of value or offset), then `data`.

    `data` begin at offset 10 + 12 per entry + 4.
    """
    mark = b"II*\0" if order == "<" else b"MM\0*"
    rows = b"".join(struct.pack(order + "HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return mark + struct.pack(order + "IH", 8, len(entries)) + rows + bytes(4) + data
