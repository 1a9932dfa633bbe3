"""What is packed behind the last pixel shows nowhere, and makes only the equal file the same."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.pictures import encoded, noise, png_chunk, raw_png
from tests.unit.sameness import assert_apart, assert_same, shows_the_same

_HIDDEN = st.binary(min_size=1, max_size=40)
_SIZE = (9, 5)
_ROWS = b"".join(b"\0" + noise("L", _SIZE).tobytes()[at : at + 9] for at in range(0, 45, 9))
#: The same grey picture in the order of Adam7.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INTERLACED = b"".join(
    b"\0" + bytes(_ROWS[10 * y + 1 + x] for x in range(left, 9, across))
    for left, top, across, down in _PASSES
    for y in range(top, 5, down)
    if left < 9
)


def _png(*packed: bytes, interlaced: bool = False) -> bytes:
    header = struct.pack(">IIBBBBB", *_SIZE, 8, 0, 0, 0, interlaced)
    chunks = png_chunk(b"IHDR", header), *(png_chunk(b"IDAT", part) for part in packed), png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(("rows", "interlaced"), [(_ROWS, False), (_INTERLACED, True)], ids=["plain", "Adam7"])
@settings(max_examples=15, deadline=None)
@given(hidden=_HIDDEN)
def test_nothing_behind_the_pixels_of_a_png_is_merged_away(rows: bytes, interlaced: bool, hidden: bytes) -> None:
    packed = zlib.compress(rows)
    plain = _png(packed, interlaced=interlaced)
    assert_same(plain, raw_png(*_SIZE, 8, 0, _ROWS))
    for other in (
        _png(packed + hidden, interlaced=interlaced),
        _png(packed, hidden, interlaced=interlaced),
        _png(packed[:-1], packed[-1:] + hidden, interlaced=interlaced),
        _png(zlib.compress(rows + hidden), interlaced=interlaced),
    ):
        assert shows_the_same(plain, other)
        assert_apart(plain, other)
    assert_apart(plain, _png(zlib.compress(rows + hidden)[:-4], interlaced=interlaced))


def test_a_sum_that_no_decoder_looks_at_is_not_merged_away() -> None:
    packed = zlib.compress(_ROWS)
    assert_apart(_png(packed), _png(packed[:-4] + b"more"))


@pytest.mark.parametrize("sizes", [(1,), (3, 1), (50,)])
def test_chunks_may_end_anywhere(sizes: tuple[int, ...]) -> None:
    packed = zlib.compress(_ROWS)
    parts = [packed[at : at + sizes[0]] for at in range(0, len(packed), sizes[0])]
    assert_same(_png(packed), _png(*parts, b"", *(b"" for _ in sizes)))


def _apng() -> bytes:
    frames = [noise("RGB", seed=seed) for seed in range(3)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)


@settings(max_examples=12, deadline=None)
@given(_HIDDEN, st.integers(0, 2))
def test_nothing_behind_a_frame_of_an_animated_png_is_merged_away(hidden: bytes, index: int) -> None:
    plain = _apng()
    name = b"IDAT" if not index else b"fdAT"
    at = plain.index(name) - 4 if not index else [at for at in range(len(plain)) if plain[at : at + 4] == name][index - 1] - 4
    length = struct.unpack(">I", plain[at : at + 4])[0]
    other = plain[:at] + png_chunk(name, plain[at + 8 : at + 8 + length] + hidden) + plain[at + 12 + length :]
    assert shows_the_same(plain, other)
    assert_apart(plain, other)


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "I;16", "P"])
def test_what_encoders_write_is_known_by_its_pixels(mode: str, level: int) -> None:
    for size in ((1, 1), (37, 23), (600, 301)):
        picture = noise("RGB", size).quantize(9) if mode == "P" else noise(mode, size)
        assert_same(encoded(picture, "PNG", compress_level=level), encoded(picture, "TIFF"))
        assert_same(encoded(Image.new(mode, size), "PNG", compress_level=level), encoded(Image.new(mode, size), "TIFF"))
