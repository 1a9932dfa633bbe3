"""Positions as EXIF stores them: angles in parts, and the sign in a letter."""

from collections.abc import Sequence

from chalicelib.imaging.ifd import Number

_BELOW_SEA_LEVEL = {1, 3, ord("1"), ord("3")}


def position(
    latitude_ref: str | None, latitude: Sequence[Number | None], longitude_ref: str | None, longitude: Sequence[Number | None]
) -> tuple[float | None, float | None]:
    """Degrees, north and east positive; both or neither. Without its hemisphere an angle says nothing."""
    north = _degrees(latitude, {"N": 1, "S": -1}.get((latitude_ref or "")[:1].upper()), 90)
    east = _degrees(longitude, {"E": 1, "W": -1}.get((longitude_ref or "")[:1].upper()), 180)
    return (north, east) if north is not None and east is not None else (None, None)


def altitude(reference: int | None, metres: Number | None) -> float | None:
    """Metres above sea level. Without a reference an altitude is above it."""
    if metres is None:
        return None
    return -abs(float(metres)) if reference in _BELOW_SEA_LEVEL else float(metres)


def _degrees(parts: Sequence[Number | None], sign: int | None, most: int) -> float | None:
    """Minutes and seconds may be missing or undefined, degrees may not."""
    if sign is None or not parts or parts[0] is None:
        return None
    degrees, minutes, seconds = (part or 0 for part in (*parts, 0, 0)[:3])
    value = degrees + minutes / 60 + seconds / 3600
    return sign * float(value) if 0 <= value <= most else None
