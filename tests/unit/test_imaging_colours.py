"""Colours that thumbnails show: deep greys, colour keys, and what code points declare."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from chalicelib.imaging.code_points import to_srgb_table
from chalicelib.imaging.headers.header import Header
from chalicelib.imaging.thumbnails import _plain_and_reduced, reduced
from tests.unit.examining import encoded, examined, noise, png_chunk, png_with, raw_png, tiff_block

_STEPS = (32, 64, 128, 160, 192, 224, 255)


def _shown(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(examined(data).thumbnails.contents[256]))
    image.load()
    return image


def _greys(data: bytes, places: tuple[int, ...] = _STEPS) -> list[int]:
    """The middle row of a picture whose columns go from 0 to 255."""
    image = _shown(data).convert("L")
    return [int(image.getpixel((place, image.height // 2)) or 0) for place in places]  # type: ignore[arg-type]  # of one channel


def _ramp(mode: str) -> Image.Image:
    row = b"".join(struct.pack("<H", value * 257) for value in range(256)) if mode == "I;16" else bytes(range(256))
    grey = Image.frombytes(mode if mode == "I;16" else "L", (256, 64), row * 64)
    return grey if mode == "I;16" else grey.convert(mode)


def _near(found: list[int], wanted: list[int], within: int) -> bool:
    return all(abs(mine - theirs) <= within for mine, theirs in zip(found, wanted, strict=True))


# Deep greys


@pytest.mark.parametrize("twelve", [False, True])
def test_a_deep_grey_heic_is_as_bright_as_it_is(twelve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", twelve)
    assert _near(_greys(encoded(_ramp("I;16"), "HEIF", quality=-1)), list(_STEPS), 2)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_a_deep_grey_is_as_bright_as_it_is(file_format: str) -> None:
    assert _near(_greys(encoded(_ramp("I;16"), file_format)), list(_STEPS), 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=6))
def test_a_deep_grey_is_transparent_exactly_where_it_equals_the_colour_key(key: int, others: list[int]) -> None:
    values = [key, key ^ 1, key ^ 0x100, *others]
    rows = b"\0" + struct.pack(f">{len(values)}H", *values)
    data = png_with(raw_png(len(values), 1, 16, 0, rows), png_chunk(b"tRNS", struct.pack(">H", key)))
    alpha = _shown(data).getchannel("A")
    assert [alpha.getpixel((at, 0)) == 0 for at in range(len(values))] == [value == key for value in values]


def test_a_large_deep_grey_keeps_its_transparency() -> None:
    rows = (b"\0" + b"\x80\x01" * 1500 + b"\x80\x02" * 1500) * 2000
    data = png_with(raw_png(3000, 2000, 16, 0, rows), png_chunk(b"tRNS", b"\x80\x01"))
    alpha = _shown(data).getchannel("A")
    assert (alpha.getpixel((20, 20)), alpha.getpixel((alpha.width - 20, 20))) == (0, 255)


def _twelve_bits(values: list[int]) -> bytes:
    """A TIFF of one row; two samples share three bytes."""
    packed = b"".join((one << 12 | other).to_bytes(3, "big") for one, other in zip(values[::2], values[1::2], strict=True))
    tags = {
        256: (4, len(values)),
        257: (4, 1),
        258: (3, 12),
        262: (3, 1),
        273: (4, 0),
        277: (3, 1),
        278: (4, 1),
        279: (4, len(packed)),
    }
    tags[273] = (4, 10 + 12 * len(tags) + 4)
    return tiff_block([(tag, kind, 1, struct.pack("<I", value)) for tag, (kind, value) in tags.items()], data=packed)


def test_a_grey_of_twelve_bits_is_as_bright_as_it_is() -> None:
    assert _near(_greys(_twelve_bits([value * 4095 // 255 for value in range(256)])), list(_STEPS), 2)


# Colours by code points, as browsers show them


def _declared(file_format: str, primaries: int, transfer: int, picture: Image.Image) -> bytes:
    if file_format == "PNG":
        return png_with(encoded(picture, "PNG"), png_chunk(b"cICP", bytes((primaries, transfer, 0, 1))))
    data = encoded(picture, file_format, quality=100)
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF", "PNG"])
@pytest.mark.parametrize(
    ("primaries", "transfer", "wanted", "within"),
    [
        (1, 13, [32, 64, 128, 160, 192, 224, 255], 3),
        (1, 1, [32, 64, 128, 160, 192, 224, 255], 3),
        (12, 13, [32, 64, 128, 160, 192, 224, 255], 3),
        (1, 4, [26, 62, 129, 161, 193, 225, 255], 3),
        (1, 5, [10, 40, 106, 142, 179, 217, 255], 3),
        (1, 8, [99, 137, 188, 208, 225, 241, 255], 3),
        (9, 16, [5, 30, 132, 213, 255, 255, 255], 20),
        (9, 18, [14, 43, 99, 135, 189, 228, 255], 20),
    ],
)
def test_greys_are_as_bright_as_in_a_browser(
    file_format: str, primaries: int, transfer: int, wanted: list[int], within: int
) -> None:
    assert _near(_greys(_declared(file_format, primaries, transfer, _ramp("RGB"))), wanted, within)


@pytest.mark.parametrize(("primaries", "transfer", "wanted"), [(12, 13, 142), (9, 1, 163), (9, 16, 170), (9, 18, 112)])
def test_wide_reds_are_as_red_as_in_a_browser(primaries: int, transfer: int, wanted: int) -> None:
    red = Image.new("RGB", (64, 64), (128, 0, 0))
    found = _shown(_declared("PNG", primaries, transfer, red)).convert("RGB").getpixel((32, 32))
    assert isinstance(found, tuple)
    assert _near(list(found), [wanted, 0, 0], 12)


def test_alpha_is_left_alone() -> None:
    picture = Image.new("RGBA", (64, 64), (128, 128, 128, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 64))
    shown = _shown(_declared("AVIF", 9, 16, picture))
    assert [shown.getchannel("A").getpixel((x, 32)) for x in (8, 56)] == [0, 255]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=12))
def test_code_points_that_nobody_knows_are_passed_over(rest: bytes) -> None:
    for mark in (b"nclx", b"cICP", b"gAMA", b""):
        table = to_srgb_table(mark + rest)
        assert table is None or table.channels == 3


# Strip by strip


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["RGB", "RGBA", "LA", "L", "CMYK"]), st.integers(1, 900), st.integers(1, 900))
def test_strips_are_reduced_to_what_the_whole_is_reduced_to(mode: str, width: int, height: int) -> None:
    picture = noise(mode, (width // 8 + 1, height // 8 + 1)).resize((width, height), Image.Resampling.BICUBIC)
    found = _plain_and_reduced(picture, Header("PNG", width, height, 0), 60)
    wanted = reduced(picture, 60)
    assert (found.mode, found.size) == (wanted.mode, wanted.size)
    assert max(ImageStat.Stat(ImageChops.difference(_as_seen(found), _as_seen(wanted))).mean) <= 1


def _as_seen(image: Image.Image) -> Image.Image:
    """Where nothing is to be seen, colours may differ."""
    return image.convert("RGBA").convert("RGBa").convert("RGBA") if image.mode in {"RGBA", "LA"} else image


_PROGRAM = """
import sys
from PIL import Image
from chalicelib.imaging.headers.header import Header
from chalicelib.imaging.thumbnails import make_thumbnails

def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

picture = Image.new(sys.argv[1], (8000, 3000))
header = Header("PNG", *picture.size, 0, bits=16 if sys.argv[1] == "I;16" else 8)
picture.load()
before = peak()
make_thumbnails(picture, header, None)
print((peak() - before) / (8000 * 3000))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of a process's memory")
@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "RGB", "P", "F"])
def test_thumbnails_need_little_memory_beside_the_picture(mode: str) -> None:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM, mode], check=True, capture_output=True, text=True)
    assert float(ran.stdout) < 1.5
