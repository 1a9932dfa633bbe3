"""Brings colours that are declared by code points (H.273: `nclx` in HEIC and AVIF, `cICP` in PNG) to sRGB.

Light is measured in what a screen shows as white. A film's or a phone's high dynamic range goes beyond it, up to a peak: the
curve that brings it back (extended Reinhard, as in ITU-R BT.2408) leaves the shadows alone, bends towards the peak, and is
applied to the strongest of the three colours, so that hues stay.
"""

from collections.abc import Callable
from functools import lru_cache

from PIL import ImageFilter

_MARKS = (b"nclx", b"cICP")
_P3, _BT2020 = 12, 9
_GAMMA_22, _GAMMA_28, _LINEAR, _PQ, _HLG = 4, 5, 8, 16, 18
#: From linear light of other primaries to that of sRGB; what is not listed is near enough to it.
_TO_SRGB = {
    _P3: ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09827)),
    _BT2020: ((1.66049, -0.58764, -0.07285), (-0.12455, 1.13290, -0.00835), (-0.01815, -0.10058, 1.11873)),
}
_UNTOUCHED = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
#: In candelas per square metre. White is put where pictures come out as bright as in browsers on screens without such a range.
_WHITE, _PEAK = 300.0, 1000.0
_SIZE = 17

_Colour = tuple[float, float, float]


@lru_cache(8)
def to_srgb_table(colour: bytes) -> ImageFilter.Color3DLUT | None:
    """What turns samples of these colours, as headers describe them, into sRGB; `None` where nothing need be done."""
    if not colour.startswith(_MARKS):
        return None
    width = 2 if colour.startswith(b"nclx") else 1
    primaries, transfer = (int.from_bytes(colour[at : at + width], "big") for at in (4, 4 + width))
    to_light = _LIGHT.get(transfer, _srgb_light)
    matrix = _TO_SRGB.get(primaries, _UNTOUCHED)
    if to_light is _srgb_light and matrix is _UNTOUCHED:
        return None
    light = [to_light(step / (_SIZE - 1)) for step in range(_SIZE)]

    def shown(red: float, green: float, blue: float) -> _Colour:
        linear = (light[round(red * (_SIZE - 1))], light[round(green * (_SIZE - 1))], light[round(blue * (_SIZE - 1))])
        if transfer == _HLG:
            linear = _hlg_display(*linear)
        if transfer in {_PQ, _HLG}:
            linear = _toned(*linear)
        first, second, third = (sum(share * part for share, part in zip(row, linear, strict=True)) for row in matrix)
        return _srgb_sample(first), _srgb_sample(second), _srgb_sample(third)

    return ImageFilter.Color3DLUT.generate(_SIZE, shown)


def _pq_light(sample: float) -> float:
    """SMPTE ST 2084."""
    root = sample ** (32 / 2523)
    return float(10_000 / _WHITE * (max(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (8192 / 1305))


def _hlg_light(sample: float) -> float:
    """ITU-R BT.2100: the light of the scene, from 0 to 1."""
    if sample <= 0.5:
        return sample**2 / 3
    return float((2.718281828459045 ** ((sample - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _hlg_display(red: float, green: float, blue: float) -> _Colour:
    """What a screen of the peak's brightness makes of the light of a scene."""
    gain = _PEAK / _WHITE * (0.2627 * red + 0.6780 * green + 0.0593 * blue) ** 0.2
    return red * gain, green * gain, blue * gain


def _toned(red: float, green: float, blue: float) -> _Colour:
    peak = _PEAK / _WHITE
    strongest = max(red, green, blue)
    factor = (1 + strongest / peak**2) / (1 + strongest)
    return red * factor, green * factor, blue * factor


def _srgb_light(sample: float) -> float:
    return sample / 12.92 if sample <= 0.04045 else float(((sample + 0.055) / 1.055) ** 2.4)


def _srgb_sample(light: float) -> float:
    light = min(max(light, 0.0), 1.0)
    return light * 12.92 if light <= 0.0031308 else float(1.055 * light ** (1 / 2.4) - 0.055)


#: How samples become light; browsers take all the others for sRGB's.
_LIGHT: dict[int, Callable[[float], float]] = {
    _GAMMA_22: lambda sample: sample**2.2,
    _GAMMA_28: lambda sample: sample**2.8,
    _LINEAR: lambda sample: sample,
    _PQ: _pq_light,
    _HLG: _hlg_light,
}
