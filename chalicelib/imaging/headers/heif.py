"""Reads the structure of HEIC and AVIF: size, depth, rotation, frames, EXIF, and what is in it besides one picture."""

import struct
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.blocks import Block, account
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers import boxes
from chalicelib.imaging.headers.boxes import Box
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, size_of, truncated
from chalicelib.imaging.headers.heif_blocks import Roles, file_blocks, meta_blocks
from chalicelib.imaging.headers.heif_film import Film, read_film
from chalicelib.imaging.headers.items import Items, item_bytes, read_items
from chalicelib.imaging.headers.shown import CODED, NOTHING_SHOWN, coded_pixels, extent, find_shown
from chalicelib.imaging.whole_heif import coded_blocks

#: Colour spaces by code points (primaries, transfer) that are sRGB, or leave it open, which every reader takes for sRGB.
_SRGB_CODE_POINTS = {(1, 13), (2, 2), (1, 2), (2, 13)}
_MOST_ITEMS = 4096
#: EXIF orientation by quarter turns against the clock (`irot`) and mirror axis (`imir`: none, upright, level).
_ORIENTATIONS = {
    (0, None): 1,
    (1, None): 8,
    (2, None): 3,
    (3, None): 6,
    (0, 0): 4,
    (0, 1): 2,
    (1, 0): 5,
    (1, 1): 7,
    (2, 0): 2,
    (2, 1): 4,
    (3, 0): 7,
    (3, 1): 5,
}


def read(file: BinaryIO, name: str) -> Header:
    """`name` is AVIF or HEIC, as the brands say it; where there are still pictures, their coding decides.

    Raises `BadImageError`, or `UnsupportedImageError` for what is not made as a camera makes it.
    """
    size = size_of(file)
    tops = list(boxes.top_level(file, size))
    first: dict[bytes, Box] = {}
    for box in tops:
        first.setdefault(box.name, box)
    meta = boxes.body_of(file, first[b"meta"]) if b"meta" in first else None
    items = read_items(meta) if meta is not None else Items()
    if CODED & set(items.kinds.values()):
        name = "HEIC" if b"hvc1" in items.kinds.values() else "AVIF"
    pieces = [piece for extents in items.extents.values() for piece in extents]
    if any(offset + length > size for offset, length in pieces):
        raise truncated(name)
    if sum(length for _, length in pieces) > 2 * size:
        raise damaged(name, "its items claim the same bytes, many times over")
    file.seek(tops[0].at if tops else 0)
    if name == "AVIF" and file.read(4) == b"avis" and b"moov" in first:
        return _film(file, items, meta, tops, boxes.body_of(file, first[b"moov"]))
    if meta is None or items.primary not in items.kinds:
        raise UnsupportedImageError(f"The {name} holds no still picture; send a still one.")
    return _still(file, name, items, meta, tops)


def _still(file: BinaryIO, name: str, items: Items, meta: Box, tops: list[Box]) -> Header:
    shown = find_shown(file, items, name)
    width, height = extent(items, items.primary)
    if not (width and height):
        raise damaged(name, "its picture has no size")
    known = [
        *coded_blocks(file, items, shown.all),
        *file_blocks(file, tops, {meta.start}),
        *meta_blocks(meta, Roles(items, shown, file)),
    ]
    depth = max((depth for item in shown.all for depth in _depths(items.properties.get(item, []))), default=8)
    properties = items.properties.get(items.primary, [])
    names = {box.name for box in properties}
    # Pillow's AVIF leaves the crop out; libheif, turning a cropped picture, takes pixels of chance from outside of it.
    cropped = b"clap" in names and (name == "AVIF" or bool(names & {b"irot", b"imir"}))
    return Header(
        format=name,
        width=width,
        height=height,
        end=tops[-1].end,
        codec_pixels=_largest(file, items),
        bits=depth,
        faithful=not cropped and depth <= 8,
        exif=_exif(file, items),
        xmp=_xmp(file, items),
        # libheif turns the pixels itself, libavif leaves it to us; in neither format does EXIF's orientation count.
        orientation=1 if name == "HEIC" else _orientation(properties),
        colour=_colour(properties),
        coding=_coding(name, depth, bool(shown.alpha), [items.property(item, b"av1C") for item in shown.all]),
        blocks=_whole(file, known, tops),
    )


