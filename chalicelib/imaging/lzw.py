"""Finds where LZW codes end, without unpacking them: how wide a code is depends on how many came before it, not on which."""

from dataclasses import dataclass
from itertools import chain, repeat

_WIDEST = 12
_ROOM = 1 << _WIDEST
#: Ordinary writers start over every 4,000 codes or so. What does so more often than this is too dear to walk.
_MOST_STARTS = 500_000
_TO_READ = 1 << 16


@dataclass(frozen=True, slots=True)
class End:
    """`at` is the bit at which the code for the end begins, or where the codes run out; `last` where that before it does.

    A code that only starts over is passed by: `last` is a code of pixels. `width` is that of the end, 0 where none is.
    """

    at: int
    last: int
    width: int

    @property
    def bytes(self) -> int:
        """How many bytes the codes take."""
        return (self.at + self.width + 7) // 8


def find_end(packed: bytes, bits: int, *, tiff: bool = False) -> End | None:
    """Where the codes end that stand for pixels of so many bits; `None` where they start over too often.

    TIFF fills its bytes from the upper bit on, and widens its codes one code earlier than GIF.
    """
    found = _Bits(packed, upper_first=tiff)
    at, last = 0, 0
    for _ in range(_MOST_STARTS):
        start = at
        for width, count in _widths(bits, early=tiff):
            until = at + count * width
            hit = found.control(at, until, bits, width)
            if hit is None and until <= found.length:
                at, last = until, until - width
                continue
            codes = ((found.length if hit is None else hit) - at) // width
            last = at + (codes - 1) * width if codes else last
            at += codes * width
            if hit is None:
                return End(at, last, 0)
            if found.is_end(at, width):
                return End(at, last, width)
            at += width
            break
        if at == start:
            return End(at, last, 0)
    return None


def _widths(bits: int, *, early: bool) -> chain[tuple[int, int]]:
    """The widths of the codes that follow a start, and how many there are of each."""
    first = min(bits + 1, _WIDEST)
    growing = [(first, (1 << bits) - 1 - early)] + [(width, 1 << (width - 1)) for width in range(first + 1, _WIDEST)]
    return chain(growing if first < _WIDEST else [], repeat((_WIDEST, _ROOM)))


class _Bits:
    """Packed codes as a text of bits, in which Python searches fast; only as much of it as is being looked at."""

    def __init__(self, packed: bytes, *, upper_first: bool) -> None:
        self._packed, self._upper_first = packed, upper_first
        self._begin, self._text = 0, ""
        self.length = 8 * len(packed)

    def control(self, at: int, until: int, bits: int, width: int) -> int | None:
        """The first of the codes from `at` on that is no pixel: a start or an end, which differ only in the lowest bit."""
        self._look(at, until)
        place = at - self._begin
        # The bits that both share, without the lowest.
        shared = "0" * (width - bits - 1) + "1" + "0" * (bits - 1)
        shift = 0 if self._upper_first else 1
        shared = shared if self._upper_first else shared[::-1]
        end = min(until, self.length) - self._begin
        hit = place
        while True:
            found = self._text.find(shared, hit + shift, end)
            if found < 0:
                return None
            hit = found - shift
            missing = (hit - place) % width
            if not missing:
                return self._begin + hit if hit + width <= end else None
            hit += width - missing

    def is_end(self, at: int, width: int) -> bool:
        lowest = at - self._begin + (width - 1 if self._upper_first else 0)
        return self._text[lowest] == "1"

    def _look(self, at: int, until: int) -> None:
        if self._begin <= at and until <= self._begin + len(self._text):
            return
        first = at // 8
        taken = self._packed[first : first + max(_TO_READ, (until - at) // 8 + 2)]
        number = int.from_bytes(taken, "big" if self._upper_first else "little")
        text = f"{number:0{8 * len(taken)}b}"
        self._begin, self._text = 8 * first, text if self._upper_first else text[::-1]
