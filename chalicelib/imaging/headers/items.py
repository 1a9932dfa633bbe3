"""Reads the table of items in a HEIC or AVIF: what they are, what is said of them, how they hang together, where they lie."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import BinaryIO

from chalicelib.imaging.headers.boxes import MAX_BOXES, WHAT, Box, children
from chalicelib.imaging.headers.header import damaged, take

_IN_FILE, _IN_META = 0, 1


@dataclass(slots=True)
class Items:
    """The items of a file. `properties` and `extents` (offset in the file, length) are by item."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    #: The entry of an item in the table, and what kind of document it is.
    entries: dict[int, Box] = field(default_factory=dict)
    documents: dict[int, bytes] = field(default_factory=dict)
    properties: dict[int, list[Box]] = field(default_factory=dict)
    #: References as (kind, from, to).
    references: list[tuple[bytes, int, int]] = field(default_factory=list)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    #: Items whose bytes are not where a file has them: made of others' bytes, or in another file.
    elsewhere: set[int] = field(default_factory=set)
    boxes: list[Box] = field(default_factory=list)
    #: All properties, whether or not an item has them.
    all_properties: list[Box] = field(default_factory=list)
    #: Bytes at the end of a table that are no part of it, as (from, to).
    leftovers: list[tuple[int, int]] = field(default_factory=list)

    @property
    def parts(self) -> dict[int, list[int]]:
        """What each derived picture is made of."""
        found: dict[int, list[int]] = defaultdict(list)
        for kind, source, target in self.references:
            if kind == b"dimg":
                found[source].append(target)
        return found

    def property(self, item: int, name: bytes) -> bytes:
        """The body of the first property of this name, empty where there is none."""
        return next((box.body for box in self.properties.get(item, ()) if box.name == name), b"")


def read_items(meta: Box) -> Items:
    """The items that a `meta` box describes. Raises `BadImageError`."""
    items = Items(boxes=list(children(meta.body[4:], meta.at + 4)))
    inline = next((box for box in items.boxes if box.name == b"idat"), None)
    try:
        for box in items.boxes:
            if box.name == b"pitm":
                items.primary = _Cursor(box.body).versioned_id(0, 2, 4)
            elif box.name == b"iinf":
                _read_kinds(box, items)
            elif box.name == b"iref":
                _read_references(box, items)
            elif box.name == b"iprp":
                _read_properties(box, items)
            elif box.name == b"iloc":
                _read_extents(box, items, inline)
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

    def leftover(self, box: Box) -> list[tuple[int, int]]:
        return [(box.at + self.at, box.end)] if self.at < len(self.body) else []


def _read_kinds(table: Box, items: Items) -> None:
    cursor = _Cursor(table.body)
    cursor.versioned_id(0, 2, 4)
    for box in children(table.body[cursor.at :], table.at + cursor.at):
        if box.name == b"infe" and box.body and box.body[0] >= 2:
            entry = _Cursor(box.body)
            item = entry.versioned_id(2, 2, 4)
            entry.number(2)
            kind = entry.number(4).to_bytes(4, "big")
            # libheif's binding to Python dies of names that are not text.
            if not (kind.isascii() and _is_text(box.body[entry.at :])):
                raise damaged(WHAT, "the name of an item is not text")
            if item in items.kinds:
                raise damaged(WHAT, "two of its items have one number")
            items.kinds[item], items.entries[item] = kind, box
            if kind == b"mime":
                _, _, rest = box.body[entry.at :].partition(b"\0")
                items.documents[item] = rest.partition(b"\0")[0]


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_references(table: Box, items: Items) -> None:
    size = 2 if table.body[0] == 0 else 4
    for box in children(table.body[4:], table.at + 4):
        numbers = [int.from_bytes(box.body[at : at + size], "big") for at in (0, *range(size + 2, len(box.body), size))]
        items.references += [(box.name, numbers[0], target) for target in numbers[1:]]
        if len(items.references) > MAX_BOXES:
            raise damaged(WHAT, "it has too many references")


def _read_properties(table: Box, items: Items) -> None:
    boxes = list(children(table.body, table.at))
    known = [child for box in boxes if box.name == b"ipco" for child in children(box.body, box.at)]
    items.all_properties += known
    given: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        if box.name != b"ipma":
            continue
        cursor = _Cursor(box.body)
        for _ in range(cursor.number(4)):
            found = given[cursor.versioned_id(0, 2, 4)]
            for _ in range(cursor.number(1)):
                index = cursor.number(2) & 0x7FFF if cursor.flags & 1 else cursor.number(1) & 0x7F
                if 0 < index <= len(known):
                    found.append(known[index - 1])
        items.leftovers += cursor.leftover(box)
    items.properties.update(given)


def _read_extents(table: Box, items: Items, inline: Box | None) -> None:
    cursor = _Cursor(table.body)
    sizes = cursor.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if cursor.version not in {1, 2}:
        index_size = 0
    for _ in range(cursor.versioned_id(1, 2, 4)):
        item = cursor.versioned_id(1, 2, 4)
        method = cursor.number(2) & 15 if cursor.version else _IN_FILE
        foreign = cursor.number(2)
        base = cursor.number(base_size)
        if method not in {_IN_FILE, _IN_META} or foreign or item in items.extents:
            items.elsewhere.add(item)
        found = items.extents.setdefault(item, [])
        for _ in range(cursor.number(2)):
            cursor.number(index_size)
            offset, length = base + cursor.number(offset_size), cursor.number(length_size)
            if method == _IN_META:
                if inline is None or offset + length > len(inline.body):
                    raise damaged(WHAT, "an item reaches beyond the data it is in")
                offset += inline.at
            if item not in items.elsewhere:
                found.append((offset, length))
            if len(found) > MAX_BOXES:
                raise damaged(WHAT, "an item is in too many pieces")
    items.leftovers += cursor.leftover(table)


def item_bytes(file: BinaryIO, items: Items, item: int, most: int) -> bytes:
    """The first `most` bytes of an item. Raises `BadImageError` where the file ends before."""
    parts: list[bytes] = []
    left = most
    for offset, length in items.extents.get(item, ()):
        file.seek(offset)
        parts.append(take(file, min(length, left), WHAT))
        left -= len(parts[-1])
    return b"".join(parts)
