"""Notices what is packed in the strips of a TIFF behind their last byte of pixels, where no decoder looks."""

import zlib
from typing import BinaryIO

from chalicelib.imaging.headers import tiff
from chalicelib.imaging.lzw import find_end

_LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 5, 8, 32946, 32773
_BLOCK = 1 << 18
#: More runs than a large picture has; walking them takes seconds.
_MOST_RUNS = 16_000_000
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def is_snug(file: BinaryIO, max_frames: int) -> bool:
    """Whether nothing but zeros follows the packed pixels in any strip or tile, as far as their coding lets it be known.

    Of LZW, only what follows the code for the end is noticed. The file must have been read by `headers.tiff`, and is left
    standing where it stood.
    """
    here, runs_left = file.tell(), _MOST_RUNS
    snug = True
    for strip in tiff.packed_strips(file, max_frames):
        if strip.compression not in {_LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS}:
            continue
        file.seek(strip.start)
        packed = file.read(strip.end - strip.start)
        packed = packed.translate(_REVERSED) if strip.reversed_bits else packed
        if strip.compression == _LZW:
            end = _end_of_lzw(packed)
        elif strip.compression == _PACKBITS:
            end, runs_left = _end_of_runs(packed, strip.unpacked, runs_left)
        else:
            end = _end_of_deflated(packed, strip.unpacked)
        if end is None or packed[end:].strip(b"\0"):
            snug = False
            break
    file.seek(here)
    return snug


def _end_of_lzw(packed: bytes) -> int | None:
    """`None` also for the order of bits that writers had before TIFF 5.0."""
    if packed[:1] == b"\0" and packed[1:2] and packed[1] & 1:
        return None
    end = find_end(packed, 8, tiff=True)
    return None if end is None else end.bytes


def _end_of_deflated(packed: bytes, unpacked: int) -> int | None:
    """`None` where it unpacks to more bytes than there should be, or its sum is wrong."""
    inflater, left, waiting = zlib.decompressobj(), unpacked, packed
    try:
        full = True
        while (waiting or full) and left >= 0 and not inflater.eof:
            most = min(_BLOCK, left + 1)
            found = len(inflater.decompress(waiting, most))
            left -= found
            waiting, full = inflater.unconsumed_tail, found == most
    except zlib.error:
        return None
    return None if left < 0 else len(packed) - len(inflater.unused_data)


def _end_of_runs(packed: bytes, unpacked: int, most: int) -> tuple[int | None, int]:
    """And how many of the `most` runs are left. `None` where there are more, or a run says nothing or goes too far."""
    at, left = 0, unpacked
    while left > 0 and at < len(packed) and most:
        head = packed[at]
        if head == 128:
            return None, most
        at += head + 2 if head < 128 else 2
        left -= head + 1 if head < 128 else 257 - head
        most -= 1
    return (at if left >= 0 and most else None), most
