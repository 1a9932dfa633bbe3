"""Times in XMP and IPTC, and the texts in which PNGs hold metadata of every kind."""

import struct
import zlib
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.imaging.iptc import iptc_times, records_in
from chalicelib.imaging.png_text import TextMetadata
from chalicelib.imaging.xmp import xmp_times
from tests.unit.examining import encoded, examined, noise, png_chunk, png_with
from tests.unit.exif_blocks import block, shorts, text

_MAKE, _ORIENTATION, _CHANGED, _ORIGINAL = 0x010F, 0x0112, 0x0132, 0x9003
_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_NAMES = 'xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:p="http://ns.adobe.com/photoshop/1.0/" xmlns:x="http://ns.adobe.com/xap/1.0/"'


def xmp(content: str = "", attributes: str = "", before: str = "") -> bytes:
    return (
        f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {_RDF}>'
        f'<rdf:Description rdf:about="" {_NAMES} {attributes}>{content}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def iptc(**datasets: str) -> bytes:
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, int(number[1:]), len(value)) + value.encode() for number, value in datasets.items()
    )


def photoshop(records: bytes) -> bytes:
    """Photoshop's blocks: one with a name of odd length, and that of IPTC behind it."""
    first = b"8BIM\x03\xed\x01a\0\0\0\x03abc\0"
    return first + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records


def _times(packet: bytes) -> list[tuple[datetime, str | None, str]]:
    return [(taken.when, taken.offset, taken.source) for taken in xmp_times(packet)]


def test_times_are_read_from_attributes_and_elements_best_first() -> None:
    packet = xmp(
        "<p:DateCreated>2016-01-02T03:04:05+01:00</p:DateCreated>",
        'x:CreateDate="2017-01-02" e:DateTimeOriginal="2015-05-05T11:12"',
    )
    assert _times(packet) == [
        (datetime(2015, 5, 5, 11, 12), None, "XMP DateTimeOriginal"),
        (datetime(2016, 1, 2, 3, 4, 5), "+01:00", "XMP DateCreated"),
        (datetime(2017, 1, 2), None, "XMP CreateDate"),
    ]


def test_a_time_of_something_else_is_not_the_pictures() -> None:
    inner = '<p:History><rdf:Seq><rdf:li><rdf:Description x:CreateDate="2001-01-01"/></rdf:li></rdf:Seq></p:History>'
    assert _times(xmp(inner)) == []
    assert _times(xmp("<e:DateTimeOriginal><p:a>2001-01-01</p:a></e:DateTimeOriginal>")) == []


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE x [<!ENTITY a "2001-01-01">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ],
)
@pytest.mark.parametrize("content", ["&a;", "2001-01-01"])
def test_xmp_that_declares_anything_is_not_read(before: str, content: str) -> None:
    assert _times(xmp(f"<e:DateTimeOriginal>{content}</e:DateTimeOriginal>", before=before)) == []


def test_xmp_without_bounds_is_not_read() -> None:
    time = "<e:DateTimeOriginal>2001-01-01</e:DateTimeOriginal>"
    assert _times(xmp("<p:a>" * 5_000 + "</p:a>" * 5_000 + time)) == []
    assert _times(xmp(" " * (5 << 20) + time)) == []
    assert _times(xmp(f"<e:DateTimeOriginal>{'2' * (1 << 20)}</e:DateTimeOriginal>")) == []


_DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


def _damaged(whole: bytes, places: list[tuple[float, int]], kept: float) -> bytes:
    data = bytearray(whole)
    for share, value in places:
        data[int(share * len(data))] = value
    return bytes(data[: int(kept * len(data))])


@settings(deadline=None)
@given(_DAMAGE, st.floats(0, 1))
def test_no_damage_makes_reading_of_xmp_fail(places: list[tuple[float, int]], kept: float) -> None:
    _times(_damaged(xmp("<e:DateTimeOriginal>2015-05-05T11:12:13</e:DateTimeOriginal>"), places, kept))


@settings(deadline=None)
@given(_DAMAGE, st.floats(0, 1))
def test_no_damage_makes_reading_of_iptc_fail(places: list[tuple[float, int]], kept: float) -> None:
    list(iptc_times(records_in(_damaged(photoshop(_IPTC_RECORDS), places, kept))))


@settings(deadline=None)
@given(
    st.sampled_from([b"tEXt", b"zTXt", b"iTXt"]),
    st.sampled_from([b"Raw profile type exif", b"XML:com.adobe.xmp", b"Raw profile type iptc", b"x"]),
    st.binary(max_size=200),
)
def test_any_text_chunk_is_read_or_passed_over(chunk: bytes, keyword: bytes, rest: bytes) -> None:
    TextMetadata().add(chunk, keyword + b"\0" + rest)


def _jpeg(*segments: tuple[int, bytes]) -> bytes:
    data = encoded(noise("RGB"), "JPEG")
    return data[:2] + b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments) + data[2:]


