"""Notices HEIC and AVIF whose coded pictures end in zeros, as downloads do that were given their space and never filled it.

Decoders make a grey or smeared picture of these without a word.
"""

from collections.abc import Iterator
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.headers import boxes
from chalicelib.imaging.headers.coded_units import MAX_UNITS, Unit, av1_units, hevc_units
from chalicelib.imaging.headers.header import damaged, size_of, truncated
from chalicelib.imaging.headers.items import Items, item_bytes

_LENGTH_SIZE_AT = 21
#: HEVC never has three zero bytes in a row inside of a unit: its writer must put a 3 before the third.
_NEVER_CODED = b"\0\0\0"
#: AV1 has no such rule, but its arithmetic coder writes no zeros by the kilobyte.
_TAIL_BYTES = 1024


def coded_blocks(file: BinaryIO, items: Items, shown: set[int]) -> list[Block]:
    """What the coded data of the pictures that are shown consist of. Raises `BadImageError` where they are not whole."""
    sizes = {item: sum(length for _, length in items.extents.get(item, ())) for item in shown}
    if sum(sizes.values()) > size_of(file):
        raise damaged(boxes.WHAT, "its pictures claim the same bytes, many times over")
    found: list[Block] = []
    for item in sorted(shown):
        kind = items.kinds.get(item)
        if kind not in {b"hvc1", b"av01"}:
            found += (Block("item", at, at + length, Part.PICTURE) for at, length in items.extents.get(item, ()))
            continue
        data = item_bytes(file, items, item, sizes[item])
        units = _av1(data) if kind == b"av01" else _hevc(data, items.property(item, b"hvcC"))
        found += placed(units, items.extents.get(item, ()), kind.decode())
        if len(found) > MAX_UNITS:
            raise damaged(boxes.WHAT, "its pictures are in too many pieces")
    return found


def _av1(data: bytes) -> list[Unit]:
    if len(data) >= _TAIL_BYTES and not any(data[-_TAIL_BYTES:]):
        raise truncated("AVIF")
    return _bounded(av1_units(data))


def _hevc(data: bytes, configuration: bytes) -> list[Unit]:
    if len(configuration) <= _LENGTH_SIZE_AT:
        raise damaged("HEIC", "a picture lacks its configuration")
    length_size = (configuration[_LENGTH_SIZE_AT] & 3) + 1
    try:
        units = _bounded(hevc_units(data, length_size))
    except ValueError:
        raise truncated("HEIC") from None
    if any(data.find(_NEVER_CODED, unit.start + length_size, unit.end) >= 0 for unit in units):
        raise truncated("HEIC")
    return units


def _bounded(units: Iterator[Unit]) -> list[Unit]:
    found: list[Unit] = []
    for unit in units:
        found.append(unit)
        if len(found) > MAX_UNITS:
            raise damaged(boxes.WHAT, "a picture is in too many pieces")
    return found


def placed(units: list[Unit], extents: list[tuple[int, int]] | tuple[()], kind: str) -> Iterator[Block]:
    """The same units where they lie in the file: what is the picture's in one block, and in pieces where the item is."""
    odd = [unit for unit in units if unit.part is not Part.PICTURE]
    passed = 0
    for offset, length in extents:
        at, shift = offset, offset - passed
        while odd and odd[0].start < passed + length:
            start, end = max(odd[0].start + shift, at), min(odd[0].end + shift, offset + length)
            if at < start:
                yield Block(kind, at, start, Part.PICTURE)
            yield Block("message", start, end, odd[0].part)
            at = end
            if odd[0].end > passed + length:
                break
            del odd[0]
        if at < offset + length:
            yield Block(kind, at, offset + length, Part.PICTURE)
        passed += length
