"""Answers of workers that a file has taken over: forged, cut, swollen."""

import dataclasses
import hashlib
import io
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags

from chalicelib.decoding.answers import (
    Examined,
    Forged,
    Made,
    Refused,
    answer_from,
    check_picture,
    check_thumbnails,
    packed,
    refusal_from,
)
from chalicelib.decoding.decoders import Decoders, Room
from chalicelib.decoding.warm import DecoderDied
from chalicelib.errors import BadImageError
from chalicelib.imaging import headers
from chalicelib.imaging.exif import read_exif
from chalicelib.model.facts import Facts
from chalicelib.model.pictures import Picture, Thumbnails
from tests import pictures
from tests.unit.examining import LIMITS, encoded, examined, exif_with, noise
from tests.unit.exif_blocks import block, text
from tests.unit.forger import DIVIDER

FILE = encoded(noise("RGB", (300, 200)), "JPEG", exif=exif_with(0x010F, "Acme"))
HEADER = headers.read(io.BytesIO(FILE), LIMITS)
TRUE = examined(FILE)
OTHER = examined(encoded(noise("RGBA", (300, 200)), "PNG"))


def test_a_true_answer_is_taken_as_it_is() -> None:
    answer = answer_from(packed(Examined(TRUE)))
    assert answer == Examined(TRUE)
    check_picture(TRUE, HEADER)
    check_thumbnails(OTHER.thumbnails)


def thumbnail(change: Callable[[bytes], bytes]) -> Picture:
    contents = {size: change(content) for size, content in TRUE.thumbnails.contents.items()}
    return dataclasses.replace(TRUE, thumbnails=dataclasses.replace(TRUE.thumbnails, contents=contents))


def facts(**changes: Any) -> Picture:
    return dataclasses.replace(TRUE, facts=dataclasses.replace(TRUE.facts, **changes))


def nested(levels: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner]
    return inner


