"""Positions as EXIF stores them: angles in parts or as text, and the sign in a letter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.imaging.exif_values import finite
from chalicelib.imaging.ifd import Number

_BELOW_SEA_LEVEL = {1, 3, ord("1"), ord("3")}
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_LETTER = re.compile(r"[NSEW]", re.ASCII)
#: Where space begins; what is higher, and was stored without a sign, is an altitude below zero that wrapped.
_MOST_METRES = 100_000
_WRAPPED, _WRAP = 1 << 31, 1 << 32
_FARTHEST = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Angle:
    """An angle as it is stored: degrees, minutes and seconds, or some `written` form of them, and the hemisphere's letter."""

    hemisphere: str | None
    parts: Sequence[Number | None]
    written: str | None = None


def position(latitude: Angle, longitude: Angle) -> tuple[float | None, float | None]:
    """Degrees, north and east positive; both or neither. Without its hemisphere an angle says nothing.

    Zero and zero is what receivers write that have found no position.
    """
    north, east = _degrees(latitude, "NS", 90), _degrees(longitude, "EW", 180)
    return (north, east) if north is not None and east is not None and (north or east) else (None, None)


def altitude(reference: int | None, stored: Number | tuple[int, int]) -> float | None:
    """Metres above sea level. Without a reference an altitude is above it."""
    if isinstance(stored, tuple) and stored[0] >= _WRAPPED and stored[1] > 0 and stored[0] / stored[1] > _MOST_METRES:
        stored = (stored[0] - _WRAP, stored[1])
    metres = finite(stored)
    if metres is None or abs(metres) > _FARTHEST:
        return None
    return -abs(float(metres)) if reference in _BELOW_SEA_LEVEL else float(metres)


def _degrees(angle: Angle, letters: str, most: int) -> float | None:
    """Minutes and seconds may be missing or undefined, degrees may not. A sign of its own counts as the letter does."""
    parts, letter = angle.parts, (angle.hemisphere or "")[:1].upper()
    if angle.written:
        parts = [float(number) for number in _NUMBER.findall(angle.written)]
        written = _LETTER.findall(angle.written.upper())
        letter = letter or (written[-1] if written else "")
    if not parts or parts[0] is None or (letter not in letters if letter else min(part or 0 for part in parts) >= 0):
        return None
    degrees, minutes, seconds = (part or 0 for part in (*parts, 0, 0)[:3])
    value = abs(degrees) + abs(minutes) / 60 + abs(seconds) / 3600
    below = letter == letters[1] or min(degrees, minutes, seconds) < 0
    return (-float(value) if below else float(value)) if 0 <= value <= most else None
