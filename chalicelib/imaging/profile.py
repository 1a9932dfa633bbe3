"""Decides whether an ICC profile is sRGB, by what it does to colours and not by its name."""

import hashlib
import struct
from collections.abc import Callable

_HEADER_BYTES, _TAG_BYTES, _MAX_TAGS = 132, 12, 200
#: The red, green and blue of sRGB as profiles hold them, adapted to D50.
_SRGB_PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}
_CURVES = (b"rTRC", b"gTRC", b"bTRC")
_PRIMARY_TOLERANCE, _CURVE_TOLERANCE = 0.0015, 0.001
_SAMPLES = [index / 64 for index in range(65)]
_PARAMETERS = (1, 3, 4, 5, 7)


def colour_space(profile: bytes | None, declared: bytes) -> bytes:
    """A colour space, told apart from others: empty for sRGB and for none at all.

    `declared` is what the file says about its colours outside of a profile.
    """
    if profile and not is_srgb(profile):
        return hashlib.sha256(profile).digest() + declared
    return declared


def is_srgb(profile: bytes) -> bool:
    """Whether the profile maps RGB by the primaries and the tone curve of sRGB, within rounding."""
    try:
        tags = _tags(profile)
        return (
            not any(name[:3] in {b"A2B", b"B2A", b"D2B", b"B2D"} for name in tags)
            and all(_is_near(_xyz(tags[name]), wanted) for name, wanted in _SRGB_PRIMARIES.items())
            and all(_is_srgb_curve(_curve(tags[name])) for name in _CURVES)
        )
    except (KeyError, ValueError, ArithmeticError, IndexError, struct.error):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    if profile[16:24] != b"RGB XYZ " or profile[36:40] != b"acsp" or len(profile) < _HEADER_BYTES:
        raise ValueError("not a matrix profile for RGB")
    count = min(int.from_bytes(profile[128:132], "big"), _MAX_TAGS)
    rows = struct.iter_unpack(">4sII", profile[_HEADER_BYTES : _HEADER_BYTES + _TAG_BYTES * count])
    return {name: profile[offset : offset + size] for name, offset, size in rows}


def _fixed(data: bytes) -> list[float]:
    return [value / 65536 for (value,) in struct.iter_unpack(">i", data)]


def _xyz(tag: bytes) -> list[float]:
    if tag[:4] != b"XYZ ":
        raise ValueError("not a colour")
    return _fixed(tag[8:20])


def _is_near(found: list[float], wanted: tuple[float, ...]) -> bool:
    return all(abs(mine - theirs) <= _PRIMARY_TOLERANCE for mine, theirs in zip(found, wanted, strict=True))


def _curve(tag: bytes) -> Callable[[float], float]:
    if tag[:4] == b"para":
        kind = int.from_bytes(tag[8:10], "big")
        return _parametric(kind, _fixed(tag[12 : 12 + 4 * _PARAMETERS[kind]]))
    if tag[:4] != b"curv":
        raise ValueError("not a curve")
    count = int.from_bytes(tag[8:12], "big")
    points = struct.unpack(f">{count}H", tag[12 : 12 + 2 * count]) if count <= 1 << 16 else ()
    if count < 2:
        gamma = points[0] / 256 if points else 1.0
        return lambda x: x**gamma
    return lambda x: _interpolate(points, x)


def _interpolate(points: tuple[int, ...], x: float) -> float:
    place = x * (len(points) - 1)
    low = min(int(place), len(points) - 2)
    return (points[low] + (points[low + 1] - points[low]) * (place - low)) / 65535


def _parametric(kind: int, values: list[float]) -> Callable[[float], float]:
    """The five functions of ICC, as the general one with what they leave out put in."""
    g, a, b, c, d, e, f = (values + [0.0] * 7)[:7]
    if kind == 0:
        a, d = 1.0, -1.0
    elif kind == 1:
        c, d = 0.0, -b / a
    elif kind == 2:
        e = f = c
        c, d = 0.0, -b / a
    return lambda x: (a * x + b) ** g + e if x >= d else c * x + f


def _is_srgb_curve(curve: Callable[[float], float]) -> bool:
    return all(abs(curve(x) - _srgb_curve(x)) <= _CURVE_TOLERANCE for x in _SAMPLES)


def _srgb_curve(x: float) -> float:
    return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)
