"""Reads the facts that EXIF holds. It never fails: what cannot be read is left out."""

import io
import json
from datetime import datetime
from typing import Any, BinaryIO

from PIL import ExifTags

from chalicelib.facts import Facts
from chalicelib.imaging.exif_values import json_value, numbers, text
from chalicelib.imaging.gps import altitude, position
from chalicelib.imaging.ifd import Directories, Entry, Number
from chalicelib.imaging.taken_at import parse_offset, parse_time

#: The directories, by the names of the tags that point to them.
_IMAGE, _EXIF, _GPS, _INTEROP = "image", "ExifOffset", "GPSInfo", "ExifInteroperabilityOffset"
_EXIF_POINTER, _GPS_POINTER, _INTEROP_POINTER = 0x8769, 0x8825, 0xA005
_NAMES = {
    _IMAGE: ExifTags.TAGS,
    _EXIF: ExifTags.TAGS,
    _GPS: ExifTags.GPSTAGS,
    _INTEROP: {tag.value: f"Interop{tag.name.removeprefix('Interop')}" for tag in ExifTags.Interop},
}
_ORIENTATION, _MAKE, _MODEL, _LENS_MODEL = 0x0112, 0x010F, 0x0110, 0xA434
_EXPOSURE_TIME, _F_NUMBER, _ISO, _FOCAL_LENGTH = 0x829A, 0x829D, 0x8827, 0x920A
#: Capture times, best first: name, directory, tag, and the tag of the offset.
_TIMES = (
    ("DateTimeOriginal", _EXIF, 0x9003, 0x9011),
    ("DateTimeOriginal", _IMAGE, 0x9003, 0x9011),
    ("DateTimeDigitized", _EXIF, 0x9004, 0x9012),
    ("DateTime", _IMAGE, 0x0132, 0x9010),
)
_MAX_TEXT = 255
_MAX_ISO = (1 << 31) - 1
#: All tags together, as ASCII JSON: what the smallest text column of a database holds.
_MAX_JSON_BYTES = 60_000


class Exif:
    """The tags of one TIFF file or EXIF block. Anything else has no tags."""

    def __init__(self, source: BinaryIO) -> None:
        self._groups: dict[str, dict[int, Entry]] = {group: {} for group in _NAMES}
        try:
            self._directories = Directories(source)
        except ValueError:
            return
        image, _ = self._directories.read(self._directories.first)
        exif = self._pointed_to(image, _EXIF_POINTER)
        interop = self._pointed_to(exif, _INTEROP_POINTER)
        self._groups = {_IMAGE: image, _EXIF: exif, _GPS: self._pointed_to(image, _GPS_POINTER), _INTEROP: interop}

    @property
    def orientation(self) -> int:
        """EXIF's orientation, 1 where there is none."""
        value = self._number(_IMAGE, _ORIENTATION)
        return value if isinstance(value, int) else 1

    def facts(self) -> Facts:
        taken_at, offset, source = self._taken_at()
        latitude, longitude = position(self._text(_GPS, 1), self._numbers(_GPS, 2), self._text(_GPS, 3), self._numbers(_GPS, 4))
        return Facts(
            taken_at=taken_at,
            taken_at_offset=offset,
            taken_at_source=source,
            camera_make=self._text(_IMAGE, _MAKE),
            camera_model=self._text(_IMAGE, _MODEL),
            lens_model=self._text(_EXIF, _LENS_MODEL),
            exposure_time=self._positive(_EXPOSURE_TIME),
            f_number=self._positive(_F_NUMBER),
            iso=self._iso(),
            focal_length=self._positive(_FOCAL_LENGTH),
            latitude=latitude,
            longitude=longitude,
            altitude=altitude(self._first_byte(_GPS, 5), self._number(_GPS, 6)),
            exif=self.tags(),
        )

    def tags(self) -> dict[str, Any]:
        """Every tag that has an EXIF name and could be read, as finite JSON of bounded size."""
        found: dict[str, Any] = {}
        for group, names in _NAMES.items():
            for tag, entry in self._groups[group].items():
                name = names.get(tag)
                value = json_value(self._directories, entry) if name else None
                if name and value is not None:
                    found.setdefault(name, value)
        sizes = {name: len(json.dumps({name: value})) for name, value in found.items()}
        excess = sum(sizes.values()) - _MAX_JSON_BYTES
        for name in sorted(sizes, key=lambda name: sizes[name], reverse=True):
            if excess <= 0:
                break
            excess -= sizes[name]
            del found[name]
        return found

    def _pointed_to(self, entries: dict[int, Entry], pointer: int) -> dict[int, Entry]:
        offset = self._directories.integer(entries, pointer, 0)
        return self._directories.read(offset)[0] if offset > 0 else {}

    def _numbers(self, group: str, tag: int) -> list[Number | None]:
        entry = self._groups[group].get(tag)
        return numbers(self._directories, entry, 3) if entry else []

    def _number(self, group: str, tag: int) -> Number | None:
        return next(iter(self._numbers(group, tag)), None)

    def _positive(self, tag: int) -> float | None:
        value = self._number(_EXIF, tag)
        return float(value) if value is not None and value > 0 else None

    def _iso(self) -> int | None:
        value = self._number(_EXIF, _ISO)
        return round(value) if value is not None and 0 < value <= _MAX_ISO else None

    def _text(self, group: str, tag: int) -> str | None:
        entry = self._groups[group].get(tag)
        value = text(self._directories, entry) if entry else None
        return (value[:_MAX_TEXT].strip() or None) if value else None

    def _first_byte(self, group: str, tag: int) -> int | None:
        entry = self._groups[group].get(tag)
        data = self._directories.data(entry, 8) if entry else None
        return data[0] if data else None

    def _taken_at(self) -> tuple[datetime | None, str | None, str | None]:
        for source, group, tag, offset_tag in _TIMES:
            when = parse_time(self._text(group, tag))
            if when is not None:
                return when, parse_offset(self._text(_EXIF, offset_tag)), source
        return None, None, None


def read_exif(block: bytes) -> Exif:
    """The tags of an EXIF block as JPEG, PNG, WebP, HEIC and AVIF hold it, from its TIFF header on."""
    return Exif(io.BytesIO(block))
