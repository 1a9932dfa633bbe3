"""Notices HEIC and AVIF whose coded pictures end in zeros, as downloads do that were given their space and never filled it.

Decoders make a grey or smeared picture of these without a word.
"""

from typing import BinaryIO

from chalicelib.imaging.headers import boxes
from chalicelib.imaging.headers.boxes import Items
from chalicelib.imaging.headers.header import damaged, size_of, truncated

_LENGTH_SIZE_AT = 21
#: HEVC never has three zero bytes in a row inside of a unit: its writer must put a 3 before the third.
_NEVER_CODED = b"\0\0\0"
#: AV1 has no such rule, but its arithmetic coder writes no zeros by the kilobyte.
_TAIL_BYTES = 1024


def check_coded_data(file: BinaryIO, items: Items, shown: set[int]) -> None:
    """Look at the coded data of the pictures that are shown. Raises `BadImageError`."""
    sizes = {item: sum(length for _, length in items.extents.get(item, ())) for item in shown}
    if sum(sizes.values()) > size_of(file):
        raise damaged(boxes.WHAT, "its pictures claim the same bytes, many times over")
    for item in shown:
        kind = items.kinds.get(item)
        if kind not in {b"hvc1", b"av01"}:
            continue
        data = boxes.item_bytes(file, items, item, sizes[item])
        if kind == b"av01" and len(data) >= _TAIL_BYTES and not any(data[-_TAIL_BYTES:]):
            raise truncated("AVIF")
        configuration = next((box.body for box in items.properties.get(item, ()) if box.name == b"hvcC"), b"")
        if kind == b"hvc1" and len(configuration) > _LENGTH_SIZE_AT:
            _check_units(data, (configuration[_LENGTH_SIZE_AT] & 3) + 1)


def _check_units(data: bytes, length_size: int) -> None:
    at = 0
    while at < len(data):
        start = at + length_size
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data) or end == start or data.find(_NEVER_CODED, start, end) >= 0:
            raise truncated("HEIC")
        at = end
