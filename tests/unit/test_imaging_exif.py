"""What the camera said: facts from every container, and nothing but silence from odd tags."""

import io
import json
import math
import struct
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, TiffImagePlugin

from chalicelib.imaging.exif import Exif, read_exif
from chalicelib.model.facts import Facts
from tests.unit.examining import encoded, examined, noise, tiff_block

_EXIF, _GPS = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
_RATIONAL = TiffImagePlugin.IFDRational


def camera_exif() -> Image.Exif:
    """A block as a camera of today writes it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Maker ", "Model", "2020:01:01 00:00:00"
    exif.get_ifd(_EXIF).update(
        {
            0x829A: _RATIONAL(1, 250),
            0x829D: _RATIONAL(71, 10),
            0x8827: 100,
            0x9003: "2008:10:22 16:28:39",
            0x9011: "+02:00",
            0x920A: _RATIONAL(18, 1),
            0xA434: "Lens 18-55",
        }
    )
    exif.get_ifd(_GPS).update(
        {
            1: "S",
            2: (_RATIONAL(43, 1), _RATIONAL(28, 1), _RATIONAL(281400000, 100000000)),
            3: "W",
            4: (_RATIONAL(11, 1), _RATIONAL(53, 1), _RATIONAL(645599999, 100000000)),
            5: b"\1",
            6: _RATIONAL(21, 2),
        }
    )
    return exif


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_facts_are_read_from_every_container(file_format: str) -> None:
    facts = examined(encoded(noise("RGB", (64, 64)), file_format, exif=camera_exif().tobytes())).facts
    assert facts.taken_at == datetime(2008, 10, 22, 16, 28, 39)
    assert (facts.taken_at_offset, facts.taken_at_source) == ("+02:00", "DateTimeOriginal")
    assert (facts.camera_make, facts.camera_model, facts.lens_model) == ("Maker", "Model", "Lens 18-55")
    assert (facts.exposure_time, facts.f_number, facts.iso, facts.focal_length) == (0.004, 7.1, 100, 18.0)
    assert facts.latitude == pytest.approx(-43.46744833)
    assert facts.longitude == pytest.approx(-11.88512667)
    assert facts.altitude == -10.5
    assert facts.exif["Make"] == "Maker"
    assert facts.exif["GPSLatitude"][:2] == [43, 28]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "HEIF"])
def test_a_file_that_says_nothing_has_no_facts(file_format: str) -> None:
    assert examined(encoded(noise("RGB", (64, 64)), file_format)).facts == Facts()


def _text(tag: int, data: bytes, kind: int = 2) -> Facts:
    offset = struct.pack("<I", 26)
    value = data.ljust(4, b"\0") if len(data) <= 4 else offset
    return read_exif(tiff_block([(tag, kind, len(data), value)], data=data)).facts()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Plain\0", "Plain"),
        (b"  Padded  \0\0\0", "Padded"),
        ("Größe".encode(), "Größe"),
        ("Größe".encode("latin-1"), "Größe"),
        ("Größe".encode("utf-16"), "Größe"),
        ("Name".encode("utf-16-le"), "Name"),
        (b"First\0Second\0", "First"),
        (b"\0\0\0\0\0\0", None),
        (b"     \0", None),
        (b"A\x07B\x1b[0m\0", "AB[0m"),
        (b"x" * 400, "x" * 255),
    ],
)
def test_text_is_read_in_whatever_encoding_and_trimmed(data: bytes, text: str | None) -> None:
    assert _text(0x010F, data).camera_make == text


def test_comments_and_windows_titles_are_text() -> None:
    assert _text(0x9C9B, "Títle\0".encode("utf-16-le"), kind=1).exif["XPTitle"] == "Títle"
    assert _text(0x9286, b"UNICODE\0" + "Hé".encode("utf-16-be"), kind=7).exif["UserComment"] == "Hé"
    assert _text(0x9286, b"ASCII\0\0\0Hello", kind=7).exif["UserComment"] == "Hello"


def test_binary_is_given_as_its_length() -> None:
    assert _text(0x927C, bytes(64 * 1024), kind=7).exif["MakerNote"] == {"bytes": 64 * 1024}


@pytest.mark.parametrize(
    "when", ["0000:00:00 00:00:00", "2008:13:01 00:00:00", "    :  :     :  :  ", "2008:02:30 10:00:00", "soon"]
)
def test_a_time_that_is_none_is_left_out(when: str) -> None:
    exif = Image.Exif()
    exif[0x0132] = when
    assert read_exif(exif.tobytes()[6:]).facts().taken_at is None


def test_the_next_best_time_stands_in_and_says_so() -> None:
    exif = camera_exif()
    exif.get_ifd(_EXIF)[0x9003] = "0000:00:00 00:00:00"
    facts = read_exif(exif.tobytes()[6:]).facts()
    assert (facts.taken_at, facts.taken_at_source, facts.taken_at_offset) == (datetime(2020, 1, 1), "DateTime", None)


@pytest.mark.parametrize("pair", [(1, 0), (0, 0), (0, 5), (0xFFFFFFFF, 0)])
def test_a_fraction_without_a_value_is_left_out(pair: tuple[int, int]) -> None:
    data = struct.pack("<II", *pair)
    entries = [(0x8769, 4, 1, struct.pack("<I", 26))]
    block = tiff_block(entries) + struct.pack("<HHHI", 1, 0x829A, 5, 1) + struct.pack("<II", 44, 0) + data
    facts = read_exif(block).facts()
    assert facts.exposure_time is None
    assert facts.exif.get("ExposureTime", 0) == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_left_out(value: float) -> None:
    assert read_exif(tiff_block([(0x011A, 11, 1, struct.pack("<f", value))])).facts().exif == {}


@pytest.mark.parametrize("reference", [b"", b"X\0"])
def test_a_position_without_a_hemisphere_is_none(reference: bytes) -> None:
    exif = camera_exif()
    exif.get_ifd(_GPS)[1] = reference.decode()
    facts = read_exif(exif.tobytes()[6:]).facts()
    assert (facts.latitude, facts.longitude) == (None, None)


def test_an_angle_beyond_the_pole_is_none() -> None:
    exif = camera_exif()
    exif.get_ifd(_GPS)[2] = (_RATIONAL(91, 1), _RATIONAL(0, 1), _RATIONAL(0, 1))
    assert read_exif(exif.tobytes()[6:]).facts().latitude is None


def test_directories_that_point_to_themselves_end() -> None:
    pointer = struct.pack("<I", 8)
    block = tiff_block([(0x010F, 2, 4, b"abc\0"), (0x8769, 4, 1, pointer), (0x8825, 4, 1, pointer), (0xA005, 4, 1, pointer)])
    assert read_exif(block[:-4] + pointer).facts().camera_make == "abc"


def test_the_json_fits_its_column_whatever_the_tags_hold() -> None:
    names = sorted(ExifTags.TAGS)
    data = "ü".encode() * 8000
    block = tiff_block([(tag, 2, len(data), struct.pack("<I", 14 + 12 * len(names))) for tag in names], data=data)
    assert len(json.dumps(read_exif(block).facts().exif)) <= 62_000


def _check(facts: Facts) -> None:
    text = json.dumps(facts.exif, allow_nan=False)
    assert "\\u0000" not in text
    assert len(text) <= 62_000
    text.encode("utf-8")
    for value in (facts.camera_make, facts.camera_model, facts.lens_model):
        assert value is None or (value == value.strip() and 0 < len(value) <= 255)
    for number in (facts.exposure_time, facts.f_number, facts.focal_length, facts.latitude, facts.longitude, facts.altitude):
        assert number is None or math.isfinite(number)


_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(sorted({*ExifTags.TAGS, *ExifTags.GPSTAGS})),
        st.integers(0, 20),
        st.one_of(st.integers(0, 70), st.sampled_from([0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF])),
        st.one_of(st.binary(min_size=4, max_size=4), st.integers(0, 200).map(lambda at: struct.pack("<I", at))),
    ),
    max_size=30,
)


@settings(max_examples=400, deadline=None)
@given(_ENTRIES, st.binary(max_size=300), st.sampled_from("<>"))
def test_no_tags_make_reading_fail(entries: list[tuple[int, int, int, bytes]], data: bytes, order: str) -> None:
    _check(read_exif(tiff_block(entries, order, data)).facts())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12), st.floats(0, 1))
def test_no_damage_makes_reading_fail(places: list[tuple[float, int]], kept: float) -> None:
    block = bytearray(camera_exif().tobytes()[6:])
    for share, value in places:
        block[int(share * len(block))] = value
    _check(Exif(io.BytesIO(bytes(block[: int(kept * len(block))]))).facts())


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_picture_with_any_exif_at_all_is_taken(block: bytes, file_format: str) -> None:
    options: dict[str, Any] = {"exif": b"Exif\0\0MM\0*" + block}
    assert examined(encoded(noise("RGB", (8, 8)), file_format, **options)).format == file_format
