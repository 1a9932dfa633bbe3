"""Reads the facts that EXIF holds. It never fails: what cannot be read is left out.

Our own reader, because Pillow copies the data of every tag at once, stops at the first that is damaged, and keeps quiet about
what was cut off; exiftool, which agrees (`tests/unit/test_imaging_judge.py`), is a program of its own.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TypeVar

from PIL import ExifTags

from chalicelib.imaging.exif_values import json_value, numbers, text
from chalicelib.imaging.gps import Angle, altitude, position
from chalicelib.imaging.ifd import ASCII, Directories, Entry, Number, Numbers
from chalicelib.imaging.taken_at import Taken, parse_time
from chalicelib.model.facts import Facts

T = TypeVar("T")

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
#: Where a tag is looked for: TIFF keeps in its first directory what EXIF has one of its own for.
_DIRECTORIES = (_EXIF, _IMAGE)
#: Capture times: name, tag, and the tags of the offset and of the fraction of the second.
_ORIGINAL = ("DateTimeOriginal", 0x9003, 0x9011, 0x9291)
_DIGITIZED = ("DateTimeDigitized", 0x9004, 0x9012, 0x9292)
_CHANGED = ("DateTime", 0x0132, 0x9010, 0x9290)
_MAX_TEXT = 255
#: Larger numbers measure nothing.
_MAX_NUMBER = (1 << 31) - 1
#: What the two bytes of ISO hold where they are too small; then one of these tells, which one the sensitivity's type says.
_ISO_BEYOND, _SENSITIVITY_TYPE = 65_535, 0x8830
_OUTPUT_SENSITIVITY, _EXPOSURE_INDEX, _ISO_SPEED = 0x8831, 0x8832, 0x8833
_SENSITIVITIES = {1: _OUTPUT_SENSITIVITY, 3: _ISO_SPEED, 4: _OUTPUT_SENSITIVITY, 5: _OUTPUT_SENSITIVITY}
_MOST_ISOS = 8
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
        value = self._number(_ORIENTATION, (_IMAGE,))
        return value if isinstance(value, int) else 1

    def facts(self, elsewhere: Iterable[Taken] = ()) -> Facts:
        """`elsewhere` are times outside of EXIF, best first: they count where EXIF has only that of the last change."""
        taken = next(self._times(elsewhere), None)
        latitude, longitude = position(self._angle(1), self._angle(3))
        return Facts(
            taken_at=taken.when if taken else None,
            taken_at_offset=taken.offset if taken else None,
            taken_at_source=taken.source if taken else None,
            camera_make=self._text(_MAKE),
            camera_model=self._text(_MODEL),
            lens_model=self._text(_LENS_MODEL),
            exposure_time=self._positive(_EXPOSURE_TIME),
            f_number=self._positive(_F_NUMBER),
            iso=self._iso(),
            focal_length=self._positive(_FOCAL_LENGTH),
            latitude=latitude,
            longitude=longitude,
            altitude=self._altitude(),
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

    def _first(self, tag: int, read: Callable[[Entry], T | None], where: Iterable[str] = _DIRECTORIES) -> T | None:
        """What `read` makes of the tag in the first directory in which that is anything."""
        entries = (self._groups[group].get(tag) for group in where)
        values = (read(entry) for entry in entries if entry)
        return next((value for value in values if value is not None), None)

    def _number(self, tag: int, where: Iterable[str] = _DIRECTORIES) -> Number | None:
        return self._first(tag, lambda entry: next(iter(numbers(self._directories, entry, 1)), None), where)

    def _positive(self, tag: int) -> float | None:
        value = self._first(tag, lambda entry: self._first_positive(entry, 1))
        return float(value) if value is not None else None

    def _first_positive(self, entry: Entry, most: int) -> Number | None:
        return next(
            (value for value in numbers(self._directories, entry, most) if value is not None and 0 < value <= _MAX_NUMBER), None
        )

    def _iso(self) -> int | None:
        value = self._first(_ISO, lambda entry: self._first_positive(entry, _MOST_ISOS))
        if value == _ISO_BEYOND:
            named = _SENSITIVITIES.get(int(self._number(_SENSITIVITY_TYPE) or 0), _EXPOSURE_INDEX)
            others = (self._positive(tag) for tag in (named, _EXPOSURE_INDEX, _OUTPUT_SENSITIVITY, _ISO_SPEED))
            value = next((other for other in others if other), value)
        return (round(value) or None) if value is not None else None

    def _text(self, tag: int, where: Iterable[str] = _DIRECTORIES) -> str | None:
        def read(entry: Entry) -> str | None:
            value = text(self._directories, entry)
            return (value[:_MAX_TEXT].strip() or None) if value else None

        return self._first(tag, read, where)

    def _angle(self, reference: int) -> Angle:
        """The angle in the GPS directory whose hemisphere is in the tag `reference`; the tag behind it has the degrees."""
        entry = self._groups[_GPS].get(reference + 1)
        written = entry is not None and entry.type == ASCII
        return Angle(
            hemisphere=self._text(reference, (_GPS,)),
            parts=numbers(self._directories, entry, 3) if entry and not written else [],
            written=self._text(reference + 1, (_GPS,)) if written else None,
        )

    def _altitude(self) -> float | None:
        reference = self._first(5, lambda entry: self._directories.data(entry, 8), (_GPS,))
        entry = self._groups[_GPS].get(6)
        stored: Numbers = self._directories.numbers(entry, 1) if entry else ()
        return altitude(reference[0] if reference else None, stored[0]) if stored else None

    def _times(self, elsewhere: Iterable[Taken]) -> Iterator[Taken]:
        """Every time, best first; that of the last change only where nothing else tells."""
        yield from self._written(*_ORIGINAL)
        yield from self._written(*_DIGITIZED)
        yield from elsewhere
        yield from self._written(*_CHANGED)

    def _written(self, source: str, tag: int, offset: int, fraction: int) -> Iterator[Taken]:
        for group in _DIRECTORIES:
            taken = parse_time(self._text(tag, (group,)), source, self._text(offset), self._text(fraction))
            if taken is not None:
                yield taken


def read_exif(block: bytes) -> Exif:
    """The tags of an EXIF block as JPEG, PNG, WebP, HEIC and AVIF hold it, from its TIFF header on."""
    return Exif(io.BytesIO(block))
