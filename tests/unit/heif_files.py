"""Writes HEIC and AVIF box by box, around pictures that a real encoder coded."""

import io
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from chalicelib.imaging.headers.boxes import body_of, top_level
from chalicelib.imaging.headers.items import item_bytes, read_items
from tests.unit.examining import encoded

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def size_property(width: int, height: int) -> bytes:
    return box(b"ispe", struct.pack(">III", 0, width, height))


@dataclass
class Item:
    """`properties` are whole boxes; equal ones are written once. References are to items by their place, from 1 on."""

    kind: bytes
    data: bytes = b""
    properties: list[bytes] = field(default_factory=list)
    references: list[tuple[bytes, list[int]]] = field(default_factory=list)
    name: bytes = b"\0"
    method: int = 0


def coded(picture: Image.Image, file_format: str = "HEIF", **options: Any) -> list[Item]:
    """The coded picture as an item, and its alpha as another, if it has some."""
    file = io.BytesIO(encoded(picture, file_format, **options))
    meta = next(each for each in top_level(file, len(file.getvalue())) if each.name == b"meta")
    items = read_items(body_of(file, meta))
    order = {item: place for place, item in enumerate(items.kinds, 1)}
    return [
        Item(
            kind,
            item_bytes(file, items, item, 1 << 30),
            [box(each.name, each.body) for each in items.properties[item]],
            [(name, [order[target]]) for name, source, target in items.references if source == item],
        )
        for item, kind in items.kinds.items()
    ]


def heif(
    items: list[Item],
    brand: bytes = b"heic",
    *,
    before: bytes = b"",
    behind: bytes = b"",
    in_meta: bytes = b"",
    in_data: bytes = b"",
    properties: list[bytes] | None = None,
) -> bytes:
    """A file of these items, the first of which is shown; more boxes before and behind the data, and bytes within them.

    `properties` belong to no item.
    """
    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand) + before
    length = len(head) + len(_meta(items, 0, in_meta, properties or []))
    meta = _meta(items, length + 8, in_meta, properties or [])
    data = b"".join(item.data for item in items if item.method != 1) + in_data
    return head + meta + box(b"mdat", data) + behind


def _meta(items: list[Item], data_at: int, more: bytes, unused: list[bytes]) -> bytes:
    locations, inline, at = b"", b"", data_at
    for number, item in enumerate(items, 1):
        offset = len(inline) if item.method == 1 else at
        pieces = struct.pack(">HII", 1, offset, len(item.data)) if item.data else struct.pack(">H", 0)
        locations += struct.pack(">HHH", number, item.method, 0) + pieces
        if item.method == 1:
            inline += item.data
        else:
            at += len(item.data)
    known = list(dict.fromkeys(each for item in items for each in item.properties))
    given = b"".join(
        struct.pack(">HB", number, len(item.properties)) + bytes(1 + known.index(each) for each in item.properties)
        for number, item in enumerate(items, 1)
    )
    entries = b"".join(
        box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", number, 0, item.kind) + item.name)
        for number, item in enumerate(items, 1)
    )
    references = b"".join(
        box(name, struct.pack(f">HH{len(to)}H", number, len(to), *to))
        for number, item in enumerate(items, 1)
        for name, to in item.references
    )
    body = box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"pitm", bytes(4) + b"\0\1")
    body += box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", len(items)) + locations)
    body += box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + entries)
    body += box(b"iref", bytes(4) + references) if references else b""
    body += box(
        b"iprp", box(b"ipco", b"".join(known + unused)) + box(b"ipma", bytes(4) + struct.pack(">I", len(items)) + given)
    )
    body += (box(b"idat", inline) if inline else b"") + more
    return box(b"meta", bytes(4) + body)
