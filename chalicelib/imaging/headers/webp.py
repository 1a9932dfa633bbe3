"""Walks the chunks of a WebP: the canvas, the frames, EXIF, whether the file is as long as it says, and what else it holds."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.contents import described, pieces
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, size_of, take, truncated
from chalicelib.imaging.headers.xmp_payload import Payload

_RIFF_BYTES = 8
_FIRST_CHUNK = 12
_FRAME_BYTES = 16
_MAX_CHUNKS = 25_000
_MOST_XMP_BYTES = 4 << 20
_METADATA = {b"EXIF", b"XMP ", b"ICMT", b"INAM", b"IART", b"ICOP"}
_CODED = {b"VP8 ", b"VP8L"}
_ALPHA, _ANIMATION = 0x10, 0x02
#: The bits of VP8X that mean something; the rest is reserved, and must be zero.
_FLAGS = 0x3E


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int
    length: int

    @property
    def body(self) -> int:
        return self.start + 8

    @property
    def end(self) -> int:
        return self.body + self.length


@dataclass(slots=True)
class _Found:
    size: tuple[int, int] | None = None
    flags: int | None = None
    coded: int = 0
    frames: int = 0
    plays: int = 1
    exif: bytes = b""
    xmp: bytes = b""
    blocks: list[Block] = field(default_factory=list)
    #: The chunks that a picture, or the file, has only once. What comes again is not shown.
    seen: set[bytes] = field(default_factory=set)

    def part(self, name: bytes) -> Part:
        """What a chunk of this name is at this place."""
        if name in _METADATA:
            return Part.METADATA
        animated = bool((self.flags or 0) & _ANIMATION)
        shown = {b"VP8X", b"ICCP"} | ({b"ANIM", b"ANMF"} if animated else self.coding)
        if name == b"ANMF" and animated:
            return Part.PICTURE
        return Part.PICTURE if name in shown and name not in self.seen else Part.MORE

    @property
    def coding(self) -> set[bytes]:
        """The chunks of one coded picture: alpha counts only where the file says that there is some."""
        if _CODED & self.seen:
            return set()
        return _CODED | ({b"ALPH"} if self.flags is not None and self.flags & _ALPHA else set())


def read(file: BinaryIO) -> Header:
    """Raises `BadImageError` where the file is shorter than it says or has no picture."""
    file.seek(4)
    end = _RIFF_BYTES + int.from_bytes(take(file, 4, "WebP"), "little")
    size = size_of(file)
    if end > size:
        raise truncated("WebP")
    found = _Found(blocks=[Block("RIFF", 0, _FIRST_CHUNK, Part.PICTURE)])
    for chunk in _chunks(file, _FIRST_CHUNK, end):
        _chunk(file, chunk, found)
    if found.size is None or not (found.frames or found.coded):
        raise damaged("WebP", "it holds no picture")
    return Header(
        format="WEBP",
        width=found.size[0],
        height=found.size[1],
        end=end,
        frames=max(found.frames, 1),
        codec_pixels=found.coded,
        exif=found.exif,
        xmp=found.xmp,
        plays=found.plays,
        blocks=account(file, [*found.blocks, *pieces(file, end, size)], end, size),
    )


def _chunks(file: BinaryIO, position: int, end: int) -> Iterator[_Chunk]:
    for _ in range(_MAX_CHUNKS):
        if position + 8 > end:
            return
        file.seek(position)
        name, length = struct.unpack("<4sI", take(file, 8, "WebP"))
        chunk = _Chunk(name, position, length)
        if chunk.end > end:
            raise truncated("WebP")
        yield chunk
        position = chunk.end + (length & 1)
    raise damaged("WebP", f"it has more than {_MAX_CHUNKS:,} chunks")


def _chunk(file: BinaryIO, chunk: _Chunk, found: _Found) -> None:
    name, length = chunk.name, chunk.length
    part = found.part(name)
    file.seek(chunk.body)
    if name == b"VP8X":
        body = take(file, min(length, 10), "WebP").ljust(10, b"\0")
        if length != 10 or body[0] & ~_FLAGS or any(body[1:4]):
            part = Part.MORE
        found.flags = body[0] if found.flags is None else found.flags
        found.size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
    elif name in _CODED:
        head = take(file, min(length, 10), "WebP").ljust(10, b"\0")
        size = _coded_size(name, head)
        found.size = found.size or size
        found.coded = max(found.coded, size[0] * size[1])
        if _is_alpha_dropped(name, head, found.flags):
            part = Part.MORE
    elif name == b"ANIM":
        found.plays = int.from_bytes(take(file, min(length, 6), "WebP")[4:6], "little")
        if length != 6:
            part = Part.MORE
    elif name == b"ANMF":
        found.frames += part is Part.PICTURE
    elif name == b"EXIF" and length > MAX_EXIF_BYTES:  # what is too large to be read may turn the picture
        part = Part.MORE
    elif name == b"EXIF" and not found.exif:
        found.exif = take(file, length, "WebP").removeprefix(b"Exif\0\0")
    elif name == b"XMP ":
        packet = take(file, length, "WebP") if length <= _MOST_XMP_BYTES else None
        if packet is None or Payload().look(packet):
            part = Part.MORE
        found.xmp = found.xmp or packet or b""
    found.seen.add(name)
    if name == b"ANMF" and part is Part.PICTURE and length >= _FRAME_BYTES:
        found.blocks += _frame(file, chunk, found.flags or 0)
    else:
        found.blocks += _padded(file, chunk, part)


def _frame(file: BinaryIO, frame: _Chunk, flags: int) -> Iterator[Block]:
    """One frame of an animation, whose coded picture is in chunks of its own."""
    yield Block("ANMF", frame.start, frame.body + _FRAME_BYTES, Part.PICTURE)
    yield from _padding(file, frame)
    inner = _Found(flags=flags & _ALPHA)
    for chunk in _chunks(file, frame.body + _FRAME_BYTES, frame.end):
        # Frames hold pictures: metadata belongs to the file, and here would be a place to hide.
        part = Part.PICTURE if chunk.name in inner.coding - inner.seen else Part.MORE
        file.seek(chunk.body)
        if _is_alpha_dropped(chunk.name, file.read(5), flags):
            part = Part.MORE
        inner.seen.add(chunk.name)
        yield from _padded(file, chunk, part)


def _padded(file: BinaryIO, chunk: _Chunk, part: Part) -> Iterator[Block]:
    name = chunk.name.decode("latin-1").strip()
    if part is Part.MORE and chunk.length:
        yield Block(name, chunk.start, chunk.body, Part.METADATA)
        yield described(file, name, chunk.body, chunk.end)
    else:
        yield Block(name, chunk.start, chunk.end, part)
    yield from _padding(file, chunk)


def _padding(file: BinaryIO, chunk: _Chunk) -> Iterator[Block]:
    """The byte that makes a chunk's length even, if it says nothing."""
    if chunk.length & 1:
        file.seek(chunk.end)
        if file.read(1) == b"\0":
            yield Block("padding", chunk.end, chunk.end + 1, Part.METADATA)


def _is_alpha_dropped(name: bytes, body: bytes, flags: int | None) -> bool:
    """Whether a lossless picture has alpha that the file as a whole denies: readers differ in whom they believe."""
    return name == b"VP8L" and flags is not None and not flags & _ALPHA and bool(body[4:5] and body[4] & 0x10)


def _coded_size(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    across, down = struct.unpack("<HH", body[6:10])
    return across & 0x3FFF, down & 0x3FFF
