"""Small files that claim to be huge are refused with their reason, for little memory and time: measured in real processes."""

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.errors import BadImageError
from chalicelib.model.pictures import Limits
from tests.unit.examining import encoded, examined, noise, png_chunk, png_with, raw_png, tiff_block

_MOST_MEGABYTES, _MOST_SECONDS = 100, 2.0
_PROBE = """
import json, re, sys, time
from pathlib import Path
from chalicelib.errors import RepositoryError
from chalicelib.imaging.examine import examine
from chalicelib.model.pictures import Limits

def kilobytes(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

limits = Limits(max_pixels=150_000_000, max_frames=2_000, max_total_pixels=500_000_000)
before, started = kilobytes("VmRSS"), time.process_time()
try:
    with open(sys.argv[1], "rb") as file:
        examine(file, b"", limits)
    outcome = "taken"
except RepositoryError as refusal:
    outcome = refusal.code + ": " + refusal.message
print(json.dumps([outcome, (kilobytes("VmHWM") - before) / 1024, time.process_time() - started]))
"""


def _exif_bomb() -> bytes:
    """Thousands of tags, each of which claims the same bytes as its own."""
    count, size = 4000, 13_000
    offset = struct.pack("<I", 10 + 12 * count + 4)
    return tiff_block([(40_000 + tag, 7, size, offset) for tag in range(count)], data=bytes(size))


def _jpeg_with(exif: bytes) -> bytes:
    whole = encoded(noise("RGB"), "JPEG")
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", 8 + len(exif[at : at + 60_000])) + b"Exif\0\0" + exif[at : at + 60_000]
        for at in range(0, len(exif), 60_000)
    )
    return whole[:2] + segments + whole[2:]


def _png() -> bytes:
    return raw_png(60_000, 60_000, 8, 2, bytes(1 << 20))


def _texts() -> bytes:
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9))
    return png_with(encoded(noise("RGB"), "PNG"), text * 60)


def _text() -> bytes:
    return png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(200 << 20), 9)))


def _profile() -> bytes:
    return png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(200 << 20), 9)))


def _apng() -> bytes:
    whole = encoded(noise("RGB"), "PNG", save_all=True, append_images=[noise("RGB", seed=2)])
    at = whole.index(b"acTL") - 4
    return whole[:at] + png_chunk(b"acTL", struct.pack(">II", 1 << 30, 0)) + whole[at + 20 :]


def _gif() -> bytes:
    whole = encoded(noise("L"), "GIF")
    return whole[:6] + b"\xff\xff\xff\xff" + whole[10:]


def _gif_frames() -> bytes:
    whole = encoded(noise("L", (1, 1)), "GIF")
    return whole[:-1] + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * 500_000 + b";"


def _webp() -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" * 2 + b"VP8L" + struct.pack("<I", 6) + b"\x2f\0\0\0\0\0"
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _webp_frames() -> bytes:
    whole = encoded(noise("RGB", (8, 8)), "WEBP", save_all=True, append_images=[noise("RGB", (8, 8), 2)], lossless=True)
    at = whole.index(b"ANMF")
    body = whole[12:at] + whole[at : at + 8 + struct.unpack("<I", whole[at + 4 : at + 8])[0]] * 20_000
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _tiff() -> bytes:
    def long(value: int) -> bytes:
        return struct.pack("<I", value)

    tags = [(256, 70_000), (257, 70_000), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 70_000), (279, 10)]
    return tiff_block([(tag, 4, 1, long(value)) for tag, value in tags])


def _tiff_tiles() -> bytes:
    tags = [(256, 1), (257, 1), (258, 8), (259, 8), (262, 1), (277, 1), (322, 1 << 16), (323, 1 << 16), (324, 8), (325, 9)]
    return tiff_block([(tag, 4, 1, struct.pack("<I", value)) for tag, value in tags])


