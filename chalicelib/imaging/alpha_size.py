"""Gives the alpha of an AVIF the size of its picture where it has none of its own: libavif refuses it otherwise.

The view that libavif reads has another description behind its last box, and what was the first is free space: so no offset
changes.
"""

import io
import struct
from typing import BinaryIO

from chalicelib.imaging.headers.boxes import Box, body_of, children, top_level
from chalicelib.imaging.headers.header import size_of
from chalicelib.imaging.headers.items import Items, read_items
from chalicelib.imaging.headers.shown import is_alpha


def with_alpha_sizes(file: BinaryIO) -> BinaryIO:
    """The file itself, or a view of it in which every alpha has a size."""
    tops = list(top_level(file, size_of(file)))
    found = next((box for box in tops if box.name == b"meta"), None)
    if found is None:
        return file
    meta = body_of(file, found)
    items = read_items(meta)
    sizes = _missing_sizes(items)
    file.seek(tops[-1].start)
    reaches_to_the_end = file.read(4) == bytes(4)
    if not sizes or reaches_to_the_end or meta.at != meta.start + 8:
        return file
    file.seek(0)
    before, _, behind = file.read(meta.start + 4), file.read(4), file.read(tops[-1].end - meta.at)
    return io.BytesIO(before + b"free" + behind + _box(b"meta", meta.body[:4] + _rewritten(items.boxes, sizes)))


def _missing_sizes(items: Items) -> dict[int, int]:
    """By the alpha that has none, which property is the size of its picture, counted from 1."""
    places = {box.start: place for place, box in enumerate(items.all_properties, 1)}
    found: dict[int, int] = {}
    for kind, source, target in items.references:
        if kind == b"auxl" and is_alpha(items.property(source, b"auxC")) and not items.property(source, b"ispe"):
            size = next((box for box in items.properties.get(target, ()) if box.name == b"ispe"), None)
            if size is not None:
                found[source] = places[size.start]
    return found


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _rewritten(boxes: list[Box], sizes: dict[int, int]) -> bytes:
    parts: list[bytes] = []
    for box in boxes:
        if box.name == b"iprp":
            parts.append(_box(box.name, _rewritten(list(children(box.body, box.at)), sizes)))
        else:
            parts.append(_box(box.name, _with_sizes(box.body, sizes) if box.name == b"ipma" else box.body))
    return b"".join(parts)


def _with_sizes(table: bytes, sizes: dict[int, int]) -> bytes:
    """The table of which item has which properties, each size in front of its item's others."""
    id_bytes, place_bytes = (4 if table[0] else 2), (2 if table[3] & 1 else 1)
    parts, at = [table[:8]], 8
    for _ in range(int.from_bytes(table[4:8], "big")):
        item, count = int.from_bytes(table[at : at + id_bytes], "big"), table[at + id_bytes]
        end = at + id_bytes + 1 + count * place_bytes
        added = [sizes[item].to_bytes(place_bytes, "big")] if item in sizes else []
        parts += [table[at : at + id_bytes], bytes((count + len(added),)), *added, table[at + id_bytes + 1 : end]]
        at = end
    return b"".join(parts)
