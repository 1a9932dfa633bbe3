"""What a list can be narrowed to and sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Literal

Sort = Literal["-uploaded_at", "uploaded_at", "-taken_at", "taken_at", "name", "-name", "byte_size", "-byte_size"]

#: A date or a time: as text it is passed on as it is, for the server to read.
When = str | date | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of these must hold; `None` and empty ask for nothing. Several choices of one kind mean either-or.

    `uploaded_*` without an offset are UTC, `taken_*` are the camera's wall clock; after is inclusive, before exclusive.
    Ranges are inclusive: pixels, bytes, seconds (`exposure_time`), millimetres (`focal_length`). `name` is a part of the
    name in any case. `bbox` is west, south, east, north in degrees.
    """

    uploaded_after: When | None = None
    uploaded_before: When | None = None
    taken_after: When | None = None
    taken_before: When | None = None
    name: str | None = None
    format: Sequence[str] = ()
    camera_make: Sequence[str] = ()
    camera_model: Sequence[str] = ()
    lens_model: Sequence[str] = ()
    width_min: float | None = None
    width_max: float | None = None
    height_min: float | None = None
    height_max: float | None = None
    byte_size_min: float | None = None
    byte_size_max: float | None = None
    iso_min: float | None = None
    iso_max: float | None = None
    f_number_min: float | None = None
    f_number_max: float | None = None
    exposure_time_min: float | None = None
    exposure_time_max: float | None = None
    focal_length_min: float | None = None
    focal_length_max: float | None = None
    has_location: bool | None = None
    bbox: tuple[float, float, float, float] | str | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """As query parameters."""
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, text) for name, value in given if value is not None for text in _texts(value)]


def _texts(value: object) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, date):  # a datetime is one too
        return [value.isoformat()]
    if isinstance(value, tuple) and len(value) == 4 and all(isinstance(number, int | float) for number in value):
        return [",".join(map(str, value))]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(item) for item in value]
    return [str(value)]
