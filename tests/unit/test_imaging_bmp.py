"""BMP: every byte is accounted for, and what Pillow reads wrongly is read rightly, or not at all."""

import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.errors import BadImageError, UnsupportedImageError
from tests.unit.examining import encoded, examined, noise, same
from tests.unit.sameness import merged

_HEADER = 14


def _bmp(
    size: tuple[int, int],
    depth: int,
    rows: bytes,
    *,
    masks: tuple[int, ...] = (),
    compression: int = 0,
    palette: bytes = b"",
    colours: int = 0,
    gap: bytes = b"",
    header_bytes: int = 40,
) -> bytes:
    header = struct.pack("<IiiHHIIiiII", header_bytes, *size, 1, depth, compression, len(rows), 0, 0, colours, 0)
    header = (header + struct.pack(f"<{len(masks)}I", *masks)).ljust(header_bytes, b"\0") + palette + gap
    return b"BM" + struct.pack("<IHHI", _HEADER + len(header) + len(rows), 0, 0, _HEADER + len(header)) + header + rows


def _rows(size: tuple[int, int], depth: int, seed: int = 1, mask: int = -1) -> bytes:
    """Random samples, row by row, filled up with zeros."""
    dice = random.Random(seed)  # noqa: S311 - a picture
    used = size[0] * depth // 8
    filled = (size[0] * depth + 31) // 32 * 4
    rows = bytearray()
    for _ in range(size[1]):
        row = dice.randbytes(used)
        if depth in {16, 32}:
            code = "H" if depth == 16 else "I"
            row = b"".join(struct.pack(f"<{code}", value & mask) for (value,) in struct.iter_unpack(f"<{code}", row))
        rows += row.ljust(filled, b"\0")
    return bytes(rows)


_SIZE = (9, 6)
_PLAIN = {
    "24 bits": _bmp(_SIZE, 24, _rows(_SIZE, 24)),
    "16 bits": _bmp(_SIZE, 16, _rows(_SIZE, 16, mask=0x7FFF)),
    "32 bits": _bmp(_SIZE, 32, _rows(_SIZE, 32, mask=0xFFFFFF)),
    "8 bits": _bmp(_SIZE, 8, _rows(_SIZE, 8), palette=b"".join(bytes((i, 255 - i, 7, 0)) for i in range(256))),
}


@pytest.mark.parametrize("name", _PLAIN)
@settings(max_examples=15, deadline=None)
@given(content=st.binary(min_size=1, max_size=20).filter(any))
def test_gaps_tails_reserved_words_and_what_fills_up_rows_count(name: str, content: bytes) -> None:
    whole = _PLAIN[name]
    offset = int.from_bytes(whole[10:14], "little")
    gap = whole[:10] + struct.pack("<I", offset + len(content)) + whole[14:offset] + content + whole[offset:]
    assert not merged(gap, whole)
    assert not merged(whole + content + b"x", whole)
    assert not merged(whole[:6] + (content + b"\0\0\0")[:4] + whole[10:], whole) or not any(content[:4])
    if name in {"24 bits", "16 bits", "8 bits"}:
        assert not merged(whole[:-1] + b"\7", whole)


@pytest.mark.parametrize("name", _PLAIN)
@settings(max_examples=15, deadline=None)
@given(zeros=st.integers(0, 99), resolution=st.integers(0, 1 << 31 - 1))
def test_zeros_and_the_resolution_do_not_count(name: str, zeros: int, resolution: int) -> None:
    whole = _PLAIN[name]
    assert same(whole + bytes(zeros), whole)
    assert same(whole[:38] + struct.pack("<II", resolution, resolution) + whole[46:], whole)


def _fields(depth: int, rows: bytes, *masks: int, size: tuple[int, int] = _SIZE) -> bytes:
    return _bmp(size, depth, rows, masks=masks, compression=3, header_bytes=108)


@pytest.mark.parametrize(("red", "green", "blue", "alpha"), [(0x7C00, 0x3E0, 0x1F, 0x8000), (0xF00, 0xF0, 0xF, 0xF000)])
def test_alpha_of_sixteen_bits_is_alpha(red: int, green: int, blue: int, alpha: int) -> None:
    rows = _rows(_SIZE, 16, mask=0xFFFF & ~alpha)
    opaque = b"".join(struct.pack("<H", value | alpha) for (value,) in struct.iter_unpack("<H", rows))
    opaque = b"".join(opaque[at : at + 18] + b"\0\0" for at in range(0, len(opaque), 20))
    pierced = opaque[:1] + bytes((opaque[1] & 0x7F,)) + opaque[2:]
    plain = _fields(16, rows, red, green, blue, 0)
    assert same(_fields(16, opaque, red, green, blue, alpha), plain)
    assert not same(_fields(16, pierced, red, green, blue, alpha), plain)
    found = examined(_fields(16, pierced, red, green, blue, alpha))
    assert found.mode == "RGBA"
    assert found.thumbnails.extension == "webp"


