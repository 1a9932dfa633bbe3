"""Notices PNGs whose packed pixels are fewer than the picture has, which Pillow leaves black without a word, or more."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from chalicelib.imaging.headers.header import damaged, truncated

_SIGNATURE_BYTES, _BLOCK = 8, 1 << 18
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Adam7: first column, first row, column step, row step of each pass.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PLAIN = ((0, 0, 1, 1),)


def check_rows(file: BinaryIO) -> bool:
    """Unpack all pixels, keeping none, and return whether nothing is packed behind them.

    Raises `BadImageError` where a frame has fewer than its size asks for.

    The chunks must have been checked before. The file is left standing where it stood.
    """
    here = file.tell()
    counter: _Counter | None = None
    nothing_behind = True
    for name, length in _chunks(file):
        if name == b"IHDR":
            width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
            per_pixel, passes = bits * _CHANNELS.get(colour_type, 0), _PASSES if interlaced else _PLAIN
            counter = _Counter(_needed(width, height, per_pixel, passes))
        elif name == b"fcTL":
            _, width, height = struct.unpack(">III", file.read(12))
            # One that comes before the default picture describes that picture, which has the full size.
            if counter is not None and counter.begun:
                nothing_behind &= counter.finish()
                counter = _Counter(_needed(width, height, per_pixel, passes))
        elif name in {b"IDAT", b"fdAT"} and counter is not None:
            skipped = 4 if name == b"fdAT" else 0
            file.read(skipped)
            for at in range(skipped, length, _BLOCK):
                counter.add(file.read(min(_BLOCK, length - at)))
    if counter is not None:
        nothing_behind &= counter.finish()
    file.seek(here)
    return nothing_behind


class _Counter:
    """Counts what a stream unpacks to, up to one byte more than is needed."""

    def __init__(self, needed: int) -> None:
        self.begun = False
        self._left = needed
        self._behind = False
        self._inflater = zlib.decompressobj()

    def add(self, packed: bytes) -> None:
        self.begun = True
        if self._inflater.eof or self._behind:
            self._behind |= bool(packed)
            return
        try:
            full = True
            while (packed or full) and self._left >= 0 and not self._inflater.eof:
                most = min(_BLOCK, self._left + 1)
                unpacked = len(self._inflater.decompress(packed, most))
                self._left -= unpacked
                packed, full = self._inflater.unconsumed_tail, unpacked == most
        except zlib.error:
            if self._left > 0:
                raise damaged("PNG", "its pixels cannot be unpacked") from None
            # Decoders have all they need by now: neither what follows nor the sum at the end means anything to them.
            self._behind = True
        self._behind |= self._left < 0 or bool(self._inflater.unused_data)

    def finish(self) -> bool:
        if self._left > 0:
            raise truncated("PNG")
        return not self._behind


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of every chunk, the file standing at its content."""
    at = _SIGNATURE_BYTES
    name = b""
    while name != b"IEND":
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        yield name, length
        at += 12 + length


def _needed(width: int, height: int, bits_per_pixel: int, passes: tuple[tuple[int, int, int, int], ...]) -> int:
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits_per_pixel + 7) // 8)
    return total