_XMP_PACKET = xmp(attributes='e:DateTimeOriginal="2015-05-05T11:12:13+02:00"')
_IPTC_RECORDS = iptc(_55="20150505", _60="111213+0200")
_FROM_XMP, _FROM_IPTC = "XMP DateTimeOriginal", "IPTC DateCreated"


def _raw(kind: str, data: bytes) -> bytes:
    """A profile in the form that ImageMagick gives it."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{kind}\n{len(data):8}\n{lines}\n".encode()


def _raw_chunk(kind: str, data: bytes, packed: bool = True) -> bytes:
    keyword = b"Raw profile type " + kind.encode() + b"\0"
    body = keyword + b"\0" + zlib.compress(_raw(kind, data)) if packed else keyword + _raw(kind, data)
    return png_chunk(b"zTXt" if packed else b"tEXt", body)


_PNG = encoded(noise("RGB"), "PNG")
_INTERNATIONAL = b"XML:com.adobe.xmp\0"
_CONTAINERS: dict[str, tuple[bytes, str]] = {
    "jpeg xmp": (_jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _XMP_PACKET)), _FROM_XMP),
    "jpeg iptc": (_jpeg((0xED, b"Photoshop 3.0\0" + photoshop(_IPTC_RECORDS))), _FROM_IPTC),
    "png xmp": (png_with(_PNG, png_chunk(b"iTXt", _INTERNATIONAL + bytes(4) + _XMP_PACKET)), _FROM_XMP),
    "png packed xmp": (
        png_with(_PNG, png_chunk(b"iTXt", _INTERNATIONAL + b"\1\0\0\0" + zlib.compress(_XMP_PACKET))),
        _FROM_XMP,
    ),
    "png raw iptc": (png_with(_PNG, _raw_chunk("iptc", photoshop(_IPTC_RECORDS))), _FROM_IPTC),
    "png raw xmp": (png_with(_PNG, _raw_chunk("xmp", _XMP_PACKET)), _FROM_XMP),
    "webp xmp": (encoded(noise("RGB"), "WEBP", xmp=_XMP_PACKET), _FROM_XMP),
    "tiff xmp": (encoded(noise("RGB"), "TIFF", tiffinfo={700: _XMP_PACKET}), _FROM_XMP),
    "tiff iptc": (encoded(noise("RGB"), "TIFF", tiffinfo={33723: _IPTC_RECORDS}), _FROM_IPTC),
    "heic xmp": (encoded(noise("RGB", (64, 64)), "HEIF", xmp=_XMP_PACKET), _FROM_XMP),
    "avif xmp": (encoded(noise("RGB", (64, 64)), "AVIF", xmp=_XMP_PACKET), _FROM_XMP),
}


@pytest.mark.parametrize("name", _CONTAINERS)
def test_where_exif_says_nothing_the_time_is_that_of_xmp_or_iptc(name: str) -> None:
    data, source = _CONTAINERS[name]
    found = examined(data).facts
    assert (found.taken_at, found.taken_at_offset) == (datetime(2015, 5, 5, 11, 12, 13), "+02:00")
    assert found.taken_at_source == source


def test_exifs_time_of_capture_counts_first_and_that_of_the_last_change_last() -> None:
    later = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _XMP_PACKET)
    changed = block({_CHANGED: text("2020:01:01 00:00:00")})
    taken = block({}, {_ORIGINAL: text("2010:01:01 00:00:00")})
    assert examined(_jpeg((0xE1, b"Exif\0\0" + changed), later)).facts.taken_at_source == _FROM_XMP
    assert examined(_jpeg((0xE1, b"Exif\0\0" + taken), later)).facts.taken_at_source == "DateTimeOriginal"
    assert examined(_jpeg((0xE1, b"Exif\0\0" + changed))).facts.taken_at_source == "DateTime"


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("kind", "prefix"), [("exif", b""), ("exif", b"Exif\0\0"), ("APP1", b"Exif\0\0")])
def test_a_png_may_hold_exif_as_text(kind: str, packed: bool, prefix: bytes) -> None:
    exif = block({_MAKE: text("Acme"), _ORIENTATION: shorts(6)}, {_ORIGINAL: text("2015:05:05 11:12:13")})
    picture = examined(png_with(_PNG, _raw_chunk(kind, prefix + exif, packed)))
    assert (picture.facts.camera_make, picture.facts.taken_at) == ("Acme", datetime(2015, 5, 5, 11, 12, 13))
    assert (picture.width, picture.height) == (23, 37)


@pytest.mark.parametrize("end", [b"", b"damage"])
def test_texts_that_unpack_without_end_are_passed_over(end: bytes) -> None:
    packed = zlib.compress(bytes(64 << 20))
    held = TextMetadata()
    for _ in range(2_000):
        held.add(b"zTXt", b"Raw profile type exif\0\0" + packed[: len(packed) // 2] + end)
    assert held.exif == b""
    assert held.left <= 0
