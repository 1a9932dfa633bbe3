"""Decides which pictures are the same: a digest over what is shown, and over nothing else.

What is shown is brought to the simplest form that holds it: palettes and colour keys become colours and alpha, an alpha
channel that is opaque throughout is dropped, colours that are grey throughout become grey, and so do 1-bit pictures.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from chalicelib.imaging.headers.header import Header
from chalicelib.imaging.orientation import displayed_size, strips

#: Goes into every identity. A new one makes every picture new that is not known by its file: change it only with the rules.
VERSION = 1

_PALETTES = {"P", "PA"}
_WITH_ALPHA = {"RGBA": "RGB", "LA": "L"}
_GREY_OF = {"RGB": "L", "RGBA": "LA"}
_OPAQUE = 255


@dataclass(frozen=True, slots=True)
class FrameDigest:
    """One frame as displayed. `canonical` is the SHA-512 of its simplest form, whose mode is `mode`.

    `plain` is the SHA-512 of its pixels as Pillow hands them over, in `plain_mode`; `None` where that is not what is shown,
    or not all of it: a turned picture, a palette, an idle alpha channel.
    """

    mode: str
    size: tuple[int, int]
    canonical: bytes
    plain_mode: str
    plain: bytes | None
    duration: float


def digest_frame(image: Image.Image, transpose: Image.Transpose | None) -> FrameDigest:
    """The digest of a decoded frame; `transpose` is how it is displayed."""
    full = _resolved_mode(image)
    mode = _simplest_mode(image, full)
    canonical, plain = hashlib.sha512(), hashlib.sha512()
    is_plain = transpose is None and image.mode not in _PALETTES and not (full in _WITH_ALPHA and mode not in _WITH_ALPHA)
    for strip in strips(image, transpose):
        if mode != image.mode:
            canonical.update(_converted(strip, full, mode).tobytes())
        if mode == image.mode or is_plain:
            plain.update(strip.tobytes())
    return FrameDigest(
        mode=mode,
        size=displayed_size(image, transpose),
        canonical=(plain if mode == image.mode else canonical).digest(),
        plain_mode=image.mode,
        plain=plain.digest() if is_plain else None,
        duration=float(image.info.get("duration", 0)),
    )


def identity(header: Header, colour: bytes, digests: Iterable[FrameDigest], sha256: bytes) -> bytes:
    """32 bytes that are equal for two files of one owner exactly when they are the same image."""
    if not header.exact:
        return hashlib.sha256(b"file %d %b" % (VERSION, sha256)).digest()
    frames = tuple(digests)
    total = hashlib.sha256(b"pixels %d %d %d " % (VERSION, header.bits, len(frames)))
    if len(frames) > 1:
        total.update(struct.pack(">I", header.plays))
    for frame in frames:
        total.update(b"%b %d %d " % (frame.mode.encode(), *frame.size))
        total.update(struct.pack(">d", round(frame.duration, 3) if len(frames) > 1 else 0.0) + frame.canonical)
    total.update(colour)
    return total.digest()


def pixel_digest(digests: tuple[FrameDigest, ...]) -> tuple[str, bytes]:
    """The mode and the SHA-512 that are shown to people: of a plain still's pixels, else of all frames' simplest forms."""
    first = digests[0]
    if len(digests) == 1:
        return (first.plain_mode, first.plain) if first.plain is not None else (first.mode, first.canonical)
    return first.mode, hashlib.sha512(b"".join(frame.canonical for frame in digests)).digest()


def _resolved_mode(image: Image.Image) -> str:
    """The mode that holds everything that is shown, palette and colour key resolved."""
    if image.mode in _PALETTES:
        return "RGBA" if image.has_transparency_data else "RGB"
    if image.mode in {"1", "L"}:
        return "LA" if "transparency" in image.info else "L"
    if image.mode == "RGB" and "transparency" in image.info:
        return "RGBA"
    return "I;16" if image.mode.startswith("I;16") else image.mode


def _simplest_mode(image: Image.Image, full: str) -> str:
    mode = full
    if mode in _WITH_ALPHA and all(strip.getchannel("A").getextrema()[0] == _OPAQUE for strip in _resolved(image, full)):
        mode = _WITH_ALPHA[mode]
    if mode in _GREY_OF and all(_is_grey(strip) for strip in _resolved(image, full)):
        mode = _GREY_OF[mode]
    return mode


def _resolved(image: Image.Image, full: str) -> Iterable[Image.Image]:
    return (_converted(strip, full, full) for strip in strips(image, None))


def _is_grey(strip: Image.Image) -> bool:
    data, step = strip.tobytes(), len(strip.getbands())
    return data[0::step] == data[1::step] == data[2::step]


def _converted(strip: Image.Image, full: str, mode: str) -> Image.Image:
    """`strip` in `full`, and from there, losing nothing, in `mode`."""
    if strip.mode != full:
        # Pillow goes from one 16-bit byte order to another only by way of 32 bits.
        strip = (strip.convert("I") if full == "I;16" else strip).convert(full)
    if strip.mode in _GREY_OF and mode in _GREY_OF.values():
        grey = strip.getchannel("R")
        return Image.merge("LA", (grey, strip.getchannel("A"))) if mode == "LA" else grey
    return strip if strip.mode == mode else strip.convert(mode)