def _film(file: BinaryIO, items: Items, meta: Box | None, tops: list[Box], movie: Box) -> Header:
    """An AVIF image sequence: its pictures are the samples of a track, whatever items it has besides."""
    film: Film = read_film(file, movie, size_of(file))
    known = list(file_blocks(file, tops, {movie.start} | ({meta.start} if meta is not None else set())))
    if meta is not None:
        known += meta_blocks(meta, Roles(items, NOTHING_SHOWN, file, film.stretches))
    return Header(
        format="AVIF",
        width=film.width,
        height=film.height,
        end=tops[-1].end,
        frames=film.frames,
        exif=_exif(file, items),
        faithful=film.faithful,
        plays=film.plays,
        coding=_coding("AVIF", 10 if film.deep else 8, film.has_alpha, film.configurations),
        blocks=_whole(file, [*known, *film.blocks], tops),
    )


def _whole(file: BinaryIO, known: list[Block], tops: list[Box]) -> tuple[Block, ...]:
    end, size = tops[-1].end, size_of(file)
    return account(file, [*known, *pieces(file, end, size)], end, size, zero_gaps=True)


def _depths(properties: list[Box]) -> list[int]:
    depths: list[int] = []
    for box in properties:
        if box.name == b"pixi" and len(box.body) > 5:
            depths += box.body[5 : 5 + box.body[4]]
        elif box.name == b"av1C" and len(box.body) >= 4:
            depths.append(8 if not box.body[2] & 0x40 else 12 if box.body[2] & 0x20 else 10)
        elif box.name == b"hvcC" and len(box.body) >= 19:
            depths.append(8 + max(box.body[17] & 7, box.body[18] & 7))
    return depths


def _coding(name: str, depth: int, has_alpha: bool, configurations: list[bytes]) -> str:
    if name == "HEIC":
        return "deep" if depth > 8 else "8-bit"
    halved = all(body[2] & 0x0C == 0x0C for body in configurations if len(body) > 2)
    if depth > 8:
        return "deep" if halved and not has_alpha else "deep 444 or alpha"
    return "8-bit 420" if halved and not has_alpha else "444 or alpha"


def _largest(file: BinaryIO, items: Items) -> int:
    """The most pixels that any picture in the file claims, by its property or by its own coded header."""
    largest = 0
    for item in list(items.kinds)[:_MOST_ITEMS]:
        width, height = extent(items, item)
        largest = max(largest, width * height, coded_pixels(file, items, item))
    return largest


def _orientation(properties: list[Box]) -> int:
    turns = next((box.body[0] & 3 for box in properties if box.name == b"irot" and box.body), 0)
    mirror = next((box.body[0] & 1 for box in properties if box.name == b"imir" and box.body), None)
    return _ORIENTATIONS[turns, mirror]


def _colour(properties: list[Box]) -> bytes:
    if any(box.name == b"colr" and box.body[:4] in {b"prof", b"rICC"} for box in properties):
        return b""
    for box in properties:
        if box.name == b"colr" and box.body[:4] == b"nclx" and len(box.body) >= 8:
            primaries, transfer = struct.unpack(">HH", box.body[4:8])
            if (primaries, transfer) not in _SRGB_CODE_POINTS:
                return b"nclx" + box.body[4:8]
    return b""


def _exif(file: BinaryIO, items: Items) -> bytes:
    """The block without what precedes its TIFF header: four bytes that say how far to skip."""
    for item, kind in items.kinds.items():
        if kind == b"Exif":
            data = item_bytes(file, items, item, MAX_EXIF_BYTES + 1)
            if len(data) > MAX_EXIF_BYTES:  # in these formats it cannot turn the picture
                return b""
            skipped = 4 + int.from_bytes(data[:4], "big")
            return data[skipped:] if data[skipped : skipped + 2] in {b"II", b"MM"} else data[4:].removeprefix(b"Exif\0\0")
    return b""


def _xmp(file: BinaryIO, items: Items) -> bytes:
    packets = [item for item, document in items.documents.items() if document == b"application/rdf+xml"]
    return item_bytes(file, items, packets[0], MAX_EXIF_BYTES) if packets else b""
