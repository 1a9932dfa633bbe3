"""JPEG: every byte is the picture, known metadata, or what makes only the equal file the same."""

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.imaging.blocks import Block, Part, more
from chalicelib.imaging.headers import jpeg
from chalicelib.imaging.headers.header import Header
from tests.unit.examining import encoded, exif_with, noise, same
from tests.unit.jpegs import PLAIN, XMP, photoshop, pictures_index, resource, samsung, segment, with_segments
from tests.unit.sameness import assert_apart, assert_same, merged, shows_the_same

_FILM = b"\0\0\0\x14ftypmp42\0\0\0\0mp42\0\0\x01\x08mdat" + noise("L", (16, 16)).tobytes()
_SMALL = encoded(noise("RGB", (20, 15)), "JPEG")
_C2PA = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x20jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"

_METADATA: dict[str, Callable[[bytes], bytes]] = {
    "comment": lambda text: segment(0xFE, text),
    "JFXX": lambda text: segment(0xE0, b"JFXX\0" + text),
    "Exif": lambda text: segment(0xE1, exif_with(0x010F, text.hex())),
    "XMP": lambda text: segment(0xE1, XMP + b"<x:xmpmeta>" + text.hex().encode() + b"</x:xmpmeta>"),
    "more XMP": lambda text: segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + text.hex().encode()),
    "Kodak": lambda text: segment(0xE3, b"Meta\0\0" + text),
    "Scalado": lambda text: segment(0xE4, b"SCALADO\0" + text),
    "Ricoh": lambda text: segment(0xE5, b"RMETA\0" + text),
    "Huawei": lambda text: segment(0xE7, b"HUAWEI\0\0" + text),
    "C2PA": lambda text: segment(0xEB, _C2PA + text),
    "Ducky": lambda text: segment(0xEC, b"Ducky\0" + text),
    "settings": lambda text: segment(0xEC, b"[camera info]\r\nType=1\r\n" + text.hex().encode()),
    "print settings": lambda text: photoshop(resource(0x03E9, text), resource(0x0404, text)),
}
_MORE = {
    "path": photoshop(resource(0x03E9, b"12"), resource(0x07D1, bytes(26))),
    "empty block of Photoshop": photoshop(resource(0x0FA5, b"")),
    "depth": segment(0xE1, XMP + b'<rdf:Description GDepth:Data="/9j/4AAQSkZJRg=="/>'),
    "picture": segment(0xE1, XMP + b"<GImage:Data>/9j/4AAQSkZJRg==</GImage:Data>"),
    "sound": segment(0xE1, XMP + b"<GAudio:Data>AAAAGGZ0eXA=</GAudio:Data>"),
    "unknown": segment(0xE1, XMP + b"<x:y>" + b"QUJD" * 400 + b"</x:y>"),
    "thermal": segment(0xE1, b"FLIR\0\1\0\0" + bytes(30)),
    "gain map": segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)),
    "FlashPix": segment(0xE2, b"FPXR\0" + bytes(30)),
    "half a profile": segment(0xE2, b"ICC_PROFILE\0\1\2" + bytes(130)),
    "long Adobe": segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + b"hidden"),
    "boxes": segment(0xEB, _C2PA.replace(b"c2pa", b"xyzw")),
    "empty": segment(0xEF, b""),
}


def _header(data: bytes) -> Header:
    return jpeg.read(io.BytesIO(data))


def _whole(blocks: tuple[Block, ...], size: int) -> bool:
    edges = [0, *(block.end for block in blocks)]
    return edges == [*(block.start for block in blocks), size]


@pytest.mark.parametrize("name", _METADATA)
@settings(max_examples=12, deadline=None)
@given(text=st.binary(max_size=40))
def test_known_metadata_may_differ(name: str, text: bytes) -> None:
    assert_same(PLAIN, with_segments(_METADATA[name](text)))


@pytest.mark.parametrize("name", _MORE)
def test_what_is_on_no_list_makes_only_the_equal_file_the_same(name: str) -> None:
    other = with_segments(_MORE[name])
    assert same(other, other)
    assert shows_the_same(PLAIN, other)
    assert_apart(PLAIN, other)
    held = {block.holds for block in more(_header(other).blocks)}
    assert not held & {"depth", "sound", "picture", "thermal", "gain map", "path"} or held == {name}


@settings(max_examples=80, deadline=None)
@given(st.integers(0xE0, 0xEF), st.binary(max_size=60), st.booleans())
def test_no_unknown_application_segment_is_merged_away(marker: int, body: bytes, first: bool) -> None:
    added = segment(marker, b"\x80" + body)
    other = with_segments(added) if first else PLAIN[:-2] + added + PLAIN[-2:]
    assert_apart(PLAIN, other)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_no_tail_but_padding_is_merged_away(tail: bytes) -> None:
    if tail.strip(b"\0\r\n"):
        assert_apart(PLAIN, PLAIN + tail)
    else:
        assert_same(PLAIN, PLAIN + tail)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6), st.binary(min_size=1, max_size=30))
def test_stray_bytes_between_segments_are_passed_and_never_merged_away(gap: int, stray: bytes) -> None:
    assume(b"\xff" not in stray)
    places = [block.end for block in _header(PLAIN).blocks if block.part is Part.PICTURE][1:7]
    at = places[gap % len(places)]
    other = PLAIN[:at] + stray + PLAIN[at:]
    assert same(other, other)
    assert shows_the_same(PLAIN, other)
    assert_apart(PLAIN, other)


