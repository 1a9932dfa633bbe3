"""Walks the blocks of a GIF: the canvas, the frames, and whether the file reaches its end."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers.header import Header, damaged, size_of, take, truncated
from chalicelib.imaging.headers.xmp_payload import Payload
from chalicelib.imaging.profile import colour_space

_MAX_BLOCKS, _MAX_NAMED = 1_000_000, 100_000
_DESCRIPTOR_BYTES, _CONTROL_BYTES = 10, 8
_IMAGE, _EXTENSION, _TRAILER = b",", b"!", b";"
_COMMENT, _CONTROL, _APPLICATION = 0xFE, 0xF9, 0xFF
_LOOPS = {b"NETSCAPE2.0", b"ANIMEXTS1.0"}
#: With what follows the name: the number of repeats, and how much to buffer.
_MAX_LOOP_BYTES = 14 + 5 + 6
_PROFILE, _XMP, _WRITER = b"ICCRGBG1012", b"XMP DataXMP", b"ImageMagick"
_MAX_READ, _WINDOW = 4 << 20, 1 << 16


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it is stored. `canvas` is how large the whole is by now.

    `data` is where its packed indices are, from the size of their codes on.
    """

    canvas: tuple[int, int]
    box: tuple[int, int, int, int]
    interlaced: bool
    palette: bytes
    transparent: int | None
    disposal: int
    duration: int
    data: tuple[int, int]


def read(file: BinaryIO, max_frames: int) -> Header:
    """Stops counting one frame beyond `max_frames`. Raises `BadImageError` where the file has no end or no picture."""
    walk = _Walk(file)
    frames = 0
    for frame in walk.frames():
        frames += 1
        if frames > max_frames:
            break
        walk.faithful &= frame.disposal <= 3 and frame.box[2] > frame.box[0] and frame.box[3] > frame.box[1]
    if not frames:
        raise damaged("GIF", "it holds no picture")
    size = size_of(file)
    return Header(
        format="GIF",
        width=walk.size[0],
        height=walk.size[1],
        end=walk.at,
        frames=frames,
        plays=walk.plays,
        faithful=walk.faithful,
        colour=colour_space(walk.profile, b""),
        blocks=account(file, [*walk.blocks, *pieces(file, walk.at, size)], walk.at, size),
    )


def frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames of a file that `read` has read. Other uses of the file may come between them."""
    return _Walk(file).frames()


class _Walk:
    """One way through the blocks of one file; the attributes are what was met."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MAX_BLOCKS
        file.seek(6)
        width, height, flags = struct.unpack("<HHB2x", take(file, 7, "GIF"))
        self._palette = self._take_palette(flags)
        self.size = width, height
        self.at = file.tell()
        self.plays = 1
        self.profile = b""
        self.faithful = True
        self.blocks = [Block("header", 0, self.at, Part.PICTURE)]

    def frames(self) -> Iterator[Frame]:
        """Ends where the image does; `at` is then the place. Behind a frame the file may end without saying so."""
        control: tuple[int, int, int | None] = (0, 0, None)
        frames = 0
        while kind := self._kind():
            if kind == _IMAGE:
                before = self.size
                frame = self._frame(*control)
                # Viewers that widen the canvas do so for the first frame only.
                self.faithful &= not frames or self.size == before
                control, frames = (0, 0, None), frames + 1
                yield frame
            elif kind == _EXTENSION:
                control = self._extension(control)
            elif kind == _TRAILER:
                self._name("trailer", self.at + 1, Part.PICTURE)
                return
            elif frames:
                # Viewers take anything else for the end.
                return
            else:
                raise damaged("GIF", "it has a block of unknown kind")

    def _kind(self) -> bytes:
        self._file.seek(self.at)
        kind = self._file.read(1)
        if not kind and self.blocks[-1].kind != "image":
            raise truncated("GIF")
        return kind

    def _frame(self, disposal: int, duration: int, transparent: int | None) -> Frame:
        left, top, across, down, flags = struct.unpack("<4HB", take(self._file, _DESCRIPTOR_BYTES - 1, "GIF"))
        palette = self._take_palette(flags) or self._palette
        start = self._file.tell()
        take(self._file, 1, "GIF")
        self._pass_blocks()
        end = self._file.tell()
        self._name("image", end, Part.PICTURE)
        box = left, top, left + across, top + down
        self.size = max(self.size[0], box[2]), max(self.size[1], box[3])
        return Frame(self.size, box, bool(flags & 0x40), palette, transparent, disposal, duration, (start, end))

    def _extension(self, control: tuple[int, int, int | None]) -> tuple[int, int, int | None]:
        """What this block says of the frame that follows, on top of what was said before."""
        start, label = self.at, take(self._file, 1, "GIF")[0]
        block = self._next_block()
        content = self._file.tell()
        if label == _APPLICATION and block in _LOOPS:
            self._loops()
        elif block:
            self._pass_blocks()
        end = self._file.tell()
        if label == _CONTROL and len(block) == 4 and end - start == _CONTROL_BYTES:
            self._name("control", end, Part.PICTURE)
            flags, duration, index = struct.unpack("<BHB", block)
            return flags >> 2 & 7, duration, index if flags & 1 else control[2]
        self._name(*self._named(label, block, start, content, end))
        return control

    def _named(self, label: int, block: bytes, start: int, content: int, end: int) -> tuple[str, int, Part]:
        if label == _COMMENT:
            return "comment", end, Part.METADATA
        kind = block.decode("latin-1") if label == _APPLICATION else f"extension {label:02X}"
        part = Part.MORE
        if label == _APPLICATION:
            if block in _LOOPS and end - start <= _MAX_LOOP_BYTES:
                part = Part.PICTURE
            elif block == _PROFILE and not self.profile and end - content <= _MAX_READ:
                self.profile = self._unpacked(content)
                part = Part.PICTURE
            elif block == _WRITER or (block == _XMP and not self._holds(content, end)):
                part = Part.METADATA
            self._file.seek(end)
        return kind, end, part

    def _name(self, kind: str, end: int, part: Part) -> None:
        if len(self.blocks) > _MAX_NAMED:
            raise damaged("GIF", f"it has more than {_MAX_NAMED:,} frames and extensions")
        self.blocks.append(Block(kind, self.at, end, part))
        self.at = end

    def _loops(self) -> None:
        while block := self._next_block():
            if len(block) == 3 and block[0] == 1:
                repeats = int.from_bytes(block[1:], "little")
                self.plays = repeats + 1 if repeats else 0

    def _holds(self, start: int, end: int) -> bool:
        """Whether XMP holds more than text. It stands there unpacked, as if its letters were the sizes of blocks."""
        self._file.seek(start)
        return end - start > _MAX_READ or Payload().look(self._file.read(end - start)) is not None

    def _unpacked(self, start: int) -> bytes:
        self._file.seek(start)
        return b"".join(iter(self._next_block, b""))

    def _take_palette(self, flags: int) -> bytes:
        return take(self._file, 3 << ((flags & 7) + 1), "GIF") if flags & 0x80 else b""

    def _next_block(self) -> bytes:
        self._count()
        return take(self._file, take(self._file, 1, "GIF")[0], "GIF")

    def _pass_blocks(self) -> None:
        """Past the next empty block, without a call for each."""
        begin, window = self._file.tell(), b""
        at, size = begin, 1
        while size:
            if at >= begin + len(window):
                self._file.seek(at)
                begin, window = at, self._file.read(_WINDOW)
                if not window:
                    raise truncated("GIF")
            size = window[at - begin]
            at += 1 + size
            self._count()
        self._file.seek(at)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise damaged("GIF", f"it has more than {_MAX_BLOCKS:,} blocks")
