"""Says of the boxes of a HEIC or AVIF which are the picture and which known metadata. What is not said here is more."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.contents import UNKNOWN, described
from chalicelib.imaging.headers.boxes import Box, children
from chalicelib.imaging.headers.coded_units import av1_units
from chalicelib.imaging.headers.items import Items, item_bytes
from chalicelib.imaging.headers.samsung import trailer
from chalicelib.imaging.headers.shown import CODED, Shown, is_alpha
from chalicelib.imaging.headers.xmp_payload import Payload

_MOST_BRANDS_BYTES, _MOST_FILLER_BYTES = 256, 64 << 10
_MOST_XMP_BYTES = 4 << 20
_XMP = b"application/rdf+xml"
_CONTENT_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_META = {b"hdlr": Part.METADATA, b"dinf": Part.METADATA, b"grpl": Part.METADATA, b"pitm": Part.PICTURE, b"iloc": Part.PICTURE}
_REFERENCES = {b"dimg": Part.PICTURE, b"auxl": Part.PICTURE, b"thmb": Part.METADATA, b"cdsc": Part.METADATA}
_SIZES = {b"ispe": 12, b"irot": 1, b"imir": 1, b"clap": 32, b"pasp": 8, b"clli": 4, b"mdcv": 24}
_COLOURS = {b"nclx", b"prof", b"rICC"}
_NCLX_BYTES = 11
_DEPTH = b"urn:mpeg:hevc:2015:auxid:2\0"
_TEXTS = {b"udes", b"crtt"}
_FILLERS = {b"free", b"skip"}
_PARAMETER_SETS = {32, 33, 34, 39, 40}


class Roles:
    """What each item is: a part of the picture, known metadata, or more.

    `frames` are the stretches of the file that a sequence's frames take: an item there is one of them, seen as a still.
    """

    def __init__(self, items: Items, shown: Shown, file: BinaryIO, frames: tuple[tuple[int, int], ...] = ()) -> None:
        self.items = items
        self._shown, self._frames = shown, frames
        self._parts = {item: self._judged(item, file) for item in items.kinds}

    def part(self, item: int) -> Part:
        return self._parts.get(item, Part.MORE)

    def _judged(self, item: int, file: BinaryIO) -> Part:
        kind = self.items.kinds[item]
        if item in self._shown.picture or item in self._shown.alpha:
            return Part.PICTURE
        if kind in CODED and self._frames and all(map(self._is_frame, self.items.extents.get(item, [(0, 1)]))):
            return Part.PICTURE
        if item in self._shown.previews or kind == b"Exif":
            return Part.METADATA
        if kind == b"mime" and self.items.documents[item] == _XMP:
            text = item_bytes(file, self.items, item, _MOST_XMP_BYTES + 1)
            return Part.MORE if len(text) > _MOST_XMP_BYTES or Payload().look(text) else Part.METADATA
        return Part.MORE

    def said_part(self, item: int) -> Part:
        """What that is which is said of an item: where its bytes are more, they stand for it."""
        part = self.part(item)
        return Part.METADATA if part is Part.MORE and any(size for _, size in self.items.extents.get(item, ())) else part

    def holds(self, item: int) -> tuple[str, str]:
        """What an item that is more is called in `docs/imaging.md`, and its content type."""
        kind, auxiliary = self.items.kinds.get(item, b""), self.items.property(item, b"auxC")[4:]
        if kind == b"tmap" or b"gainmap" in auxiliary:
            return "gain map", "image/heic"
        if b"depth" in auxiliary or auxiliary.startswith(_DEPTH):
            return "depth", "image/heic"
        return ("picture", "image/heic") if self.items.property(item, b"ispe") else UNKNOWN

    def _is_frame(self, extent: tuple[int, int]) -> bool:
        index = bisect_right(self._frames, (extent[0], 1 << 64)) - 1
        return index >= 0 and extent[0] + extent[1] <= self._frames[index][1]


def file_blocks(file: BinaryIO, tops: list[Box], walked: set[int]) -> Iterator[Block]:
    """The boxes of the file itself, apart from those that begin at `walked`, and from what lies in `mdat`."""
    seen = set[bytes]()
    for box in tops:
        if box.start in walked:
            continue
        if box.name == b"ftyp" and box.name not in seen and box.end - box.start <= _MOST_BRANDS_BYTES:
            yield Block("ftyp", box.start, box.end, Part.PICTURE)
        elif box.name == b"mdat":
            yield Block("mdat", box.start, box.at, Part.PICTURE)
        elif box.name in {b"mpvd", b"moov"}:
            yield Block(box.label, box.start, box.at, Part.METADATA)
            yield Block(box.label, box.at, box.end, Part.MORE, "film", "video/mp4")
        elif box.name == b"sefd":
            yield Block("sefd", box.start, box.at, Part.METADATA)
            yield from trailer(file, box.at, box.end)
        elif _is_idle(file, box):
            yield Block(box.label, box.start, box.end, Part.METADATA)
        else:
            yield Block(box.label, box.start, box.at, Part.METADATA if box.at < box.end else Part.MORE)
            yield described(file, box.label, box.at, box.end)
        seen.add(box.name)


def meta_blocks(meta: Box, roles: Roles) -> Iterator[Block]:
    """The boxes in `meta`, and the bytes of the items that are metadata, or more."""
    yield Block("meta", meta.start, meta.at + 4, Part.PICTURE)
    once = set[bytes]()
    for box in roles.items.boxes:
        if box.name in once:
            yield Block(box.label, box.start, box.end, Part.MORE)
        else:
            yield from _in_meta(box, roles)
        once.add(box.name)
    yield from (Block("leftover", start, end, Part.MORE) for start, end in roles.items.leftovers)
    for item in roles.items.extents:
        part = roles.part(item)
        if part is not Part.PICTURE and item in roles.items.kinds:
            kind = roles.items.kinds[item].decode("latin-1").strip()
            holds = roles.holds(item) if part is Part.MORE else UNKNOWN
            yield from (Block(kind, at, at + size, part, *holds) for at, size in roles.items.extents[item])


def _in_meta(box: Box, roles: Roles) -> Iterator[Block]:
    if box.name in _META and (_META[box.name] is Part.PICTURE or box.end - box.start <= _MOST_FILLER_BYTES):
        yield Block(box.label, box.start, box.end, _META[box.name])
    elif box.name == b"idat":
        yield Block("idat", box.start, box.at, Part.PICTURE)
    elif box.name == b"iinf":
        yield from _table(box, 6 if not box.body[0] else 8, ())
        yield from (Block("infe", entry.start, entry.end, roles.said_part(item)) for item, entry in roles.items.entries.items())
    elif box.name == b"iref":
        yield from _table(box, 4, children(box.body[4:], box.at + 4), lambda each: _REFERENCES.get(each.name, Part.MORE))
    elif box.name == b"iprp":
        yield from _table(box, 0, ())
        yield from _properties(box, roles)
    else:
        part = Part.METADATA if is_filler(box) else Part.MORE
        yield Block(box.label, box.start, box.end, part)


def _table(
    box: Box, head: int, inner: Iterator[Box] | tuple[()], part: Callable[[Box], Part] = lambda _: Part.MORE
) -> Iterator[Block]:
    """A box of boxes: its own first bytes, then each by its part."""
    yield Block(box.label, box.start, box.at + head, Part.PICTURE)
    yield from (Block(each.label, each.start, each.end, part(each)) for each in inner)


def _properties(table: Box, roles: Roles) -> Iterator[Block]:
    users: dict[int, set[int]] = defaultdict(set)
    for item, found in roles.items.properties.items():
        for each in found:
            users[each.start].add(item)
    for box in children(table.body, table.at):
        if box.name == b"ipma":
            yield Block("ipma", box.start, box.end, Part.PICTURE)
        elif box.name == b"ipco":
            yield Block("ipco", box.start, box.at, Part.PICTURE)
            for each in children(box.body, box.at):
                yield Block(each.label, each.start, each.end, _property_part(each, users[each.start], roles))
        else:
            yield Block(box.label, box.start, box.end, Part.MORE)


def _property_part(box: Box, users: set[int], roles: Roles) -> Part:
    known = _property(box) if users else None
    if known is not None:
        return known
    # What is said only of items whose bytes are more makes no difference to them.
    told = bool(users) and all(roles.part(item) is Part.MORE and roles.said_part(item) is Part.METADATA for item in users)
    return Part.METADATA if told or is_filler(box) else Part.MORE


def _property(box: Box) -> Part | None:
    """What a property is that an item has; `None` for one that is not on the lists, or holds more than it should."""
    name, body = box.name, box.body
    if name in _TEXTS and len(body) <= _MOST_FILLER_BYTES:
        return Part.METADATA
    plain = (
        _SIZES.get(name) == len(body)
        or (name == b"pixi" and len(body) > 4 and len(body) == 5 + body[4])
        or (name == b"colr" and body[:4] in _COLOURS and (body[:4] != b"nclx" or len(body) == _NCLX_BYTES))
        or (name == b"auxC" and is_alpha(body) and body.endswith((b":alpha\0", b":1\0")))
        or (name == b"av1C" and all(unit.part is not Part.MORE for unit in av1_units(body[4:])))
        or (name == b"hvcC" and _is_plain_configuration(body))
    )
    return Part.PICTURE if plain else None


def _is_plain_configuration(body: bytes) -> bool:
    """Whether an `hvcC` holds parameter sets and small messages, and ends with them."""
    at = 23
    for _ in range(body[22] if len(body) > 22 else 0):
        kind, units, at = body[at : at + 1], int.from_bytes(body[at + 1 : at + 3], "big"), at + 3
        if not kind or kind[0] & 0x3F not in _PARAMETER_SETS:
            return False
        for _ in range(units):
            at += 2 + int.from_bytes(body[at : at + 2], "big")
            if at > len(body):
                return False
    return at == len(body)


def is_filler(box: Box) -> bool:
    """Whether a box that was read only takes space: zeros, or what Samsung's phones write there."""
    plain = not any(box.body) or (box.body.startswith(b"cdif") and box.end - box.start <= _MOST_FILLER_BYTES)
    return box.name in _FILLERS and plain


def _is_idle(file: BinaryIO, box: Box) -> bool:
    """Whether a box of the file is known metadata."""
    file.seek(box.at)
    if box.name == b"uuid":
        return file.read(16) == _CONTENT_CREDENTIALS
    if box.name not in _FILLERS:
        return False
    if file.read(4) == b"cdif" and box.end - box.start <= _MOST_FILLER_BYTES:
        return True
    file.seek(box.at)
    return not any(any(file.read(min(1 << 20, box.end - at))) for at in range(box.at, box.end, 1 << 20))
