"""Finds the items that make the picture of a HEIC or AVIF, and lets only kinds that cameras write reach the decoder."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.headers import coded_size
from chalicelib.imaging.headers.boxes import WHAT
from chalicelib.imaging.headers.header import damaged
from chalicelib.imaging.headers.items import Items, item_bytes

#: Coded pictures, and what is made of them: a grid of tiles, or one of them turned or cropped.
CODED, _GRID, _SAME = {b"hvc1", b"av01"}, b"grid", b"iden"
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")
#: One picture made of another, of a grid, of tiles: no camera goes deeper.
_MOST_LEVELS = 4
_MAX_TILES, _MOST_STEPS = 4096, 30_000
_SEQUENCE_BYTES = 512


@dataclass(frozen=True, slots=True)
class Shown:
    """`picture` are the items that make the colours, `alpha` those of their alpha, `previews` small copies of the picture."""

    picture: frozenset[int]
    alpha: frozenset[int]
    previews: frozenset[int]

    @property
    def all(self) -> set[int]:
        return set(self.picture | self.alpha)


NOTHING_SHOWN = Shown(frozenset(), frozenset(), frozenset())


def find_shown(file: BinaryIO, items: Items, name: str) -> Shown:
    """Raises `UnsupportedImageError` where the picture is made of anything else, `BadImageError` where its parts do not fit."""
    gatherer = _Gatherer(file, items, name)
    picture = gatherer.gather(items.primary)
    alpha = set[int]()
    for kind, source, target in items.references:
        if kind == b"auxl" and target in picture and source not in picture and is_alpha(items.property(source, b"auxC")):
            _check_alpha(file, items, source, target)
            alpha |= gatherer.gather(source)
    previews = _previews(items, gatherer.parts) - picture - alpha
    return Shown(frozenset(picture), frozenset(alpha), frozenset(previews))


def is_alpha(auxiliary: bytes) -> bool:
    return auxiliary[4:].startswith(_ALPHA)


def extent(items: Items, item: int) -> tuple[int, int]:
    """The size that a property claims for an item; zeros where none does."""
    body = items.property(item, b"ispe")
    if len(body) < 12:
        return 0, 0
    width, height = struct.unpack(">II", body[4:12])
    return width, height


def coded_pixels(file: BinaryIO, items: Items, item: int) -> int:
    """The pixels that a coded picture claims for itself."""
    if items.kinds.get(item) == b"hvc1":
        return coded_size.hevc_pixels(items.property(item, b"hvcC"))
    configured = coded_size.av1_pixels(items.property(item, b"av1C")[4:])
    return max(configured, coded_size.av1_pixels(item_bytes(file, items, item, _SEQUENCE_BYTES)))


class _Gatherer:
    """Collects an item and all that it is made of."""

    def __init__(self, file: BinaryIO, items: Items, name: str) -> None:
        self._file, self._items, self._name = file, items, name
        self._kinds = {*CODED, _GRID} if name == "AVIF" else {*CODED, _GRID, _SAME}
        self.parts = items.parts
        self._left = _MOST_STEPS

    def gather(self, item: int, above: tuple[int, ...] = ()) -> set[int]:
        kind = self._items.kinds.get(item, b"")
        in_grid = any(self._items.kinds[each] == _GRID for each in above)
        if kind not in self._kinds or item in self._items.elsewhere or (in_grid and kind == _GRID):
            raise UnsupportedImageError(
                f"The {self._name} is of a kind that is not taken (its picture is made of"
                f" {kind.decode('latin-1').strip() or 'nothing'!r}); send it as a camera writes it."
            )
        parts = self.parts.get(item, [])
        self._left -= 1 + len(parts)
        if len(above) > _MOST_LEVELS or item in above or self._left < 0:
            raise damaged(self._name, "its picture is made of itself, or of too many parts")
        if kind == _GRID:
            _check_grid(self._file, self._items, item, parts, self._name)
        elif kind == _SAME and len(parts) != 1:
            raise damaged(self._name, "a picture that is another one has none, or more")
        found = {item}
        if kind not in CODED:
            for part in dict.fromkeys(parts):
                found |= self.gather(part, (*above, item))
        return found


def _check_grid(file: BinaryIO, items: Items, item: int, parts: list[int], name: str) -> None:
    """The tiles must be as many as the grid says, all of one size, and cover it; libheif writes wherever they say."""
    body = item_bytes(file, items, item, 13)
    wide = len(body) > 1 and body[1] & 1
    if len(body) != (12 if wide else 8):
        raise damaged(name, "its grid is not described")
    rows, columns = body[2] + 1, body[3] + 1
    width, height = struct.unpack(">II" if wide else ">HH", body[4:])
    sizes = {extent(items, part) for part in parts}
    if len(parts) != rows * columns or len(sizes) != 1 or len(parts) > _MAX_TILES:
        raise damaged(name, "its tiles are not those of its grid")
    (across, down) = sizes.pop()
    if not (0 < width <= across * columns and 0 < height <= down * rows) or extent(items, item) not in {
        (width, height),
        (0, 0),
    }:
        raise damaged(name, "its tiles do not cover its grid")
    for part in parts:
        if items.kinds.get(part) in CODED and coded_pixels(file, items, part) < across * down:
            raise damaged(name, "a tile is smaller than it claims")


def _check_alpha(file: BinaryIO, items: Items, alpha: int, target: int) -> None:
    size = extent(items, alpha)
    if size not in {extent(items, target), (0, 0)}:
        raise UnsupportedImageError(
            f"The {WHAT} is of a kind that is not taken (its alpha has another size than its picture); send it in one size."
        )
    width, height = extent(items, target)
    if items.kinds.get(alpha) in CODED and coded_pixels(file, items, alpha) < width * height:
        raise damaged(WHAT, "its alpha is smaller than it claims")


def _previews(items: Items, parts: dict[int, list[int]]) -> set[int]:
    """Small copies of the picture, and what they are made of."""
    width, height = extent(items, items.primary)
    found = set[int]()
    for kind, source, target in items.references:
        across, down = extent(items, source)
        small = 0 < across * down < width * height
        if kind == b"thmb" and target == items.primary and small and items.kinds.get(source) in {*CODED, _GRID}:
            found.add(source)
            found.update(part for part in parts.get(source, ()) if items.kinds.get(part) in CODED)
    return found
