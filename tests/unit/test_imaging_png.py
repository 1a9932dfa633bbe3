"""PNG: every byte is the picture, known metadata, or what makes only the equal file the same; and what its colour key hides."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.imaging.blocks import more
from chalicelib.imaging.headers import png
from tests.unit.examining import encoded, examined, exif_with, noise, png_chunk, png_with, raw_png, same
from tests.unit.sameness import assert_apart, assert_same, merged, shows_the_same

_PLAIN = encoded(noise("RGB", (20, 15)), "PNG")
_END = len(_PLAIN) - 12
_FILM = b"\0\0\0\x14ftypmp42\0\0\0\0mp42\0\0\x01\x08mdat" + noise("L", (16, 16)).tobytes()
_METADATA = [
    *(b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"bKGD", b"hIST", b"sPLT", b"oFFs"),
    *(b"iDOT", b"orNT", b"vpAg", b"caNv", b"caBX"),
]
_KNOWN = {
    *_METADATA,
    *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP"),
    *(b"mDCV", b"cLLI", b"sBIT", b"eXIf"),
}
_NAMES = st.text("ABCDEFGHIJabcdefghij", min_size=4, max_size=4).map(str.encode).filter(lambda name: name not in _KNOWN)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(_METADATA), st.binary(max_size=40), st.booleans())
def test_known_metadata_may_differ(name: bytes, content: bytes, behind: bool) -> None:
    chunk = png_chunk(name, b"Comment\0" + content)
    assert merged(_PLAIN, _PLAIN[:_END] + chunk + _PLAIN[_END:] if behind else png_with(_PLAIN, chunk))


def test_what_libvips_reads_of_known_metadata_changes_nothing_that_is_shown() -> None:
    assert_same(_PLAIN, png_with(_PLAIN, png_chunk(b"tEXt", b"Comment\0text"), png_chunk(b"pHYs", bytes(9))))
    assert_same(_PLAIN, png_with(_PLAIN, png_chunk(b"eXIf", exif_with(0x010F, "Somebody").removeprefix(b"Exif\0\0"))))


@settings(max_examples=80, deadline=None)
@given(_NAMES, st.binary(max_size=40), st.booleans())
def test_no_unknown_chunk_is_merged_away(name: bytes, content: bytes, behind: bool) -> None:
    chunk = png_chunk(name, content)
    other = _PLAIN[:_END] + chunk + _PLAIN[_END:] if behind else png_with(_PLAIN, chunk)
    assert examined(other).width == 20
    assert_apart(_PLAIN, other)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_no_tail_but_padding_is_merged_away(tail: bytes) -> None:
    assert merged(_PLAIN, _PLAIN + tail) == (not tail.strip(b"\0\r\n"))


_RICH = png_with(
    _PLAIN,
    png_chunk(b"tEXt", b"Comment\0some text"),
    png_chunk(b"gAMA", struct.pack(">I", 45455)),
    png_chunk(b"pHYs", bytes(9)),
)


@settings(max_examples=120, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_one_altered_byte_is_never_merged_away(share: float, flips: int) -> None:
    at = int(len(_RICH) * share)
    altered = _RICH[:at] + bytes((_RICH[at] ^ flips,)) + _RICH[at + 1 :]
    assert not merged(_RICH, altered) or shows_the_same(_RICH, altered)
    unlisted = png_with(_RICH, png_chunk(b"unLs", b"x" * 9))
    altered = unlisted[:at] + bytes((unlisted[at] ^ flips,)) + unlisted[at + 1 :]
    assert not merged(unlisted, altered)


_PROFILE = b"name\0\0" + zlib.compress(bytes(200))


@pytest.mark.parametrize(
    "chunks",
    [
        [png_chunk(b"gAMA", struct.pack(">I", 45455)), png_chunk(b"gAMA", struct.pack(">I", 45456))],
        [png_chunk(b"sRGB", b"\0hidden")],
        [png_chunk(b"sBIT", rb"\8\8\8hidden")],
        [png_chunk(b"iCCP", b"name\0\0not packed")],
        [png_chunk(b"fcTL", bytes(26)), png_chunk(b"fdAT", bytes(30))],
        [png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x GDepth:Data='QUJD'/>")],
        [png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x GDepth:Data='QUJD'/>"))],
        [png_chunk(b"prVW", b"layers of Fireworks")],
    ],
)
def test_what_decoders_pass_over_is_not_merged_away(chunks: list[bytes]) -> None:
    assert_apart(_PLAIN, png_with(_PLAIN, *chunks))


def test_what_stands_behind_a_profile_is_not_merged_away() -> None:
    assert_apart(png_with(_PLAIN, png_chunk(b"iCCP", _PROFILE)), png_with(_PLAIN, png_chunk(b"iCCP", _PROFILE + b"hidden")))


def test_what_stands_behind_the_pixels_is_not_merged_away() -> None:
    for chunk in (png_chunk(b"gAMA", struct.pack(">I", 45455)), png_chunk(b"PLTE", bytes(6))):
        assert_apart(_PLAIN, _PLAIN[:_END] + chunk + _PLAIN[_END:])
    text, pixels = png_chunk(b"tEXt", b"Comment\0x"), png_chunk(b"IDAT", b"hidden")
    assert_apart(_PLAIN, _PLAIN[:_END] + text + pixels + _PLAIN[_END:])


@pytest.mark.parametrize("tail", [_FILM, bytes(9) + _FILM])
def test_a_film_behind_the_picture_or_in_a_chunk_is_found_whole(tail: bytes) -> None:
    for data in (_PLAIN + tail, png_with(_PLAIN, png_chunk(b"moVi", _FILM))):
        (found,) = more(png.read(io.BytesIO(data)).blocks)
        assert (found.holds, found.content_type) == ("film", "video/mp4")
        assert data[found.start : found.end] == _FILM


def _grey(bits: int, key: int | None) -> bytes:
    """All samples that there are, once."""
    count = 1 << min(bits, 8)
    values = range(count) if bits < 16 else (value << 8 | value for value in range(count))
    packed = "".join(f"{value:0{bits}b}" for value in values)
    row = int(packed, 2).to_bytes(len(packed) // 8 or 1, "big")
    row = row if len(packed) >= 8 else bytes((int(packed.ljust(8, "0"), 2),))
    plain = raw_png(count, 1, bits, 0, b"\0" + row)
    return plain if key is None else png_with(plain, png_chunk(b"tRNS", struct.pack(">H", key)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([1, 2, 4, 8]), st.integers(0, 0xFFFF))
def test_greys_are_transparent_where_they_equal_the_key(bits: int, key: int) -> None:
    plain, keyed = _grey(bits, None), _grey(bits, key)
    most = (1 << bits) - 1
    wanted = Image.new("LA", (most + 1, 1))
    for value in range(most + 1):
        wanted.putpixel((value, 0), (value * 255 // most, 0 if value == key & most else 255))
    assert same(keyed, encoded(wanted, "PNG"))
    assert not same(keyed, plain)
    assert shows_the_same(keyed, encoded(wanted, "PNG"))
    assert _thumbnail_alpha(keyed) == wanted.getchannel("A").tobytes()


def test_sixteen_bit_greys_are_transparent_where_they_equal_the_key() -> None:
    keyed = _grey(16, 0x7777)
    assert not same(keyed, _grey(16, None))
    assert _thumbnail_alpha(keyed) == bytes(0 if value == 0x77 else 255 for value in range(256))
    assert examined(_grey(16, 0x7776)).thumbnails.content_type == "image/jpeg"


def test_colours_are_transparent_where_they_equal_the_key() -> None:
    picture = noise("RGB", (9, 1))
    plain = encoded(picture, "PNG")
    key = b"".join(bytes((7, sample)) for sample in picture.tobytes()[3:6])
    alpha = bytes(0 if picture.tobytes()[at : at + 3] == picture.tobytes()[3:6] else 255 for at in range(0, 27, 3))
    picture.putalpha(Image.frombytes("L", (9, 1), alpha))
    assert same(png_with(plain, png_chunk(b"tRNS", key)), encoded(picture, "PNG"))


def _thumbnail_alpha(data: bytes) -> bytes:
    with Image.open(io.BytesIO(examined(data).thumbnails.contents[1280])) as thumbnail:
        return thumbnail.getchannel("A").tobytes()


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (encoded(noise("1"), "PNG"), "1-bit"),
        (encoded(noise("L"), "PNG"), "grey"),
        (encoded(noise("I;16"), "PNG"), "grey 16"),
        (encoded(noise("RGB"), "PNG"), "rgb"),
        (encoded(noise("RGBA"), "PNG"), "rgba"),
        (encoded(noise("RGB").quantize(9), "PNG"), "palette"),
        (encoded(noise("RGB").quantize(9), "PNG", transparency=3), "palette key"),
        (encoded(noise("L"), "PNG", transparency=3), "rgba"),
    ],
)
def test_the_header_tells_how_it_is_coded(data: bytes, coding: str) -> None:
    assert png.read(io.BytesIO(data)).coding == coding