def test_what_fills_up_to_a_marker_says_nothing() -> None:
    at = PLAIN.index(b"\xff\xdb")
    assert_same(PLAIN, PLAIN[:at] + b"\xff" * 9 + PLAIN[at:])


_RICH = pictures_index(
    with_segments(
        *(make(b"some text") for make in _METADATA.values()),
        segment(0xE5, b"unknown"),
        photoshop(resource(0x07D0, bytes(26))),
    ),
    (0x010001, _SMALL),
    (0, _FILM),
)


@settings(max_examples=120, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_one_altered_byte_is_never_merged_away(share: float, flips: int) -> None:
    at = int(len(_RICH) * share)
    altered = _RICH[:at] + bytes((_RICH[at] ^ flips,)) + _RICH[at + 1 :]
    assert not merged(_RICH, altered)
    plain = with_segments(*(make(b"some text") for make in _METADATA.values()))
    at = int(len(plain) * share)
    altered = plain[:at] + bytes((plain[at] ^ flips,)) + plain[at + 1 :]
    assert not merged(plain, altered) or shows_the_same(plain, altered)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*(make(b"text") for make in _METADATA.values()), *_MORE.values()]), max_size=6), st.binary())
def test_every_byte_is_in_one_block(segments: list[bytes], tail: bytes) -> None:
    data = with_segments(*segments) + tail
    assert _whole(_header(data).blocks, len(data))


def test_the_notes_of_samsung_are_metadata_while_they_are_short_and_accounted_for() -> None:
    dates = samsung((0x0A01, b"Image_UTC_Data", b"1650000000000"), (0x0C61, b"Camera_Capture_Mode_Info", b"1"))
    assert_same(PLAIN, PLAIN + dates)
    for other in (
        samsung((0x0A01, b"Image_UTC_Data", bytes(300))),
        samsung((0x0A01, b"Image_UTC_Data", b"1650000000000"), (0x0A30, b"MotionPhoto_Data", _FILM)),
        samsung((0x0ABC, b"New_Data", b"x")),
        b"gap" + dates,
        dates[:40] + b"!" + dates[40:],
    ):
        assert_apart(PLAIN, PLAIN + other)


def test_a_film_or_sound_in_the_tail_is_found_whole() -> None:
    sound = b"RIFF" + struct.pack("<I", 44) + b"WAVEfmt " + bytes(36)
    tails = {
        _FILM: (_FILM, "film", "video/mp4"),
        bytes(70) + _FILM: (_FILM, "film", "video/mp4"),
        b"junk" + _FILM: (_FILM, "film", "video/mp4"),
        samsung((0x0A30, b"MotionPhoto_Data", _FILM)): (_FILM, "film", "video/mp4"),
        _SMALL + _FILM.replace(b"mp42", b"qt  "): (_FILM.replace(b"mp42", b"qt  "), "film", "video/quicktime"),
        sound: (sound, "sound", "audio/wav"),
        samsung((0x0100, b"SoundShot_000", sound)): (sound, "sound", "audio/wav"),
        _SMALL: (_SMALL, "picture", "image/jpeg"),
    }
    for tail, (content, holds, content_type) in tails.items():
        data = PLAIN + tail
        found = [block for block in more(_header(data).blocks) if block.holds == holds]
        assert [(data[block.start : block.end], block.content_type) for block in found] == [(content, content_type)]


def test_a_thumbnail_behind_the_picture_is_metadata_and_another_picture_is_not() -> None:
    assert_same(PLAIN, pictures_index(PLAIN, (0x010001, _SMALL)))
    other = encoded(noise("RGB", (40, 30), 2), "JPEG")
    for kind, content in ((0, _SMALL), (0x020002, _SMALL), (0x010001, other), (0x010001, _FILM), (0x010001, _SMALL + b"more")):
        assert_apart(PLAIN, pictures_index(PLAIN, (kind, content)))
    assert_same(PLAIN, pictures_index(PLAIN, (0, other))[: -len(other)])


def test_a_gain_map_behind_the_picture_is_called_so() -> None:
    gain_map = with_segments(segment(0xE1, XMP + b'<x hdrgm:GainMapMax="1"/>'), jpeg=_SMALL)
    assert [block.holds for block in more(_header(PLAIN + gain_map).blocks)] == ["gain map"]
    announced = with_segments(segment(0xE1, XMP + b'<x hdrgm:Version="1.0" GCamera:MicroVideoOffset="99"/>'))
    assert_same(PLAIN, announced)


@pytest.mark.parametrize(
    ("mode", "options", "coding", "scans"),
    [
        ("L", {}, "grey", 1),
        ("L", {"progressive": True}, "grey progressive", 6),
        ("RGB", {}, "baseline", 1),
        ("RGB", {"progressive": True}, "progressive", 10),
        ("RGB", {"progressive": True, "subsampling": 0}, "progressive 444", 10),
        ("CMYK", {}, "cmyk", 1),
        ("CMYK", {"progressive": True}, "cmyk progressive", 9),
    ],
)
def test_the_header_tells_how_it_is_coded(mode: str, options: dict[str, bool], coding: str, scans: int) -> None:
    header = _header(encoded(noise(mode), "JPEG", **options))
    assert (header.coding, header.scans > 1) == (coding, scans > 1)
