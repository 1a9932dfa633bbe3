"""Finds where LZW codes end, without unpacking them: how wide a code is depends on how many came before it, not on which."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from math import gcd

_WIDEST, _BYTE = 12, 8
_ROOM = 1 << _WIDEST
#: Ordinary writers start over every 4,000 codes or so. What does so more often than this is too dear to walk.
_MOST_STARTS = 200_000


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
            codes = ((found.length if hit is None else hit[0]) - at) // width
            last = at + (codes - 1) * width if codes else last
            at += codes * width
            if hit is None:
                return End(at, last, 0)
            if hit[1]:
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
    """Packed codes as whole numbers, of which the eight upper bits of every few codes are searched as bytes, which is fast."""

    def __init__(self, packed: bytes, *, upper_first: bool) -> None:
        self._packed, self._upper_first = packed, upper_first
        self.length = 8 * len(packed)

    def control(self, at: int, until: int, bits: int, width: int) -> tuple[int, bool] | None:
        """The first of the codes from `at` on that is no pixel, and whether it is the end."""
        count = (min(until, self.length) - at) // width
        number = self._number(at, count * width)
        likely, wanted = self._likely(number, count, bits, width), 1 << (bits - 1)
        places = [place for place in likely if self._code(number, place, width) >> 1 == wanted]
        if not places:
            return None
        place = max(places) if self._upper_first else min(places)
        order = count - 1 - place if self._upper_first else place
        return at + order * width, bool(self._code(number, place, width) & 1)

    def _number(self, at: int, length: int) -> int:
        """The bits from `at` on; with the upper bit first, the first code is the uppermost."""
        last = (at + length + 7) // 8
        taken = self._packed[at // 8 : last]
        if self._upper_first:
            return int.from_bytes(taken, "big") >> (8 * last - at - length) & ((1 << length) - 1)
        return int.from_bytes(taken, "little") >> at % 8 & ((1 << length) - 1)

    def _likely(self, number: int, count: int, bits: int, width: int) -> Iterator[int]:
        """The places, counted from the lowest bits, of codes whose upper bits are those of a code that is no pixel."""
        if width <= _BYTE:
            yield from range(count)
            return
        wanted = bytes(((1 << bits) >> (width - _BYTE),))
        phases = _BYTE // gcd(width, _BYTE)
        for phase in range(min(phases, count)):
            upper = (number >> (phase * width + width - _BYTE)).to_bytes((count * width + 7) // 8, "little")
            upper = upper[:: phases * width // _BYTE]
            found = upper.find(wanted)
            while found >= 0:
                if phase + found * phases < count:
                    yield phase + found * phases
                found = upper.find(wanted, found + 1)

    @staticmethod
    def _code(number: int, place: int, width: int) -> int:
        return number >> (place * width) & ((1 << width) - 1)
