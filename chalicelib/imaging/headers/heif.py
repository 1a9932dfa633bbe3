"""Reads the structure of HEIC and AVIF: size, depth, rotation, frames, EXIF, and whether more is in it than one picture."""

import struct
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.headers import boxes, coded_size
from chalicelib.imaging.headers.boxes import WHAT, Box, Items
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, size_of, truncated
from chalicelib.imaging.whole_heif import check_coded_data

_PICTURES = {b"hvc1", b"av01", b"grid", b"iden", b"iovl", b"tmap", b"avc1", b"jpeg", b"j2k1", b"vvc1", b"unci", b"hvt1"}
_CODED = {b"hvc1", b"av01"}
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
#: Colour spaces by code points (primaries, transfer) that are sRGB, or leave it open, which every reader takes for sRGB.
_SRGB_CODE_POINTS = {(1, 13), (2, 2), (1, 2), (2, 13)}
_SEQUENCE_BYTES = 512
_TILES_READ = 4096
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

    Raises `BadImageError`, or `UnsupportedImageError` for a film without a still picture.
    """
    size = size_of(file)
    major, meta, movie = b"", None, None
    for box, start, end in boxes.top_level(file, size):
        if box == b"ftyp":
            major = boxes.read_body(file, start, end)[:4]
        elif box == b"meta" and meta is None:
            meta = boxes.read_body(file, start, end)
        elif box == b"moov":
            movie = boxes.read_body(file, start, end)
    items = boxes.read_items(meta) if meta is not None else Items()
    if _CODED & set(items.kinds.values()):
        name = "HEIC" if b"hvc1" in items.kinds.values() else "AVIF"
    for item, extents in items.extents.items():
        if item not in items.inlined and any(offset + length > size for offset, length in extents):
            raise truncated(name)
    if name == "AVIF" and major == b"avis" and movie is not None:
        return _film(movie, size, _exif(file, items))
    if items.primary not in items.kinds:
        raise UnsupportedImageError(f"The {name} holds no still picture; send a still one.")
    return _still(file, name, items, size, alone=movie is None)


def _still(file: BinaryIO, name: str, items: Items, size: int, alone: bool) -> Header:
    properties = items.properties.get(items.primary, [])
    width, height = _extent(properties)
    if not (width and height):
        raise damaged(name, "its picture has no size")
    shown = _shown(items)
    check_coded_data(file, items, shown)
    depths = [depth for item in shown for depth in _depths(items.properties.get(item, []))]
    others = {item for item, kind in items.kinds.items() if kind in _PICTURES} - shown
    names = {box.name for box in properties}
    # Pillow's AVIF leaves the crop out; libheif, turning a cropped picture, takes pixels of chance from outside of it.
    cropped = b"clap" in names and (name == "AVIF" or bool(names & {b"irot", b"imir"}))
    return Header(
        format=name,
        width=width,
        height=height,
        end=size,
        codec_pixels=_largest(file, items),
        bits=max(depths, default=8),
        faithful=alone and not others and not cropped and max(depths, default=8) <= 8,
        exif=_exif(file, items),
        xmp=_xmp(file, items),
        # libheif turns the pixels itself, libavif leaves it to us; in neither format does EXIF's orientation count.
        orientation=1 if name == "HEIC" else _orientation(properties),
        colour=_colour(properties),
    )


def _shown(items: Items) -> set[int]:
    """The pictures that make up what is shown: the primary one, its alpha, the tiles of both, and what is only a preview."""
    shown = {items.primary}
    for kind, source, target in items.references:
        properties = items.properties.get(source, [])
        alpha = any(box.name == b"auxC" and box.body[4:].startswith(_ALPHA) for box in properties)
        if target == items.primary and (kind == b"thmb" or (kind == b"auxl" and alpha)):
            shown.add(source)
    tiles = {target for kind, source, target in items.references if kind == b"dimg" and source in shown}
    return shown | tiles


def _extent(properties: list[Box]) -> tuple[int, int]:
    for box in properties:
        if box.name == b"ispe" and len(box.body) >= 12:
            width, height = struct.unpack(">II", box.body[4:12])
            return width, height
    return 0, 0


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


def _largest(file: BinaryIO, items: Items) -> int:
    """The most pixels that any picture in the file claims, by its property or by its own coded header."""
    largest = 0
    for item, kind in list(items.kinds.items())[:_TILES_READ]:
        properties = items.properties.get(item, [])
        width, height = _extent(properties)
        largest = max(largest, width * height)
        for box in properties:
            if box.name == b"hvcC":
                largest = max(largest, coded_size.hevc_pixels(box.body))
            elif box.name == b"av1C":
                largest = max(largest, coded_size.av1_pixels(box.body[4:]))
        if kind == b"av01":
            largest = max(largest, coded_size.av1_pixels(boxes.item_bytes(file, items, item, _SEQUENCE_BYTES)))
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
            data = boxes.item_bytes(file, items, item, MAX_EXIF_BYTES + 1)
            if len(data) > MAX_EXIF_BYTES:
                raise damaged(WHAT, f"its EXIF is larger than {MAX_EXIF_BYTES:,} bytes")
            skipped = 4 + int.from_bytes(data[:4], "big")
            return data[skipped:] if data[skipped : skipped + 2] in {b"II", b"MM"} else data[4:].removeprefix(b"Exif\0\0")
    return b""


def _xmp(file: BinaryIO, items: Items) -> bytes:
    return boxes.item_bytes(file, items, items.xmp[0], MAX_EXIF_BYTES) if items.xmp else b""


def _film(movie: bytes, size: int, exif: bytes) -> Header:
    """An AVIF image sequence: size and number of frames are those of its only picture track, apart from its alpha."""
    tracks = [_Track(box.body) for box in boxes.children(movie) if box.name == b"trak"]
    pictures = [track for track in tracks if track.handler == b"pict"]
    if not pictures or not pictures[0].frames:
        raise damaged("AVIF", "its sequence has no frames")
    track = pictures[0]
    return Header(
        format="AVIF",
        width=track.size[0],
        height=track.size[1],
        end=size,
        frames=track.frames,
        exif=exif,
        faithful=len(pictures) == 1 and len(tracks) <= 2 and not any(each.deep for each in tracks),
        plays=0 if track.repeats else 1,
    )


class _Track:
    def __init__(self, data: bytes) -> None:
        self.repeats = _inner(data, b"edts", b"elst")[3:4] == b"\1"
        self.handler = _inner(data, b"mdia", b"hdlr")[8:12]
        table = _inner(data, b"mdia", b"minf", b"stbl")
        description = _inner(table, b"stsd")
        self.size: tuple[int, int] = struct.unpack(">HH", description[40:44].ljust(4, b"\0"))
        self.frames = int.from_bytes(_inner(table, b"stsz")[8:12], "big")
        configuration = description.partition(b"av1C")[2]
        self.deep = len(configuration) > 2 and bool(configuration[2] & 0x40)


def _inner(data: bytes, *names: bytes) -> bytes:
    """The body of the box at the end of a path of names, empty where there is none."""
    for name in names:
        data = next((box.body for box in boxes.children(data) if box.name == name), b"")
    return data
