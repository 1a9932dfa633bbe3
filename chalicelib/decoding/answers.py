"""What goes to a worker and what comes back: data, and checked as if the worker had been taken over by the file it read."""

import dataclasses
import io
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.errors import BadImageError, RepositoryError, UnsupportedImageError
from chalicelib.imaging import headers
from chalicelib.imaging.blocks import carried
from chalicelib.imaging.headers import Header
from chalicelib.model.facts import Facts
from chalicelib.model.pictures import (
    CONTENT_TYPES,
    THUMBNAIL_CONTENT_TYPES,
    THUMBNAIL_SIZES,
    Limits,
    Picture,
    Thumbnails,
)

#: Of what a decoder may accuse a file.
_REFUSALS: Mapping[str, type[RepositoryError]] = {kind.__name__: kind for kind in (BadImageError, UnsupportedImageError)}
_MAX_TEXT = 500
_MAX_FACT, _MAX_NUMBER, _MAX_EXIF_BYTES = 255, (1 << 31) - 1, 60_000
_OFFSET = re.compile(r"[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]")
_SOURCE = re.compile(r"(?:XMP |IPTC )?[A-Za-z]{1,40}")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_/]{0,63}")
#: Facts that measure something, or are not there.
_POSITIVE = ("exposure_time", "f_number", "iso", "focal_length")
_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"} | {
    "I;16",
    "I;16B",
    "I;16L",
    "I;16N",
}
_EXTENSIONS = {content_type: extension for extension, content_type in THUMBNAIL_CONTENT_TYPES.items()}
_THUMBNAIL_FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}
_THUMBNAIL_LIMITS = Limits(max(THUMBNAIL_SIZES) ** 2, 1, max(THUMBNAIL_SIZES) ** 2)


class Forged(ValueError):
    """The answer is none that our own code gives."""


class Task(msgspec.Struct, frozen=True):
    """What to do with the file that comes along; without its `sha256`, only thumbnails are wanted."""

    limits: Limits
    sha256: bytes | None


class Examined(msgspec.Struct, frozen=True, tag=True):
    picture: Picture


class Made(msgspec.Struct, frozen=True, tag=True):
    thumbnails: Thumbnails


class Refused(msgspec.Struct, frozen=True, tag=True):
    code: str
    message: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Something that is no fault of the file's, or a fault in our own code."""

    text: str


Answer = Examined | Made | Refused | Failed

_encoder = msgspec.msgpack.Encoder()
_tasks = msgspec.msgpack.Decoder(Task)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def packed(message: Task | Answer) -> bytes:
    return _encoder.encode(message)


def task_from(data: bytes) -> Task:
    return _tasks.decode(data)


def answer_from(data: bytes) -> Answer:
    """Raises `Forged` for what is no answer at all; what an answer holds has yet to be checked."""
    try:
        return _answers.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, ValueError) as error:
        raise Forged(f"it cannot be read ({type(error).__name__})") from None


def shown(text: str) -> str:
    """As much of a text as may be shown: one line, and nothing that steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MAX_TEXT])


def refusal_from(answer: Refused) -> RepositoryError:
    """Raises `Forged`."""
    kind = _REFUSALS.get(answer.code)
    if kind is None or answer.message != shown(answer.message):
        raise Forged("it is no refusal of a file")
    return kind(answer.message)


def check_picture(picture: Picture, header: Header) -> None:
    """Raises `Forged` where the picture cannot be that of the file with this header."""
    _check(picture.format == header.format and picture.content_type == CONTENT_TYPES[header.format], "format")
    _check(picture.frames == header.frames, "frames")
    claimed = max(header.width * header.height, header.codec_pixels)
    _check(min(picture.width, picture.height) > 0 and picture.width * picture.height <= claimed, "size")
    _check(picture.mode in _MODES, "mode")
    _check(len(picture.pixel_sha512) == 64 and len(picture.identity) == 32, "digests")
    _check(picture.carries == carried(header.blocks), "account of what else it holds")
    _check_facts(picture.facts)
    check_thumbnails(picture.thumbnails)


def check_thumbnails(thumbnails: Thumbnails) -> None:
    """Raises `Forged` where one of them is no whole small picture of the kind that it is said to be, and nothing besides."""
    _check(_EXTENSIONS.get(thumbnails.content_type) == thumbnails.extension, "kind of thumbnails")
    _check(set(thumbnails.contents) == set(THUMBNAIL_SIZES), "sizes of thumbnails")
    for size, content in thumbnails.contents.items():
        try:
            header = headers.read(io.BytesIO(content), _THUMBNAIL_LIMITS)
        except RepositoryError as error:
            raise Forged(f"a thumbnail is none: {error.message}") from None
        _check(header.format == _THUMBNAIL_FORMATS[thumbnails.content_type], "format of a thumbnail")
        _check(0 < max(header.width, header.height) <= size, "size of a thumbnail")
        _check(header.end == len(content) and header.frames == 1 and not header.exif, "contents of a thumbnail")


def _check_facts(facts: Facts) -> None:
    for field in dataclasses.fields(facts):
        match getattr(facts, field.name):
            case str() as text:
                _check(len(text) <= _MAX_FACT and _is_clean(text), field.name)
            case int() | float() as number:
                _check(math.isfinite(number) and abs(number) <= _MAX_NUMBER, field.name)
    measured = [getattr(facts, name) for name in _POSITIVE]
    _check(all(value is None or value > 0 for value in measured), "measures")
    _check((facts.latitude is None) == (facts.longitude is None), "position")
    _check(abs(facts.latitude or 0) <= 90 and abs(facts.longitude or 0) <= 180, "position")
    _check_time(facts)
    _check_tags(facts.exif)


def _check_time(facts: Facts) -> None:
    when, offset, source = facts.taken_at, facts.taken_at_offset, facts.taken_at_source
    if when is None:
        _check(offset is None and source is None, "time")
    else:
        _check(when.tzinfo is None, "time")
        _check(offset is None or _OFFSET.fullmatch(offset) is not None, "offset of the time")
        _check(source is not None and _SOURCE.fullmatch(source) is not None, "source of the time")


def _is_clean(text: str) -> bool:
    """Whether it is a text as our own code makes them of what a file says."""
    return text != "" and text == text.strip() and all(letter.isprintable() or letter in "\n\t" for letter in text)


def _check_tags(tags: Mapping[str, Any]) -> None:
    for name, value in tags.items():
        _check(_TAG.fullmatch(name) is not None and _is_tag(value), "tags")
    try:
        text = json.dumps(tags, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Forged("its tags are no JSON") from None
    _check(len(text) <= _MAX_EXIF_BYTES + 4 * len(tags), "tags")


def _is_tag(value: Any) -> bool:
    """A text, a number, several, or the length of what is neither."""
    match value:
        case str():
            return _is_clean(value)
        case {"bytes": length}:
            return len(value) == 1 and type(length) is int
        case list():
            return all(type(each) in {int, float} for each in value)
    return type(value) in {int, float}


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise Forged(f"its {what} cannot be right")
