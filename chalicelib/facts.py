"""What a file says about the picture in it, and how the facts of two files of one picture combine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts from a file's metadata. `None` means that the file does not say.

    `taken_at` is the camera's wall clock, naive; `taken_at_offset` is `±HH:MM` and `taken_at_source` the EXIF name of the
    tag it came from. Times are seconds, lengths millimetres, positions degrees (north and east positive), altitude metres
    above sea level. `exif` holds every tag that could be read, by EXIF name, as finite JSON. Texts are at most 255
    characters, trimmed, and never empty.
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
            filled |= {name: theirs[name] for name in names if mine[name] is None and theirs[name] is not None}
    if _disagree(held.exif, sent.exif):
        differs.append("exif")
    else:
        filled["exif"] = {**sent.exif, **held.exif}
    return replace(held, **filled), tuple(differs)


def _disagree(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return any(
        mine[name] is not None and theirs[name] is not None and mine[name] != theirs[name]
        for name in mine.keys() & theirs.keys() - _NEVER_DISAGREES
    )
