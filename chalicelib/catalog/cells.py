"""Places as numbers in which neighbours are near: a position on a space-filling (Z-order) curve.

The world is a grid of 2^15 by 2^15 cells (1.2 by 0.6 km at the equator). A cell's number interleaves the bits of its column
and row, so a square of cells is one run of numbers, and any box is covered by a few runs: one index then finds what two
separate ones, of latitude and of longitude, cannot.

A few lines of our own: the spatial indexes of MySQL, MariaDB and SQLite (where it has one at all) differ in what they index
and promise, and none of them can be led by the owner.
"""

import heapq
from collections.abc import Iterator

from chalicelib.model.records import Box

_BITS = 15
_CELLS = 1 << _BITS
#: The more runs, the closer they fit; each costs the database one look into the index.
_MAX_RUNS = 48


def cell(latitude: float, longitude: float) -> int:
    """The number of the cell that holds a place, in degrees."""
    return _interleave(_column(longitude), _row(latitude))


def runs(box: Box) -> list[tuple[int, int]]:
    """Runs of numbers, first and last, in order, that together hold every cell of the box and few others."""
    if box.west > box.east:
        halves = (Box(box.west, box.south, 180.0, box.north), Box(-180.0, box.south, box.east, box.north))
        return _joined(run for half in halves for run in _cover(half, _MAX_RUNS // 2))
    return _joined(_cover(box, _MAX_RUNS))


def _column(longitude: float) -> int:
    return min(max(int((longitude + 180.0) / 360.0 * _CELLS), 0), _CELLS - 1)


def _row(latitude: float) -> int:
    return min(max(int((latitude + 90.0) / 180.0 * _CELLS), 0), _CELLS - 1)


def _interleave(column: int, row: int) -> int:
    number = 0
    for bit in range(_BITS):
        number |= (column >> bit & 1) << (2 * bit) | (row >> bit & 1) << (2 * bit + 1)
    return number


def _cover(box: Box, budget: int) -> Iterator[tuple[int, int]]:
    """Squares that touch the box, the largest that stick out of it split into four as long as the budget lasts."""
    west, east, south, north = _column(box.west), _column(box.east), _row(box.south), _row(box.north)

    def touches(column: int, row: int, side: int) -> bool:
        return column <= east and column + side > west and row <= north and row + side > south

    def inside(column: int, row: int, side: int) -> bool:
        return column >= west and column + side - 1 <= east and row >= south and row + side - 1 <= north

    whole: list[tuple[int, int, int]] = []
    cut = [(-_CELLS, 0, 0)]
    while cut and len(cut) + len(whole) + 3 <= budget:
        negative, column, row = heapq.heappop(cut)
        half = -negative // 2
        for part in ((column, row), (column + half, row), (column, row + half), (column + half, row + half)):
            if inside(*part, half):
                whole.append((half, *part))
            elif touches(*part, half):
                heapq.heappush(cut, (-half, *part))
    for side, column, row in whole + [(-negative, column, row) for negative, column, row in cut]:
        first = _interleave(column, row)
        yield first, first + side * side - 1


def _joined(found: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