def test_fields_are_read_as_they_say() -> None:
    rows = struct.pack("<HH", 0xF00, 0x0F0) + struct.pack("<HH", 0x00F, 0xFFF)
    with_fields = _fields(16, rows, 0xF00, 0xF0, 0xF, 0, size=(2, 2))
    picture = Image.frombytes("RGB", (2, 2), b"\0\0\xff\xff\xff\xff" + b"\xff\0\0\0\xff\0")
    assert same(with_fields, encoded(picture, "PNG"))


@settings(max_examples=15, deadline=None)
@given(at=st.integers(0, 53), value=st.integers(1, 254))
def test_a_byte_beside_the_colours_that_holds_something_counts(at: int, value: int) -> None:
    whole = _PLAIN["32 bits"]
    offset = int.from_bytes(whole[10:14], "little")
    place = offset + 4 * at + 3
    one = whole[:place] + bytes((value,)) + whole[place + 1 :]
    assert not same(one, whole)


def test_a_palette_of_greys_is_read_by_its_indices() -> None:
    size, rows = (8, 2), b"\0\1\0\1\1\0\1\0" * 2
    few = _bmp(size, 8, rows, palette=b"\0\0\0\0\xff\xff\xff\0", colours=2)
    picture = Image.frombytes("L", size, bytes(255 * value for value in rows))
    assert same(few, encoded(picture, "PNG"))
    ramp = _bmp(size, 4, b"\x01\x23\x45\x67" * 2, palette=b"".join(bytes((i, i, i, 0)) for i in range(16)))
    assert same(ramp, encoded(Image.frombytes("L", size, bytes(range(8)) * 2), "PNG"))


def _runs(depth: int, runs: bytes, size: tuple[int, int] = (5, 3), tail: bytes = b"") -> bytes:
    palette = b"".join(bytes((i * 13 & 255, 255 - i, 7, 0)) for i in range(1 << depth))
    return _bmp(size, depth, runs, compression=1 if depth == 8 else 2, palette=palette) + tail


def test_runs_are_unpacked_as_they_say() -> None:
    # From the bottom: three and two; an empty row; two skipped, then three as they are, filled up.
    eight = b"\3\1\2\2\0\0" + b"\0\0" + b"\0\2\2\0" + b"\0\3\4\5\6\0" + b"\0\1"
    four = b"\3\x11\2\x22\0\0" + b"\0\0" + b"\0\2\2\0" + b"\0\3\x45\x60" + b"\0\1"
    indices = b"\0\0\4\5\6" + bytes(5) + b"\1\1\1\2\2"
    for depth, runs in ((8, eight), (4, four)):
        palette = b"".join(bytes((7, 255 - i, i * 13 & 255)) for i in range(1 << depth))
        picture = Image.frombytes("P", (5, 3), indices)
        picture.putpalette(palette)
        assert same(_runs(depth, runs), encoded(picture.convert("RGB"), "PNG"))
        assert same(_runs(depth, runs, tail=bytes(9)), _runs(depth, runs))
        assert not same(_runs(depth, runs, tail=b"hidden"), _runs(depth, runs))
        with pytest.raises(BadImageError, match="ends before"):
            examined(_runs(depth, runs[:8]))


@pytest.mark.parametrize(
    "data",
    [
        _bmp(_SIZE, 32, bytes(400), masks=(0x3FF00000, 0xFFC00, 0x3FF, 0), compression=3, header_bytes=108),
        _bmp(_SIZE, 32, bytes(400), compression=4),
        _bmp(_SIZE, 32, bytes(400), compression=5),
        _bmp(_SIZE, 2, bytes(400)),
        _bmp(_SIZE, 64, bytes(1000)),
        _bmp(_SIZE, 16, bytes(400), masks=(0x5000, 0x3E0, 0x1F, 0), compression=3, header_bytes=108),
        _bmp(_SIZE, 24, bytes(400), compression=3, header_bytes=64),
    ],
)
def test_kinds_that_nobody_here_decodes_are_not_called_damaged(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="of a kind that is not taken"):
        examined(data)


def test_a_profile_that_is_linked_or_embedded_counts() -> None:
    rows = _rows(_SIZE, 24)
    whole = bytearray(_bmp(_SIZE, 24, rows, header_bytes=124))
    whole[_HEADER + 56 : _HEADER + 60] = b"BGRs"
    linked = bytearray(whole)
    linked[_HEADER + 56 : _HEADER + 60] = b"KNIL"
    linked[_HEADER + 112 : _HEADER + 120] = struct.pack("<II", len(whole) - _HEADER, 9)
    assert same(bytes(whole), _PLAIN["24 bits"])
    assert not same(bytes(linked) + b"C:\\a.icc\0", bytes(whole))
    assert not same(bytes(linked) + b"C:\\a.icc\0", bytes(linked) + b"C:\\b.icc\0")


def test_pillow_agrees_on_what_it_reads() -> None:
    for mode in ("RGB", "L", "1"):
        data = encoded(noise(mode), "BMP")
        with Image.open(io.BytesIO(data)) as image:
            assert same(data, encoded(image.convert("RGB"), "PNG"))
