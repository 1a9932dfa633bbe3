"""Walks the blocks of a GIF: the canvas, the frames, and whether the file reaches its end."""

import struct
from typing import BinaryIO

from chalicelib.imaging.headers.header import Header, damaged, take

_MAX_BLOCKS = 1_000_000
_IMAGE, _EXTENSION, _TRAILER = b",", b"!", b";"
_APPLICATION = 0xFF


class _Blocks:
    """The data sub-blocks of one file, counted so that millions of empty ones are not worth sending."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MAX_BLOCKS

    def next(self) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise damaged("GIF", f"it has more than {_MAX_BLOCKS:,} blocks")
        return take(self._file, take(self._file, 1, "GIF")[0], "GIF")

    def skip(self) -> None:
        while self.next():
            pass


def read(file: BinaryIO, max_frames: int) -> Header:
    """Stops counting one frame beyond `max_frames`. Raises `BadImageError` where the file has no end or no picture."""
    file.seek(6)
    width, height, flags = struct.unpack("<HHB2x", take(file, 7, "GIF"))
    _skip_palette(file, flags)
    blocks = _Blocks(file)
    frames, plays = 0, 1
    while (kind := take(file, 1, "GIF")) != _TRAILER and frames <= max_frames:
        if kind == _IMAGE:
            frames += 1
            left, top, across, down, flags = struct.unpack("<4HB", take(file, 9, "GIF"))
            # Pillow widens the canvas for a frame that reaches beyond it.
            width, height = max(width, left + across), max(height, top + down)
            _skip_palette(file, flags)
            take(file, 1, "GIF")
            blocks.skip()
        elif kind == _EXTENSION:
            plays = _extension(file, blocks, plays)
        else:
            raise damaged("GIF", "it has a block of unknown kind")
    if not frames:
        raise damaged("GIF", "it holds no picture")
    return Header(format="GIF", width=width, height=height, end=file.tell(), frames=frames, plays=plays)


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        take(file, 3 << ((flags & 7) + 1), "GIF")


def _extension(file: BinaryIO, blocks: _Blocks, plays: int) -> int:
    """How often the animation is played, if this extension says so; otherwise `plays`."""
    label = take(file, 1, "GIF")[0]
    block = blocks.next()
    if label == _APPLICATION and block == b"NETSCAPE2.0":
        block = blocks.next()
        if len(block) == 3 and block[0] == 1:
            repeats = int.from_bytes(block[1:], "little")
            plays = repeats + 1 if repeats else 0
    if block:
        blocks.skip()
    return plays
