"""GIFs made block by block, so that a test has the say in what each frame does to the canvas."""

import struct

from PIL import Image

from tests.unit.examining import encoded, noise

NETSCAPE = b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
COLOURS = bytes(range(40, 52))
GREYS = bytes(value for value in range(4) for _ in range(3))


def gif(*blocks: bytes, size: tuple[int, int] = (4, 4), palette: bytes = COLOURS, trailer: bytes = b";") -> bytes:
    """A canvas with a palette of four colours, and these blocks."""
    return b"GIF89a" + struct.pack("<HHBBB", *size, 0x91 if palette else 0x11, 0, 0) + palette + b"".join(blocks) + trailer


def control(disposal: int, transparent: int | None = None, duration: int = 5) -> bytes:
    flags = disposal << 2 | (transparent is not None)
    return b"!\xf9\4" + struct.pack("<BHB", flags, duration, transparent or 0) + b"\0"


def indices(seed: int, size: tuple[int, int] = (4, 4)) -> Image.Image:
    """A picture of the indices 0 to 3."""
    return noise("L", size, seed).point(lambda value: value % 4)


def frame(picture: Image.Image, left: int = 0, top: int = 0, palette: bytes = b"") -> bytes:
    """A frame of indices, packed by Pillow; with four colours of its own, or those of the whole."""
    descriptor = 13 + 3 * 256
    packed = encoded(picture, "GIF", optimize=False, interlace=0)[descriptor + 10 : -1]
    return b"," + struct.pack("<4HB", left, top, *picture.size, 0x81 if palette else 0) + palette + packed