def _tiff_tags() -> bytes:
    size = 1 << 20
    first = 10 + 12 * 109 + 4
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, first), (277, 1), (278, 1), (279, 1)]
    usual = [(tag, 4, 1, struct.pack("<I", value)) for tag, value in tags]
    return tiff_block(usual + [(50_000 + tag, 7, size, struct.pack("<I", first)) for tag in range(100)], data=bytes(size))


def _bmp() -> bytes:
    whole = encoded(noise("RGB"), "BMP")
    return whole[:18] + struct.pack("<ii", 100_000, 100_000) + whole[26:]


def _jpeg() -> bytes:
    whole = encoded(noise("RGB"), "JPEG")
    at = whole.index(b"\xff\xc0")
    return whole[: at + 5] + b"\xff\xff\xff\xff" + whole[at + 9 :]


def _jpeg_scans() -> bytes:
    whole = encoded(Image.new("L", (5000, 5000)), "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[at:-2] * 3000 + whole[-2:]


def _resized(file_format: str) -> bytes:
    """The container claims too much."""
    whole = encoded(noise("RGB", (64, 64)), file_format)
    return whole.replace(b"ispe" + struct.pack(">III", 0, 64, 64), b"ispe" + struct.pack(">III", 0, 40_000, 40_000))


_BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG": (_png, "pixels"),
    "PNG with a packed profile": (_profile, "larger than"),
    "PNG with a billion frames": (_apng, "frames"),
    "PNG with EXIF": (lambda: png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"eXIf", _exif_bomb())), "EXIF"),
    "GIF": (_gif, "pixels"),
    "GIF with many frames": (_gif_frames, "frames"),
    "WebP": (_webp, "pixels"),
    "WebP with many frames": (_webp_frames, "frames"),
    "TIFF": (_tiff, "pixels"),
    "TIFF with huge tiles": (_tiff_tiles, "tiles"),
    "TIFF with overlapping tags": (_tiff_tags, "tags"),
    "BMP": (_bmp, "pixels|before its image"),
    "JPEG": (_jpeg, "pixels"),
    "JPEG with EXIF": (lambda: _jpeg_with(_exif_bomb()), "EXIF"),
    "JPEG of thousands of scans": (_jpeg_scans, "scans"),
    "AVIF": (lambda: _resized("AVIF"), "pixels"),
    "HEIC": (lambda: _resized("HEIF"), "pixels"),
}


def _outcome(bomb: bytes, folder: Path) -> str:
    """What becomes of it, for little memory and time."""
    path = folder / "bomb"
    path.write_bytes(bomb)
    ran = subprocess.run([sys.executable, "-c", _PROBE, str(path)], check=True, capture_output=True, text=True, timeout=60)
    outcome, megabytes, seconds = json.loads(ran.stdout)
    assert megabytes < _MOST_MEGABYTES
    assert seconds < _MOST_SECONDS
    return str(outcome)


@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_is_refused_for_little_memory_and_time(name: str, tmp_path: Path) -> None:
    make, reason = _BOMBS[name]
    outcome = _outcome(make(), tmp_path)
    assert outcome.startswith("BadImageError: ")
    assert any(word in outcome for word in reason.split("|")), outcome


def _huge_exif() -> bytes:
    return png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"eXIf", bytes(20 << 20)))


@pytest.mark.parametrize("make", [_texts, _text, _huge_exif])
def test_what_would_be_much_beside_the_picture_is_let_lie(make: Callable[[], bytes], tmp_path: Path) -> None:
    assert _outcome(make(), tmp_path) == "taken"


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_a_container_that_claims_less_than_is_coded_in_it_does_not_get_past_the_limit(file_format: str) -> None:
    whole = encoded(noise("RGB", (640, 512)), file_format)
    claim = b"ispe" + struct.pack(">III", 0, 640, 512)
    assert claim in whole
    with pytest.raises(BadImageError, match=r"327,680 pixels"):
        examined(whole.replace(claim, b"ispe" + struct.pack(">III", 0, 64, 64)), Limits(100_000, 10, 1_000_000))
