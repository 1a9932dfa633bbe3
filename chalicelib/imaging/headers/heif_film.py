"""Reads the track of an AVIF image sequence: how many frames, where they lie, and what else its description holds."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.headers.boxes import Box, children
from chalicelib.imaging.headers.coded_units import av1_units
from chalicelib.imaging.headers.header import damaged, truncated
from chalicelib.imaging.headers.items import read_items
from chalicelib.imaging.whole_heif import placed

_MAX_SAMPLES = 100_000
_MOST_HIDDEN_FRAMES = 8
_CONTAINERS = {b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"}
_PICTURE = {b"stts", b"stsc", b"stsz", b"stco", b"co64", b"stss", b"elst", b"tref"}
_METADATA = {b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"vmhd", b"nmhd", b"dref", b"free", b"skip"}
_SAMPLE_PROPERTIES = {b"av1C", b"colr", b"pasp", b"clli", b"mdcv", b"ccst", b"auxi"}
_ENTRY_HEAD, _ENTRY_BYTES = 8, 86


@dataclass(slots=True)
class Film:
    """`configurations` are those of the coders of its tracks."""

    width: int
    height: int
    frames: int
    plays: int
    faithful: bool
    deep: bool
    has_alpha: bool
    configurations: list[bytes]
    blocks: list[Block]
    #: Where frames lie in the file, in order and without overlaps.
    stretches: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Track:
    box: Box
    boxes: dict[bytes, Box] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def body(self, name: bytes) -> bytes:
        return self.boxes[name].body if name in self.boxes else b""

    @property
    def handler(self) -> bytes:
        return self.body(b"hdlr")[8:12]

    @property
    def frames(self) -> int:
        return int.from_bytes(self.body(b"stsz")[8:12], "big")

    @property
    def configuration(self) -> bytes:
        return self.body(b"stsd").partition(b"av1C")[2]


def read_film(file: BinaryIO, movie: Box, size: int) -> Film:
    """Size and number of frames are those of the only picture track, apart from its alpha. Raises `BadImageError`."""
    known = [Block("moov", movie.start, movie.at, Part.PICTURE)]
    tracks: list[_Track] = []
    for box in children(movie.body, movie.at):
        if box.name == b"trak":
            tracks.append(_Track(box))
            tracks[-1].blocks += _walk(box, tracks[-1])
        else:
            known.append(Block(box.label, box.start, box.end, Part.METADATA if _is_known(box) else Part.MORE))
    pictures = [track for track in tracks if track.handler == b"pict"]
    if not pictures or not pictures[0].frames:
        raise damaged("AVIF", "its sequence has no frames")
    first = pictures[0]
    width, height = struct.unpack(">HH", first.body(b"stsd")[40:44].ljust(4, b"\0"))
    shown = [first, *(track for track in tracks if track.handler == b"auxv")][:2]
    for track in tracks:
        known += track.blocks if track in shown else [Block("trak", track.box.start, track.box.end, Part.MORE)]
    samples = [sample for track in shown for sample in _samples(track)]
    if any(start + length > size for start, length in samples):
        raise truncated("AVIF")
    if sum(length for _, length in samples) > 2 * size:
        raise damaged("AVIF", "its frames claim the same bytes, many times over")
    for start, length in samples:
        file.seek(start)
        known += placed(list(av1_units(file.read(length), _MOST_HIDDEN_FRAMES)), [(start, length)], "frame")
    deep = any(len(track.configuration) > 2 and track.configuration[2] & 0x40 for track in tracks)
    return Film(
        width=width,
        height=height,
        frames=first.frames,
        plays=0 if first.body(b"elst")[3:4] == b"\1" else 1,
        faithful=not deep,
        deep=deep,
        has_alpha=len(shown) > 1,
        configurations=[track.configuration for track in shown],
        blocks=known,
        stretches=_merged(samples),
    )


def _walk(box: Box, track: _Track) -> Iterator[Block]:
    yield Block(box.label, box.start, box.at, Part.PICTURE)
    for each in children(box.body, box.at):
        repeated = each.name in track.boxes
        track.boxes.setdefault(each.name, each)
        if each.name in _CONTAINERS and not repeated:
            yield from _walk(each, track)
        elif each.name == b"stsd" and not repeated:
            yield from _sample_description(each)
        elif each.name == b"meta" and not repeated:
            yield from _meta(each)
        elif each.name in _PICTURE and not repeated:
            yield Block(each.label, each.start, each.end, Part.PICTURE)
        else:
            yield Block(each.label, each.start, each.end, Part.METADATA if _is_known(each) and not repeated else Part.MORE)


def _is_known(box: Box) -> bool:
    return box.name in _METADATA and (box.name not in {b"free", b"skip"} or not any(box.body))


def _sample_description(box: Box) -> Iterator[Block]:
    """Its head and that of its one entry; then what the entry says of the samples."""
    yield Block("stsd", box.start, box.at + _ENTRY_HEAD, Part.PICTURE)
    for index, entry in enumerate(children(box.body[_ENTRY_HEAD:], box.at + _ENTRY_HEAD)):
        if index or entry.name != b"av01":
            yield Block(entry.label, entry.start, entry.end, Part.MORE)
            continue
        yield Block("av01", entry.start, entry.start + _ENTRY_BYTES, Part.PICTURE)
        for each in children(entry.body[_ENTRY_BYTES - 8 :], entry.at + _ENTRY_BYTES - 8):
            part = Part.PICTURE if each.name in _SAMPLE_PROPERTIES else Part.MORE
            yield Block(each.label, each.start, each.end, part)


def _meta(box: Box) -> Iterator[Block]:
    """The items that describe a track: EXIF and XMP lie where they say; any other is more."""
    items = read_items(box)
    known = all(kind == b"Exif" or items.documents.get(item) == b"application/rdf+xml" for item, kind in items.kinds.items())
    yield Block("meta", box.start, box.end, Part.METADATA if known else Part.MORE)
    for extents in items.extents.values():
        yield from (Block("Exif", at, at + length, Part.METADATA if known else Part.MORE) for at, length in extents)


def _merged(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, length in sorted(pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(start + length, found[-1][1]))
        else:
            found.append((start, start + length))
    return tuple(found)


def _samples(track: _Track) -> Iterator[tuple[int, int]]:
    """Where each frame lies, and how long it is."""
    sizes = _sizes(track.body(b"stsz"))
    first = 0
    for chunk, count in _chunks(track):
        at = chunk
        for size in sizes[first : first + count]:
            yield at, size
            at += size
        first += count
        if first >= len(sizes):
            return


def _sizes(table: bytes) -> list[int]:
    each, count = struct.unpack(">II", table[4:12].ljust(8, b"\0"))
    if count > _MAX_SAMPLES:
        raise damaged("AVIF", f"it has more than {_MAX_SAMPLES:,} frames")
    if each:
        return [each] * count
    return [size for (size,) in struct.iter_unpack(">I", table[12 : 12 + 4 * min(count, (len(table) - 12) // 4)])]


def _chunks(track: _Track) -> Iterator[tuple[int, int]]:
    """The place of each chunk and how many frames are in it."""
    wide = b"co64" in track.boxes
    places = track.body(b"co64" if wide else b"stco")[8:]
    width = 8 if wide else 4
    table = track.body(b"stsc")[8:]
    runs: list[tuple[int, int, int]] = list(struct.iter_unpack(">III", table[: len(table) // 12 * 12]))
    run = 0
    for index in range(min(len(places) // width, _MAX_SAMPLES)):
        while run + 1 < len(runs) and runs[run + 1][0] <= index + 1:
            run += 1
        if not runs:
            return
        yield int.from_bytes(places[index * width : (index + 1) * width], "big"), runs[run][1]
