"""Unpacks the runs of a BMP of 4 or 8 bits."""

from dataclasses import dataclass

_ROW_ENDS, _PICTURE_ENDS, _SKIP = range(3)


@dataclass(frozen=True, slots=True)
class Runs:
    """`end` is where the runs end in the data; `pixels` has a byte for each, row by row from the top."""

    end: int
    is_whole: bool
    pixels: bytes


def unpacked(data: bytes, packed: bool, width: int, height: int, *, draw: bool = True) -> Runs:
    """`packed` is whether a byte holds two pixels. What no run reaches is of the first colour; so is what they overshoot."""
    pixels = bytearray(width * height if draw else 0)
    x = y = at = 0
    while at + 1 < len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count == 0 and value == _ROW_ENDS:
            x, y = 0, y + 1
            continue
        if count == 0 and value == _PICTURE_ENDS:
            return Runs(at, True, bytes(pixels))
        if count == 0 and value == _SKIP:
            if at + 1 < len(data):
                x, y = x + data[at], y + data[at + 1]
            at += 2
            continue
        literal = count == 0
        count = value if literal else count
        size = (-(-count // 2) if packed else count) if literal else 0
        if draw and y < height and x < width:
            source = data[at : at + size] if literal else bytes((value,))
            run = bytes(nibble for byte in source for nibble in (byte >> 4, byte & 15)) if packed else source
            run = run[:count] if literal else (run * count)[:count]
            start = (height - 1 - y) * width + x
            run = run[: width - x]
            pixels[start : start + len(run)] = run
        at += size + (size & 1)
        x += count
    return Runs(min(at, len(data)), y >= height or (y == height - 1 and x >= width), bytes(pixels))
