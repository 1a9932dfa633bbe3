"""EXIF that is larger than any is worth reading: the picture is taken, without facts, and nothing is merged with it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from chalicelib.imaging.headers.header import MAX_EXIF_BYTES
from tests.unit.examining import encoded, examined, noise

LARGE = b"II*\0\x08\0\0\0\0\0\0\0\0\0" + bytes(MAX_EXIF_BYTES)


def _png() -> tuple[bytes, bytes]:
    plain = encoded(noise("RGB", (8, 8)), "PNG")
    chunk = b"eXIf" + LARGE
    added = struct.pack(">I", len(LARGE)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return plain, plain[:33] + added + plain[33:]


def _jpeg() -> tuple[bytes, bytes]:
    plain = encoded(noise("RGB", (8, 8)), "JPEG")
    pieces = [LARGE[at : at + 65_000] for at in range(0, len(LARGE), 65_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 8 + len(piece)) + b"Exif\0\0" + piece for piece in pieces)
    return plain, plain[:2] + segments + plain[2:]


def _webp() -> tuple[bytes, bytes]:
    plain = encoded(noise("RGB", (8, 8)), "WEBP", lossless=True)
    file = io.BytesIO()
    Image.open(io.BytesIO(plain)).save(file, "WEBP", lossless=True, exif=b"Exif\0\0" + LARGE)
    return plain, file.getvalue()


@pytest.mark.parametrize("make", [_png, _jpeg, _webp])
def test_the_picture_is_taken_and_only_the_equal_file_is_the_same(make: object) -> None:
    assert callable(make)
    plain, large = (examined(data) for data in make())
    assert large.pixel_sha512 == plain.pixel_sha512
    assert large.facts.exif == {}
    assert large.identity != plain.identity
