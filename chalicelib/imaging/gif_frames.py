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

_CLEAR, _RESTORE = 2, 3
_OPAQUE = 255
_GREYS = bytes(value for value in range(256) for _ in range(3))


def composed(file: BinaryIO) -> Iterator[Image.Image]:
    """Every frame in turn as it is shown, with its `duration`; each is gone when the next is asked for.

    A first frame that leaves nothing open has no alpha, and is grey where its palette is.
    """
    canvas: Image.Image | None = None
    for frame in frames(file):
        indices, before = _indices(file, frame), None
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


def _indices(file: BinaryIO, frame: Frame) -> Image.Image:
    """What is packed in the frame: Pillow takes the indices of a GIF without a palette for greys."""
    left, top, right, bottom = frame.box
    width, height = right - left, bottom - top
    if not width or not height:
        return Image.new("L", (width, height))
    start, end = frame.data
    file.seek(start)
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
    descriptor = b"," + struct.pack("<4HB", 0, 0, width, height, 0x40 * frame.interlaced)
    with GifImagePlugin.GifImageFile(io.BytesIO(screen + descriptor + file.read(end - start) + b"\0;")) as image:
        image.load()
        return Image.Image.copy(image)
