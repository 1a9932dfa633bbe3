"""What decoding a file will cost, estimated from its header, as `make bench-costs` measures it.

What a header does not tell counts as the dearest that its format has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.imaging.headers import Header

MB, MP = 1_000_000, 1_000_000
#: What a worker takes whatever the picture, with some for what nobody counts.
BASE = 96 * MB
_MARGIN_MEMORY, _MARGIN_CPU = 1.1, 1.5
#: A small picture takes no more than this beyond the base, and no more seconds.
SMALL_MEMORY, SMALL_CPU = 80 * MB, 0.5
#: The scans of a usual progressive JPEG, and the milliseconds per megapixel of each further one.
_USUAL_SCANS, _PER_SCAN = 10, 0.6


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes and milliseconds per pixel and per megapixel, and whether the file is in memory as well."""

    per_pixel: float
    per_megapixel: float
    with_file: bool = False


#: By format and `Header.coding`.
STILLS: Mapping[str, Mapping[str, Cost]] = {
    "JPEG": {
        "grey": Cost(1, 6),
        "grey progressive": Cost(3, 10),
        "baseline": Cost(4, 14),
        "progressive": Cost(7, 18),
        "progressive 444": Cost(10, 23),
        "cmyk": Cost(4, 14),
        "cmyk progressive": Cost(12, 37),
    },
    "PNG": {
        "1-bit": Cost(1.1, 8),
        "grey": Cost(1.1, 10),
        "palette": Cost(1.5, 16),
        "palette key": Cost(1.5, 24),
        "rgb": Cost(4, 39),
        "rgba": Cost(4.6, 45),
        "grey 16": Cost(2.2, 28),
    },
    "GIF": {"": Cost(5, 18)},
    "WEBP": {"": Cost(16, 43, with_file=True)},
    "TIFF": {
        "bilevel": Cost(1.1, 8),
        "plain": Cost(4, 24, with_file=True),
        "float": Cost(4.6, 16, with_file=True),
        "grey 16": Cost(2.2, 28, with_file=True),
    },
    "BMP": {"1-bit": Cost(1.1, 8), "rgb": Cost(4, 14)},
    "AVIF": {
        "8-bit 420": Cost(9, 21),
        "deep": Cost(10.6, 23),
        "444 or alpha": Cost(12.6, 43),
        "deep 444 or alpha": Cost(18, 46),
    },
    "HEIC": {"8-bit": Cost(8, 49), "deep": Cost(8.1, 79)},
}
#: Per pixel of one frame, and per megapixel of all. A format that is not here decodes its frames as so many stills.
ANIMATIONS: Mapping[str, Cost] = {
    "GIF": Cost(9, 19),
    "PNG": Cost(10, 47),
    "WEBP": Cost(15, 26, with_file=True),
    "AVIF": Cost(16, 47),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """`memory` in bytes, `cpu` in seconds."""

    memory: int
    cpu: float

    @property
    def small(self) -> bool:
        return self.memory <= BASE + SMALL_MEMORY and self.cpu <= SMALL_CPU


def estimate(header: Header, file_bytes: int) -> Estimate:
    """The most that decoding a file with this header may well take."""
    cost = _cost(header)
    pixels = max(header.width * header.height, header.codec_pixels)
    total = header.total_pixels or pixels * header.frames
    per_megapixel = cost.per_megapixel + _PER_SCAN * max(0, header.scans - _USUAL_SCANS)
    memory = cost.per_pixel * pixels + (file_bytes if cost.with_file else 0)
    return Estimate(BASE + round(_MARGIN_MEMORY * memory), _MARGIN_CPU * per_megapixel / 1000 * total / MP)


def _cost(header: Header) -> Cost:
    if header.frames > 1 and header.format in ANIMATIONS:
        return ANIMATIONS[header.format]
    known = STILLS[header.format]
    return known.get(header.coding) or _dearest(known)


def _dearest(costs: Mapping[str, Cost]) -> Cost:
    every = costs.values()
    return Cost(
        max(cost.per_pixel for cost in every),
        max(cost.per_megapixel for cost in every),
        any(cost.with_file for cost in every),
    )
