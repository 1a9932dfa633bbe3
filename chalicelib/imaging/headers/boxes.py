"""Reads the boxes of the ISO base media file format, which HEIC and AVIF share, and the table of items in them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from chalicelib.imaging.headers.header import damaged, take, truncated

_MAX_BOXES = 20_000
_MAX_META_BYTES = 8 << 20
_XMP_TYPE = b"application/rdf+xml"
WHAT = "HEIC or AVIF"


@dataclass(frozen=True, slots=True)
class Box:
    name: bytes
    body: bytes


@dataclass(slots=True)
class Items:
    """The items of a file: `kinds` by id, `properties` by id, `references` as (kind, from, to), `extents` by id."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    #: Items that are XMP packets.
    xmp: list[int] = field(default_factory=list)
    properties: dict[int, list[Box]] = field(default_factory=dict)
    references: list[tuple[bytes, int, int]] = field(default_factory=list)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    inline: bytes = b""
    #: Items whose bytes are in `inline` instead of the file.
    inlined: set[int] = field(default_factory=set)


def top_level(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the body of each box of the file. Raises `BadImageError` where one is cut short."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > size:
            if at < size:
                raise truncated(WHAT)
            return
        file.seek(at)
        length, name = struct.unpack(">I4s", take(file, 8, WHAT))
        start = at + 8
        if length == 1:
            length, start = struct.unpack(">Q", take(file, 8, WHAT))[0], at + 16
        end = at + length if length else size
        if end > size or end < start:
            raise truncated(WHAT)
        yield name, start, end
        at = end
    raise damaged(WHAT, f"it has more than {_MAX_BOXES:,} boxes")


def children(data: bytes) -> Iterator[Box]:
    """The boxes in a body. Raises `BadImageError` where one is cut short."""
    at, count = 0, 0
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(data[start : start + 8], "big"), at + 16
        end = at + length if length else len(data)
        count += 1
        if not start <= end <= len(data) or count > _MAX_BOXES:
            raise damaged(WHAT, "a box reaches beyond the one around it")
        yield Box(name, data[start:end])
        at = end


def read_body(file: BinaryIO, start: int, end: int) -> bytes:
    if end - start > _MAX_META_BYTES:
        raise damaged(WHAT, f"its description is larger than {_MAX_META_BYTES:,} bytes")
    file.seek(start)
    return take(file, end - start, WHAT)


def read_items(meta: bytes) -> Items:
    """The items that the body of a `meta` box describes. Raises `BadImageError`."""
    items = Items()
    try:
        for box in children(meta[4:]):
            if box.name == b"pitm":
                items.primary = _Cursor(box.body).versioned_id(0, 2, 4)
            elif box.name == b"iinf":
                _read_kinds(box.body, items)
            elif box.name == b"iref":
                _read_references(box.body, items)
            elif box.name == b"iprp":
                _read_properties(box.body, items)
            elif box.name == b"iloc":
                _read_extents(box.body, items)
            elif box.name == b"idat":
                items.inline = box.body
    except IndexError:
        raise damaged(WHAT, "its description is cut short") from None
    return items


class _Cursor:
    """Big-endian numbers from a full box, one after another. Raises `IndexError` at the end."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 4
        self.version = body[0]
        self.flags = int.from_bytes(body[1:4], "big")

    def number(self, size: int) -> int:
        if self.at + size > len(self.body):
            raise IndexError
        self.at += size
        return int.from_bytes(self.body[self.at - size : self.at], "big")

    def versioned_id(self, threshold: int, small: int, large: int) -> int:
        return self.number(small if self.version <= threshold else large)


def _read_kinds(body: bytes, items: Items) -> None:
    cursor = _Cursor(body)
    cursor.versioned_id(0, 2, 4)
    for box in children(body[cursor.at :]):
        if box.name == b"infe" and box.body and box.body[0] >= 2:
            entry = _Cursor(box.body)
            item = entry.versioned_id(2, 2, 4)
            entry.number(2)
            items.kinds[item] = kind = entry.number(4).to_bytes(4, "big")
            if kind == b"mime" and _XMP_TYPE in box.body[entry.at :].split(b"\0")[1:2]:
                items.xmp.append(item)
            # libheif's binding to Python dies of names that are not text.
            if not (kind.isascii() and _is_text(box.body[entry.at :])):
                raise damaged(WHAT, "the name of an item is not text")


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_references(body: bytes, items: Items) -> None:
    size = 2 if body[0] == 0 else 4
    for box in children(body[4:]):
        numbers = [int.from_bytes(box.body[at : at + size], "big") for at in (0, *range(size + 2, len(box.body), size))]
        items.references += [(box.name, numbers[0], target) for target in numbers[1:]]
        if len(items.references) > _MAX_BOXES:
            raise damaged(WHAT, "it has too many references")


def _read_properties(body: bytes, items: Items) -> None:
    boxes = list(children(body))
    known = [child for box in boxes if box.name == b"ipco" for child in children(box.body)]
    for box in boxes:
        if box.name != b"ipma":
            continue
        cursor = _Cursor(box.body)
        for _ in range(cursor.number(4)):
            item = cursor.versioned_id(0, 2, 4)
            found = items.properties.setdefault(item, [])
            for _ in range(cursor.number(1)):
                index = cursor.number(2) & 0x7FFF if cursor.flags & 1 else cursor.number(1) & 0x7F
                if 0 < index <= len(known):
                    found.append(known[index - 1])


def _read_extents(body: bytes, items: Items) -> None:
    cursor = _Cursor(body)
    sizes = cursor.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if cursor.version not in {1, 2}:
        index_size = 0
    for _ in range(cursor.versioned_id(1, 2, 4)):
        item = cursor.versioned_id(1, 2, 4)
        if cursor.version and cursor.number(2) & 15 == 1:
            items.inlined.add(item)
        cursor.number(2)
        base = cursor.number(base_size)
        found = items.extents.setdefault(item, [])
        for _ in range(cursor.number(2)):
            cursor.number(index_size)
            found.append((base + cursor.number(offset_size), cursor.number(length_size)))


def item_bytes(file: BinaryIO, items: Items, item: int, most: int) -> bytes:
    """The first `most` bytes of an item. Raises `BadImageError` where the file ends before."""
    parts: list[bytes] = []
    for offset, length in items.extents.get(item, ()):
        wanted = min(length, most - sum(map(len, parts)))
        if item in items.inlined:
            parts.append(items.inline[offset : offset + wanted])
        else:
            file.seek(offset)
            parts.append(take(file, wanted, WHAT))
    return b"".join(parts)