NOON = datetime(2020, 1, 1, 12)
FORGERIES = {
    "another format": dataclasses.replace(TRUE, format="PNG", content_type="image/png"),
    "another type": dataclasses.replace(TRUE, content_type="text/html"),
    "no size": dataclasses.replace(TRUE, width=0),
    "a negative size": dataclasses.replace(TRUE, width=-300, height=-200),
    "a huge size": dataclasses.replace(TRUE, width=2**40),
    "frames": dataclasses.replace(TRUE, frames=2),
    "an unknown mode": dataclasses.replace(TRUE, mode="<script>"),
    "a short digest": dataclasses.replace(TRUE, pixel_sha512=b""),
    "a long identity": dataclasses.replace(TRUE, identity=bytes(33)),
    "a long text": facts(camera_make="x" * 256),
    "an empty text": facts(lens_model=""),
    "a text with a NUL": facts(camera_model="Acme\0x"),
    "a text that steers a terminal": facts(lens_model="\x1b[2J"),
    "a text with blanks around it": facts(lens_model=" 50 mm"),
    "a long offset": facts(taken_at=NOON, taken_at_source="DateTime", taken_at_offset="+01:00:00"),
    "an offset of more than a day": facts(taken_at=NOON, taken_at_source="DateTime", taken_at_offset="+24:00"),
    "an offset in other digits": facts(taken_at=NOON, taken_at_source="DateTime", taken_at_offset="+\u0661\u0661:00"),
    "an offset with a line behind it": facts(taken_at=NOON, taken_at_source="DateTime", taken_at_offset="+01:00\n"),
    "an offset of no time": facts(taken_at_offset="+01:00"),
    "a long source": facts(taken_at=NOON, taken_at_source="x" * 65),
    "a source of no such name": facts(taken_at=NOON, taken_at_source="Date<script>"),
    "a time without a source": facts(taken_at=NOON),
    "a source of no time": facts(taken_at_source="DateTime"),
    "a time with a zone": facts(taken_at=NOON.replace(tzinfo=UTC), taken_at_source="DateTime"),
    "a time before all counting": facts(taken_at=datetime.min.replace(tzinfo=UTC), taken_at_source="DateTime"),
    "no sensitivity": facts(iso=0),
    "a negative sensitivity": facts(iso=-1),
    "an exposure of no time": facts(exposure_time=0.0),
    "a negative length": facts(focal_length=-50.0),
    "no altitude": facts(altitude=math.nan),
    "half a place": facts(latitude=1.0),
    "tags without bottom": facts(exif={"Make": nested(500)}),
    "tags of a strange form": facts(exif={"Make": {"bytes": "x"}}),
    "tags without a name": facts(exif={"": 1}),
    "a tag with a NUL": facts(exif={"Make": "a\0b"}),
    "a tag's name with a NUL": facts(exif={"Ma\0ke": "a"}),
    "no number": facts(f_number=math.nan),
    "no end": facts(exposure_time=math.inf),
    "a huge number": facts(iso=2**62),
    "a place beyond the pole": facts(latitude=91.0),
    "tags without end": facts(exif={"Make": "x" * 100_000}),
    "tags that are no JSON": facts(exif={"Make": b"x"}),
    "tags that hold no numbers": facts(exif={"Make": math.nan}),
    "a page for a thumbnail": thumbnail(lambda _: b"<html><script>alert(1)</script>"),
    "an empty thumbnail": thumbnail(lambda _: b""),
    "a cut thumbnail": thumbnail(lambda content: content[:-10]),
    "a thumbnail with something behind it": thumbnail(lambda content: content + b"<html>"),
    "the picture for its thumbnail": thumbnail(lambda _: encoded(noise("RGB", (1300, 1300)), "JPEG")),
    "a thumbnail with EXIF": thumbnail(lambda _: encoded(noise("RGB"), "JPEG", exif=exif_with(0x010F, "Acme"))),
    "a thumbnail of another format": thumbnail(lambda _: encoded(noise("RGB"), "PNG")),
    "thumbnails of another kind": dataclasses.replace(TRUE, thumbnails=Thumbnails("image/svg+xml", "svg", {})),
    "an extension that climbs": dataclasses.replace(
        TRUE, thumbnails=dataclasses.replace(TRUE.thumbnails, extension="jpg/../../x")
    ),
    "a thumbnail too many": dataclasses.replace(
        TRUE, thumbnails=dataclasses.replace(TRUE.thumbnails, contents={**TRUE.thumbnails.contents, 4000: b""})
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_picture_is_not_believed(name: str) -> None:
    with pytest.raises(Forged):
        believed(packed(Examined(FORGERIES[name])))


def believed(data: bytes) -> None:
    answer = answer_from(data)
    if isinstance(answer, Examined):
        check_picture(answer.picture, HEADER)


@given(st.data())
def test_no_damage_to_an_answer_does_anything_but_make_it_forged(data: st.DataObject) -> None:
    answer = bytearray(packed(Examined(TRUE)))
    for _ in range(data.draw(st.integers(1, 4))):
        answer[data.draw(st.integers(0, 400))] = data.draw(st.integers(0, 255))
    try:
        believed(bytes(answer[: data.draw(st.integers(0, len(answer)))]))
    except Forged:
        return


@given(st.binary(max_size=200))
def test_noise_is_no_answer(noise: bytes) -> None:
    with pytest.raises(Forged):
        answer_from(noise)


def test_an_answer_without_bottom_is_none() -> None:
    with pytest.raises(Forged):
        answer_from(b"\x91" * 1_000_000)


@pytest.mark.parametrize(
    "refusal",
    [
        Refused("UnauthorizedError", "Send your key."),
        Refused("RepositoryError", "?"),
        Refused("BadImageError", "a\nline"),
        Refused("BadImageError", "\x1b[2J"),
        Refused("BadImageError", "x" * 501),
    ],
)
def test_only_a_plain_refusal_of_a_file_counts(refusal: Refused) -> None:
    with pytest.raises(Forged):
        refusal_from(refusal)


def test_a_refusal_is_told_in_the_decoders_words() -> None:
    refusal = refusal_from(Refused("BadImageError", "The PNG is damaged."))
    assert (type(refusal), refusal.message) == (BadImageError, "The PNG is damaged.")


@pytest.fixture
def forger() -> Any:
    decoders = Decoders(LIMITS, Room(None, 1, 60), "tests.unit.forger")
    yield decoders
    decoders.close()


@pytest.mark.parametrize("answer", [b"", b"none", packed(Made(TRUE.thumbnails)), packed(Examined(OTHER))])
def test_a_decoder_that_forges_counts_as_one_that_died(forger: Decoders, tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE + DIVIDER + answer)
    with pytest.raises(DecoderDied, match="cannot be trusted"):
        forger.examine(path, hashlib.sha256(FILE).digest(), "ann")


def test_of_thumbnails_a_forgery_is_the_files_fault(forger: Decoders, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE + DIVIDER + packed(Examined(TRUE)))
    with pytest.raises(BadImageError, match="brought the decoder down"):
        forger.make_thumbnails(path)


def test_facts_go_through_as_they_are() -> None:
    picture = dataclasses.replace(TRUE, facts=Facts(taken_at=datetime(2020, 1, 1, 12), exif={"a": [1, 2.5, None, {"b": "c"}]}))
    assert answer_from(packed(Examined(picture))) == Examined(picture)


def test_tags_of_every_name_pass() -> None:
    names = [*ExifTags.TAGS.values(), *ExifTags.GPSTAGS.values(), *(f"Interop{tag.name}" for tag in ExifTags.Interop)]
    check_picture(facts(exif=dict.fromkeys(names, 1.5)), HEADER)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), min_size=3, max_size=3), st.sampled_from(["+09:00", "?"]))
def test_whatever_a_camera_writes_passes(texts: list[str], offset: str) -> None:
    make, lens, comment = texts
    wide = comment.encode("utf-16-le")
    image = {0x010F: text(make), 0x010E: text(comment), 0x9C9B: (1, len(wide), wide)}
    exif = {0x9003: text("2020:02:30 24:12:60"), 0x9011: text(offset), 0xA434: text(lens), 0x9004: text("0001-01-01")}
    check_picture(dataclasses.replace(TRUE, facts=read_exif(block(image, exif, None)).facts()), HEADER)


def test_pictures_of_every_format_pass() -> None:
    for name in pictures.WRITERS:
        data = pictures.encoded(pictures.image(1), name)
        check_picture(examined(data), headers.read(io.BytesIO(data), LIMITS))
