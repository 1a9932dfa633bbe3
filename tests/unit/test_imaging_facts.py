"""Facts as cameras of every kind write them: odd times, fractions, sensitivities, positions, names and orientations."""

import math
import struct
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.imaging.exif import read_exif
from chalicelib.imaging.taken_at import Taken, parse_time
from chalicelib.model.facts import Facts
from tests.unit.examining import encoded, examined, exif_with, noise, png_chunk
from tests.unit.exif_blocks import Tags, block, fractions, long, shorts, text
from tests.unit.test_imaging_exif import camera_exif

_MAKE, _ORIENTATION, _ORIGINAL, _FRACTION, _OFFSET = 0x010F, 0x0112, 0x9003, 0x9291, 0x9011
_ISO, _TYPE, _OUTPUT, _INDEX, _SPEED = 0x8827, 0x8830, 0x8831, 0x8832, 0x8833


def facts(image: Tags | None = None, exif: Tags | None = None, gps: Tags | None = None) -> Facts:
    return read_exif(block(image or {}, exif, gps)).facts()


# Blocks of any length


@pytest.mark.parametrize("order", [b"II", b"MM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
@pytest.mark.parametrize("length", range(24))
def test_a_block_that_ends_anywhere_has_no_facts(order: bytes, length: int) -> None:
    assert read_exif(order.ljust(24, b"\0")[:length]).facts() == Facts()


def test_a_block_that_is_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    whole = camera_exif().tobytes()[6:]
    for length in range(len(whole)):
        read_exif(whole[:length]).facts()


def test_a_jpeg_with_three_bytes_of_exif_is_taken() -> None:
    data = encoded(noise("RGB"), "JPEG")
    assert examined(data[:2] + b"\xff\xe1\0\x0bExif\0\0II*" + data[2:]).facts == Facts()


# Times


@pytest.mark.parametrize(
    ("written", "when", "offset"),
    [
        ("2015:05:05 11:12:13", datetime(2015, 5, 5, 11, 12, 13), None),
        ("2015:05:05 11:12:13+02:00", datetime(2015, 5, 5, 11, 12, 13), "+02:00"),
        ("2015:05:05 11:12:13-0330", datetime(2015, 5, 5, 11, 12, 13), "-03:30"),
        ("2015-05-05T11:12:13.25Z", datetime(2015, 5, 5, 11, 12, 13, 250_000), "+00:00"),
        ("2015:05:05 11:12", datetime(2015, 5, 5, 11, 12), None),
        ("2015:05:05 11:12+02:00", datetime(2015, 5, 5, 11, 12), "+02:00"),
        ("2015:05:05 24:12:13", datetime(2015, 5, 5, 0, 12, 13), None),
        ("2015:12:31 23:59:60", datetime(2016, 1, 1), None),
        ("2015:05:05  9:12:13", datetime(2015, 5, 5, 9, 12, 13), None),
        ("2015:05:05", datetime(2015, 5, 5), None),
        ("2015:05:05   :  :  ", datetime(2015, 5, 5), None),
    ],
)
def test_a_time_is_read_however_it_is_written(written: str, when: datetime, offset: str | None) -> None:
    found = facts(exif={_ORIGINAL: text(written)})
    assert (found.taken_at, found.taken_at_offset, found.taken_at_source) == (when, offset, "DateTimeOriginal")


@pytest.mark.parametrize(
    "written", ["2015:05:05 25:00:00", "2015:05:05 11:60:00", "2015:05:05 11:12:61", "2015:05:05 soon", "9999:12:31 23:59:60"]
)
def test_what_is_no_time_is_none(written: str) -> None:
    assert parse_time(written, "DateTime") is None


def test_the_tag_of_the_offset_counts_before_the_text() -> None:
    assert facts(exif={_ORIGINAL: text("2015:05:05 11:12:13+02:00"), _OFFSET: text("+05:00")}).taken_at_offset == "+05:00"


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(written: str) -> None:
    taken = parse_time(written, "DateTime", written, written)
    assert taken is None or taken.when.tzinfo is None


@given(st.datetimes(timezones=st.none()), st.integers(-23 * 60, 23 * 60))
def test_every_time_is_read_as_it_was_written(when: datetime, minutes: int) -> None:
    sign, whole = "-" if minutes < 0 else "+", abs(minutes)
    offset = f"{sign}{whole // 60:02}:{whole % 60:02}"
    assert parse_time(when.isoformat(timespec="microseconds") + offset, "XMP CreateDate") == Taken(
        when, offset, "XMP CreateDate"
    )


@pytest.mark.parametrize(
    ("fraction", "microseconds"), [("09", 90_000), ("13", 130_000), ("5", 500_000), ("123456789", 123_456), (" 7 ", 700_000),
                                   ("", 0), ("soon", 0)]
)  # fmt: skip
def test_the_fraction_of_the_second_is_in_its_own_tag(fraction: str, microseconds: int) -> None:
    found = facts(exif={_ORIGINAL: text("2015:05:05 11:12:13"), _FRACTION: text(fraction)})
    assert found.taken_at == datetime(2015, 5, 5, 11, 12, 13) + timedelta(microseconds=microseconds)


# Sensitivities


def test_tags_are_found_in_the_first_directory_too() -> None:
    found = facts(
        {_ORIGINAL: text("2015:05:05 11:12:13"), 0xA434: text("Lens"), _ISO: shorts(200), 0x829A: fractions(1, 4),
         0x829D: fractions(8, 1), 0x920A: fractions(50, 1), _FRACTION: text("5"), _OFFSET: text("+01:00")}
    )  # fmt: skip
    assert (found.lens_model, found.iso, found.exposure_time, found.f_number, found.focal_length) == (
        "Lens",
        200,
        0.25,
        8.0,
        50.0,
    )
    assert (found.taken_at, found.taken_at_offset) == (datetime(2015, 5, 5, 11, 12, 13, 500_000), "+01:00")


@pytest.mark.parametrize(
    ("tags", "iso"),
    [
        ({_ISO: shorts(65535), _INDEX: long(102_400)}, 102_400),
        ({_ISO: shorts(65535), _OUTPUT: long(102_400)}, 102_400),
        ({_ISO: shorts(65535), _SPEED: long(102_400)}, 102_400),
        ({_ISO: shorts(65535), _TYPE: shorts(1), _INDEX: long(1), _OUTPUT: long(204_800)}, 204_800),
        ({_ISO: shorts(65535), _TYPE: shorts(2), _INDEX: long(204_800), _OUTPUT: long(1)}, 204_800),
        ({_ISO: shorts(65535), _TYPE: shorts(3), _INDEX: long(1), _SPEED: long(204_800)}, 204_800),
        ({_ISO: shorts(65535)}, 65_535),
        ({_ISO: shorts(100), _INDEX: long(3200)}, 100),
        ({_ISO: shorts(0, 400)}, 400),
        ({_ISO: shorts(100, 200)}, 100),
        ({_ISO: shorts(0)}, None),
    ],
)
def test_sensitivity_is_told_where_two_bytes_are_too_small(tags: Tags, iso: int | None) -> None:
    assert facts(exif=tags).iso == iso


# Positions


def _position(
    north: tuple[int, int, bytes], ns: str, east: tuple[int, int, bytes], ew: str
) -> tuple[float | None, float | None]:
    found = facts(gps={1: text(ns), 2: north, 3: text(ew), 4: east})
    return found.latitude, found.longitude


_EAST = fractions(11, 1, 0, 1, 0, 1)


@pytest.mark.parametrize("nothing", [fractions(0, 0, 0, 0, 0, 0), fractions(0, 1, 0, 1, 0, 1)])
def test_zero_is_no_position(nothing: tuple[int, int, bytes]) -> None:
    assert _position(nothing, "N", nothing, "E") == (None, None)


def test_the_equator_is_one() -> None:
    assert _position(fractions(0, 1, 0, 1, 0, 1), "N", _EAST, "E") == (0.0, 11.0)


@pytest.mark.parametrize(
    ("written", "letter", "degrees"),
    [
        ("43.5", "N", 43.5),
        ("43.5", "S", -43.5),
        ("-43.5", "S", -43.5),
        ("43,30.6", "N", 43.51),
        ("43 deg 30' 36.00\" S", "", -43.51),
        ("43 deg 30' 36.00\" N", "N", 43.51),
    ],
)
def test_an_angle_may_be_written_as_text(written: str, letter: str, degrees: float) -> None:
    assert _position(text(written), letter, _EAST, "E")[0] == pytest.approx(degrees)


@pytest.mark.parametrize(("letter", "degrees"), [("S", -43.51), ("N", -43.51)])
def test_a_sign_counts_once(letter: str, degrees: float) -> None:
    assert _position(fractions(-43, 1, 30, 1, 36, 1, signed=True), letter, _EAST, "E")[0] == pytest.approx(degrees)


@pytest.mark.parametrize("written", ["", "somewhere", "143.5", "43.5"])
def test_a_text_that_is_no_angle_is_none(written: str) -> None:
    assert _position(text(written), "", _EAST, "E") == (None, None)


@given(st.text(max_size=30), st.text(max_size=3))
def test_any_text_is_an_angle_or_none(written: str, letter: str) -> None:
    latitude, _ = _position(text(written), letter, _EAST, "E")
    assert latitude is None or -90 <= latitude <= 90


@pytest.mark.parametrize(
    ("stored", "reference", "metres"),
    [
        ((2**32 - 5, 1), 0, -5.0),
        ((2**32 - 550, 100), 0, -5.5),
        ((2**32 - 5, 1), 1, -5.0),
        ((3_500_000_000, 1_000_000), 0, 3500.0),
        ((8848, 1), 0, 8848.0),
        ((105, 10), 1, -10.5),
    ],
)
def test_an_altitude_that_wrapped_is_below_zero(stored: tuple[int, int], reference: int, metres: float) -> None:
    assert facts(gps={5: (1, 1, bytes([reference])), 6: fractions(*stored)}).altitude == metres


# Texts


@pytest.mark.parametrize("make", ["オリンパス光学工業株式会社", "富士写真フイルム", "ソニー"])
def test_a_japanese_maker_is_read(make: str) -> None:
    assert facts({_MAKE: text(make.encode("shift_jis"))}).camera_make == make


@pytest.mark.parametrize("make", ["Général Électrique", "Größe äöü", "Société Française de Caméras", "é", "ÀÉÎÕÜ"])
def test_a_latin_maker_is_not_taken_for_a_japanese_one(make: str) -> None:
    assert facts({_MAKE: text(make.encode("latin-1"))}).camera_make == make


# Orientation


def _with_a_byte(data: bytes) -> bytes:
    """The same file, its orientation stored as a byte."""
    for order in "<>":
        at = data.find(struct.pack(order + "HHI", _ORIENTATION, 3, 1))
        if at >= 0:
            value = struct.unpack(order + "H", data[at + 8 : at + 10])[0]
            return data[:at] + struct.pack(order + "HHIBxxx", _ORIENTATION, 1, 1, value) + data[at + 12 :]
    raise AssertionError("no orientation")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_orientation_stored_as_a_byte_turns_the_picture(file_format: str, orientation: int) -> None:
    data = encoded(noise("RGB"), file_format, exif=exif_with(_ORIENTATION, orientation))
    other = data if file_format != "PNG" else None
    usual, odd = examined(data), examined(_with_a_byte(other) if other else _reexif(data, orientation))
    assert (odd.width, odd.height, odd.identity) == (usual.width, usual.height, usual.identity)
    assert odd.thumbnails == usual.thumbnails


def _reexif(png: bytes, orientation: int) -> bytes:
    """A PNG's chunk has a sum."""
    at = png.index(b"eXIf") - 4
    length = struct.unpack(">I", png[at : at + 4])[0]
    return png[:at] + png_chunk(b"eXIf", block({_ORIENTATION: (1, 1, bytes([orientation]))})) + png[at + 12 + length :]


def test_every_page_of_a_tiff_is_turned_as_it_asks() -> None:
    options: dict[str, Any] = {"save_all": True, "append_images": [noise("RGB", seed=2)]}
    data = encoded(noise("RGB"), "TIFF", tiffinfo={_ORIENTATION: 6}, **options)
    assert data.count(struct.pack("<HHI", _ORIENTATION, 3, 1)) >= 1
    assert examined(_with_a_byte(data)).identity == examined(data).identity


@pytest.mark.parametrize("huge", [math.inf, 1e30, float(1 << 31), -1e30])
def test_numbers_that_measure_nothing_are_none(huge: float) -> None:
    double = (12, 1, struct.pack("<d", huge))
    found = facts(exif={0x829A: double, 0x829D: double, _ISO: double, 0x920A: double}, gps={6: double})
    numbers = (found.exposure_time, found.f_number, found.iso, found.focal_length, found.altitude)
    assert numbers == (None,) * 5
