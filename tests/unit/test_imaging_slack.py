"""What is packed behind the last pixel shows nowhere, and makes only the equal file the same."""

import io
import itertools
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.examining import encoded, noise, png_chunk, raw_png
from tests.unit.gifs import control, frame, gif, indices
from tests.unit.sameness import assert_apart, assert_same, merged, shows_the_same

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


_INDICES = indices(1)
_STORED = frame(_INDICES)


def _codes(*codes: int, width: int) -> bytes:
    """Codes of one width, as GIF packs them."""
    total = sum(code << width * index for index, code in enumerate(codes))
    return total.to_bytes((len(codes) * width + 7) // 8, "little")


def _stored(packed: bytes, bits: int, size: tuple[int, int] = (4, 4)) -> bytes:
    parts = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return b"," + struct.pack("<4HBB", 0, 0, *size, 0, bits) + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


@settings(max_examples=30, deadline=None)
@given(_HIDDEN.filter(lambda hidden: any(hidden)), st.integers(0, 1))
def test_nothing_behind_the_end_of_a_gif_frame_is_merged_away(hidden: bytes, index: int) -> None:
    plain = [control(0) + _STORED, control(0) + frame(indices(2))]
    length = len(control(0)) + 11
    old = plain[index]
    within = old[:length] + bytes((old[length] + len(hidden),)) + old[length + 1 : -1] + hidden + b"\0"
    for other in (old[:-1] + bytes((len(hidden),)) + hidden + b"\0", within):
        changed = [other if at == index else whole for at, whole in enumerate(plain)]
        assert shows_the_same(gif(*plain), gif(*changed))
        assert_apart(gif(*plain), gif(*changed))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.booleans())
def test_no_codes_beyond_the_last_pixel_of_a_gif_are_merged_away(hidden: list[int], ended: bool) -> None:
    """Eight bits, so that the codes stay nine bits wide for this long."""
    pixels = [256, *_INDICES.tobytes()]
    plain = gif(_stored(_codes(*pixels, 257, width=9), 8))
    other = gif(_stored(_codes(*pixels, *hidden, *[257] * ended, width=9), 8))
    assert_same(plain, gif(_STORED))
    assert shows_the_same(plain, other)
    assert_apart(plain, other)


def test_gifs_without_the_code_for_the_end_or_with_one_to_start_over_before_it_are_known_by_their_pixels() -> None:
    pixels = [256, *_INDICES.tobytes()]
    for codes in (pixels, [256, *pixels, 257], [*pixels, 256, 257], [*pixels[:9], 256, *pixels[9:], 257]):
        assert_same(gif(_stored(_codes(*codes, width=9), 8)), gif(_STORED))


@pytest.mark.parametrize("colours", [2, 3, 4, 8, 16, 200, 256])
def test_what_encoders_write_as_gif_is_known_by_its_pixels(colours: int) -> None:
    for size in ((1, 1), (2, 2), (5, 3), (37, 23), (300, 201)):
        for seed, interlace in ((1, 0), (2, 1)):
            picture = noise("L", size, seed).point(lambda value: value % colours)
            picture = picture.quantize(colours) if seed == 2 else picture
            for drawn in (picture, Image.new("L", size, 1)):
                assert_same(encoded(drawn, "GIF", interlace=interlace), encoded(drawn, "PNG"))


_PICTURE = noise("L", (20, 10)).point(lambda value: value % 3)
_COMPRESSIONS = ["tiff_lzw", "tiff_adobe_deflate", "packbits"]


def _one_strip(data: bytes, hidden: bytes) -> bytes:
    """`data`, a little-endian TIFF of one strip, with a strip that goes on."""
    with Image.open(io.BytesIO(data)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]  # a TIFF
    size, offset = (tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" for tag in (279, 273))
    short = size[:2] + b"\3\0\1\0\0\0"
    changed = data
    for head in (size, short):
        changed = changed.replace(head + length.to_bytes(4, "little"), size + (length + len(hidden)).to_bytes(4, "little"))
    changed = changed.replace(offset + start.to_bytes(4, "little"), offset + len(data).to_bytes(4, "little"))
    # What was there is zeros, which count as alignment.
    changed = changed[:start] + bytes(length) + changed[start + length :]
    return changed + data[start : start + length] + hidden


@pytest.mark.parametrize("compression", _COMPRESSIONS)
@settings(max_examples=20, deadline=None)
@given(hidden=_HIDDEN.filter(lambda hidden: any(hidden)))
def test_nothing_behind_the_pixels_of_a_tiff_strip_is_merged_away(compression: str, hidden: bytes) -> None:
    plain = encoded(_PICTURE, "TIFF", compression=compression)
    other = _one_strip(plain, hidden)
    assert_same(plain, _one_strip(plain, b""))
    assert_same(plain, _one_strip(plain, bytes(len(hidden))))
    assert shows_the_same(plain, other)
    assert_apart(plain, other)


def test_rows_beyond_the_last_in_a_tiff_are_not_merged_away() -> None:
    plain = encoded(_PICTURE, "TIFF", compression="tiff_adobe_deflate")
    with Image.open(io.BytesIO(plain)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]  # a TIFF
    packed = plain[start : start + length]
    longer = zlib.compress(zlib.decompress(packed) + b"hidden")
    other = _one_strip(plain, bytes(len(longer) - len(packed)))
    other = other[: len(plain)] + longer
    assert_apart(plain, other)


_MODES = ["1", "L", "RGB", "RGBA", "CMYK", "I;16"]


@pytest.mark.parametrize(("mode", "compression"), [("1", "group4"), *itertools.product(_MODES, _COMPRESSIONS)])
def test_what_encoders_write_as_tiff_is_known_by_its_pixels(mode: str, compression: str) -> None:
    for size in ((1, 1), (37, 23), (400, 301)):
        for picture in (noise(mode, size), Image.new(mode, size)):
            stored = encoded(picture, "TIFF", compression=compression)
            assert merged(stored, encoded(picture, "TIFF"))
