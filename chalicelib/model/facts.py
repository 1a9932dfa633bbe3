"""What a file says about the picture in it, and how the facts of two files of one picture combine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts from a file's metadata. `None` means that the file does not say.

    `taken_at` is the camera's wall clock, naive, with the fraction of the second where the file says it; `taken_at_offset` is
    `±HH:MM` and `taken_at_source` the EXIF name of the tag it came from, or `XMP` or `IPTC` and the name there. Times are
    seconds, lengths millimetres, latitude and longitude degrees (north and east positive), altitude metres above sea level.
    `exif` holds every tag that could be read, by EXIF name, as finite JSON. Texts are at most 255 characters, trimmed, and
    never empty.
    """

    taken_at: datetime | None = None
    taken_at_offset: str | None = None
    taken_at_source: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    lens_model: str | None = None
    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    exif: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file holds beside its picture and its metadata: the `length` bytes from `offset`.

    `kind` is a word for people (`film`, `sound`, `unknown`), `content_type` what the bytes claim to be.
    """

    kind: str
    content_type: str
    offset: int
    length: int


#: Facts that describe one thing together: filled from another file together, or not at all.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "taken_at": ("taken_at", "taken_at_offset", "taken_at_source"),
    "camera": ("camera_make", "camera_model", "lens_model"),
    "exposure": ("exposure_time", "f_number", "iso", "focal_length"),
    "location": ("latitude", "longitude", "altitude"),
}
#: Where the time was read from is not itself a fact about the picture, so two sources do not disagree.
_NEVER_DISAGREES = {"taken_at_source"}


def combine(held: Facts, sent: Facts) -> tuple[Facts, tuple[str, ...]]:
    """Fill what `held` lacks from `sent`; return the result and the names of the groups in which the two disagree.

    A group in which any fact disagrees is left exactly as it is held: filling the rest of it would describe a camera or a
    place that neither file names.
    """
    filled: dict[str, Any] = {}
    differs: list[str] = []
    for group, names in GROUPS.items():
        mine = {name: getattr(held, name) for name in names}
        theirs = {name: getattr(sent, name) for name in names}
        if _disagree(mine, theirs):
            differs.append(group)
        else:
            filled |= {name: theirs[name] for name in names if _adds(mine[name], theirs[name])}
    if _disagree(held.exif, sent.exif):
        differs.append("exif")
    else:
        filled["exif"] = {**sent.exif, **held.exif}
    return replace(held, **filled), tuple(differs)


def to_the_second(value: Any) -> Any:
    """A time without its fraction, which orders a list and is told nobody; any other fact as it is."""
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _adds(mine: Any, theirs: Any) -> bool:
    """Whether `theirs`, which does not disagree, says more: something at all, or the fraction of a second."""
    if mine is None:
        return theirs is not None
    return isinstance(mine, datetime) and isinstance(theirs, datetime) and not mine.microsecond and theirs.microsecond > 0


def _disagree(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return any(
        mine[name] is not None and theirs[name] is not None and to_the_second(mine[name]) != to_the_second(theirs[name])
        for name in mine.keys() & theirs.keys() - _NEVER_DISAGREES
    )
