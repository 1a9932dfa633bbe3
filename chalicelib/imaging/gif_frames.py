"""Composes the frames of a GIF as browsers show them; Pillow unpacks the indices of each, and has no other say.

What no frame has drawn, and what a frame's disposal clears, is transparent. Pillow takes the first colour for it, or the
background's, and leaves out the transparency of a frame whose palette is grey.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import GifImagePlugin, Image

from chalicelib.imaging.headers.gif import Frame, frames
from chalicelib.imaging.lzw import find_end

_CLEAR, _RESTORE = 2, 3
_OPAQUE, _MOST_BITS, _LONGEST_BLOCK = 255, 8, 255
_GREYS = bytes(value for value in range(256) for _ in range(3))


class Composed(Iterator[Image.Image]):
    """Every frame in turn as it is shown, with its `duration`; each is gone when the next is asked for.

    A first frame that leaves nothing open has no alpha, and is grey where its palette is.
    """

    def __init__(self, file: BinaryIO) -> None:
        #: Whether nothing was packed behind the pixels of the frames so far.
        self.snug = True
        self._canvases = _composed(file, self)

    def __next__(self) -> Image.Image:
        return next(self._canvases)


def _composed(file: BinaryIO, told: Composed) -> Iterator[Image.Image]:
    canvas: Image.Image | None = None
    for frame in frames(file):
        (indices, snug), before = _indices(file, frame), None
        told.snug &= snug
        beyond = _beyond(indices, frame)
        drawn = _drawn(indices, frame, beyond)
        if canvas is None and frame.box == (0, 0, *frame.canvas):
            canvas = drawn
        else:
            canvas = _laid_out(canvas, frame)
            before = canvas.crop(frame.box) if frame.disposal == _RESTORE else None
            canvas.paste(drawn, frame.box, drawn if drawn.mode == "RGBA" else None)
            if beyond:
                canvas = canvas.convert("RGBA")
                canvas.paste((0, 0, 0, 0), frame.box, beyond)
        canvas.info = {"duration": 10 * frame.duration}
        yield canvas
        if before is not None:
            canvas.paste(before, frame.box)
        elif frame.disposal in {_CLEAR, _RESTORE}:
            canvas = canvas.convert("RGBA")
            canvas.paste(_unseen(frame), frame.box)


def _laid_out(canvas: Image.Image | None, frame: Frame) -> Image.Image:
    """What this frame is drawn upon."""
    if canvas is None or canvas.size != frame.canvas:
        wider = Image.new("RGBA", frame.canvas, _unseen(frame))
        if canvas is not None:
            wider.paste(canvas, (0, 0))
        return wider
    return canvas.convert("RGB") if canvas.mode == "L" else canvas


def _unseen(frame: Frame) -> tuple[int, int, int, int]:
    colour = frame.palette[3 * frame.transparent :][:3] if frame.transparent is not None else b""
    return (*colour, 0) if len(colour) == 3 else (0, 0, 0, 0)


def _beyond(indices: Image.Image, frame: Frame) -> Image.Image | None:
    """Where the frame asks for colours that are not in its palette; viewers differ in what they show, so it is a hole."""
    colours = len(frame.palette or _GREYS) // 3
    if 0 in indices.size or indices.getextrema()[1] < colours:  # type: ignore[operator]  # one channel
        return None
    return indices.point([_OPAQUE * (index >= colours and index != frame.transparent) for index in range(256)])


def _drawn(indices: Image.Image, frame: Frame, beyond: Image.Image | None) -> Image.Image:
    """The frame by itself: RGBA where some of it may be open, else RGB, or L where the palette is grey."""
    palette = frame.palette or _GREYS
    if frame.transparent is None and not beyond:
        if palette == _GREYS[: len(palette)]:
            return indices
        indices.putpalette(palette)
        return indices.convert("RGB")
    colours = bytearray()
    for index in range(256):
        colour = palette[3 * index :][:3]
        colours += colour.ljust(3, b"\0") + bytes((_OPAQUE * (index != frame.transparent and colour != b""),))
    indices.putpalette(bytes(colours), "RGBA")
    return indices.convert("RGBA")


def _indices(file: BinaryIO, frame: Frame) -> tuple[Image.Image, bool]:
    """What is packed in the frame, and whether it is all that is: Pillow takes indices without a palette for greys."""
    left, top, right, bottom = frame.box
    width, height = right - left, bottom - top
    if not width or not height:
        return Image.new("L", (width, height)), True
    start, end = frame.data
    file.seek(start)
    data = file.read(end - start)
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
    descriptor = b"," + struct.pack("<4HB", 0, 0, width, height, 0x40 * frame.interlaced)
    bits, packed = data[0], b"".join(_parts(data))
    pixels = _before_last_pixels(packed, bits)
    # Pillow unpacks whole blocks only. So the codes are put into others, of which one ends where it matters.
    first = screen + descriptor + data[:1] + _blocks(packed[: pixels or 0])
    source = _InTwoParts(first + _blocks(packed[pixels or 0 :]) + b"\0;", len(first))
    with GifImagePlugin.GifImageFile(source) as image:
        image.load()
        return Image.Image.copy(image), pixels is not None and source.needs_second


class _InTwoParts(io.BytesIO):
    """Hands out what is before `middle` first; `needs_second` is whether more was asked for."""

    def __init__(self, content: bytes, middle: int) -> None:
        super().__init__(content)
        self._middle = middle
        self.needs_second = False

    def read(self, count: int | None = -1) -> bytes:
        left = self._middle - self.tell()
        if left <= 0:
            self.needs_second = True
            return super().read(count)
        return super().read(left if count is None or count < 0 else min(count, left))


def _parts(data: bytes) -> Iterator[bytes]:
    at = 1
    while at < len(data) and data[at]:
        yield data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]


def _blocks(packed: bytes) -> bytes:
    parts = (packed[at : at + _LONGEST_BLOCK] for at in range(0, len(packed), _LONGEST_BLOCK))
    return b"".join(bytes((len(part),)) + part for part in parts)


def _before_last_pixels(packed: bytes, bits: int) -> int | None:
    """How many bytes lack the last code for pixels; `None` where more than zeros follow the code for the end.

    Of codes of less than eight bits, they may lack some more.
    """
    end = find_end(packed, bits) if 0 < bits <= _MOST_BITS else None
    if end is None or packed[end.bytes :].strip(b"\0"):
        return None
    return max(0, min(-(-end.last // 8), end.bytes - 1))
