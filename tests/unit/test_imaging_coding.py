"""What decoding will cost is told by how a picture is coded; and the blocks of every file cover it wholly."""

import io
from typing import Any, BinaryIO

import pytest

from chalicelib.imaging.headers import bmp, heif, tiff, webp
from chalicelib.imaging.headers.header import Header
from tests.unit.examining import encoded, noise

_SIZE = (64, 48)


def _header(data: bytes, file_format: str) -> Header:
    file: BinaryIO = io.BytesIO(data)
    match file_format:
        case "TIFF":
            return tiff.read(file, 10)
        case "BMP":
            return bmp.read(file, len(data))
        case "WEBP":
            return webp.read(file)
    return heif.read(file, "AVIF" if file_format == "AVIF" else "HEIC")


@pytest.mark.parametrize(
    ("file_format", "mode", "options", "coding"),
    [
        ("TIFF", "1", {"compression": "group4"}, "bilevel"),
        ("TIFF", "RGB", {}, "plain"),
        ("TIFF", "L", {"compression": "tiff_lzw"}, "plain"),
        ("TIFF", "I;16", {}, "grey 16"),
        ("TIFF", "F", {}, "float"),
        ("BMP", "1", {}, "1-bit"),
        ("BMP", "RGB", {}, "rgb"),
        ("BMP", "L", {}, ""),
        ("AVIF", "RGB", {}, "8-bit 420"),
        ("AVIF", "RGB", {"subsampling": "4:4:4"}, "444 or alpha"),
        ("AVIF", "RGBA", {}, "444 or alpha"),
        ("HEIF", "RGB", {}, "8-bit"),
        ("WEBP", "RGB", {}, ""),
    ],
)
def test_headers_tell_the_coding_and_name_every_byte(file_format: str, mode: str, options: dict[str, Any], coding: str) -> None:
    data = encoded(noise(mode, _SIZE), file_format, **options)
    header = _header(data, file_format)
    assert header.coding == coding
    edges = [edge for block in header.blocks for edge in (block.start, block.end)]
    assert [0, *edges[1:-1:2]] == [*edges[0::2]]
    assert edges[-1] == len(data)
