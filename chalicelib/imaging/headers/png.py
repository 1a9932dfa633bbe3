"""Walks the chunks of a PNG: size, frames, colour space, EXIF, and whether the chunks that matter are whole."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.contents import pieces
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, Header, damaged, size_of, take, truncated
from chalicelib.imaging.headers.png_names import Chunk, Names
from chalicelib.imaging.png_text import MAX_TEXT_BYTES, TEXT_CHUNKS, TextMetadata

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 100_000
_BLOCK = 1 << 20
#: Chunks whose damage shows in the picture; Pillow checks the sums of none that follow the first pixels.
_CHECKED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND"}
_KEPT = {b"IHDR", b"acTL", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"sRGB", b"tRNS", b"eXIf"}
_SRGB_GAMMA = 45455
_SRGB_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_SRGB_CODE_POINTS = bytes((1, 13, 0, 1))
#: Colour types 0 and 3 (grey, palette) are the only ones that Pillow reads without losing bits beyond 8.
_GREY, _COLOURS = 0, 2


@dataclass(slots=True)
class _Chunks:
    kept: dict[bytes, bytes] = field(default_factory=dict)
    names: set[bytes] = field(default_factory=set)
    text: TextMetadata = field(default_factory=TextMetadata)
    frames: int = 0
    #: Whether the picture that viewers without animation show is not a frame of the animation.
    apart: bool = False
    blocks: list[Block] = field(default_factory=lambda: [Block("signature", 0, _SIGNATURE_BYTES, Part.PICTURE)])


def read(file: BinaryIO) -> Header:
    """Raises `BadImageError` where a chunk is cut short or its sum is wrong."""
    chunks, end, size = _walk(file), file.tell(), size_of(file)
    if len(chunks.kept.get(b"IHDR", b"")) != 13 or b"IDAT" not in chunks.names:
        raise damaged("PNG", "it has no header or no pixels")
    width, height, bits, colour_type = struct.unpack(">IIBB", chunks.kept[b"IHDR"][:10])
    frames, plays, animated_whole = _animation(chunks)
    colour_key = _colour_key(chunks.kept.get(b"tRNS", b""), bits, colour_type)
    return Header(
        format="PNG",
        width=width,
        height=height,
        end=end,
        frames=frames,
        bits=max(bits, 8),
        # EXIF that is too large to be read may turn the picture.
        faithful=animated_whole
        and (b"eXIf" in chunks.kept or b"eXIf" not in chunks.names)
        and (bits <= 8 or (colour_type == _GREY and colour_key is None)),
        exif=_exif(chunks.kept.get(b"eXIf", b"")) or chunks.text.exif,
        xmp=chunks.text.xmp,
        iptc=chunks.text.iptc,
        colour=_colour(chunks),
        plays=plays,
        colour_key=colour_key,
        coding=_coding(bits, colour_type, keyed=b"tRNS" in chunks.names),
        blocks=account(file, [*chunks.blocks, *pieces(file, end, size)], end, size),
    )


def _walk(file: BinaryIO) -> _Chunks:
    chunks, names = _Chunks(), Names(file)
    end = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        file.seek(end)
        length, name = struct.unpack(">I4s", take(file, 8, "PNG"))
        data = _read_chunk(file, name, length)
        start, end = end, file.tell()
        header = chunks.kept.get(b"IHDR", b"").ljust(13, b"\0")
        chunks.blocks += names.name(Chunk(name, start, end), colour_type=header[9])
        chunks.names.add(name)
        if data is not None and name in TEXT_CHUNKS:
            chunks.text.add(name, data)
        elif data is not None:
            chunks.kept.setdefault(name, data)
        if name == b"fcTL":
            chunks.apart |= not chunks.frames and b"IDAT" in chunks.names
            chunks.frames += 1
        if name == b"IEND":
            file.seek(end)
            return chunks
    raise damaged("PNG", f"it has more than {_MAX_CHUNKS:,} chunks")


def _read_chunk(file: BinaryIO, name: bytes, length: int) -> bytes | None:
    """The content of a chunk worth keeping; `None` for any other, which is only checked."""
    if (name in _KEPT and length <= MAX_EXIF_BYTES) or (name in TEXT_CHUNKS and length <= MAX_TEXT_BYTES):
        data = take(file, length, "PNG")
        total = zlib.crc32(data, zlib.crc32(name))
    elif name in _KEPT and name != b"eXIf":
        raise damaged("PNG", f"its {name.decode()} chunk is larger than {MAX_EXIF_BYTES:,} bytes")
    else:
        data = None
        total = zlib.crc32(name)
        if name in _CHECKED:
            for at in range(0, length, _BLOCK):
                total = zlib.crc32(take(file, min(_BLOCK, length - at), "PNG"), total)
        else:
            _skip(file, length)
    if struct.unpack(">I", take(file, 4, "PNG"))[0] != total and name in _CHECKED:
        raise damaged("PNG", f"the sum of its {name.decode()} chunk is wrong")
    return data


def _skip(file: BinaryIO, length: int) -> None:
    if length and not file.seek(length - 1, 1) and not file.read(1):
        raise truncated("PNG")
    if length:
        take(file, 1, "PNG")


def _animation(chunks: _Chunks) -> tuple[int, int, bool]:
    """Frames as Pillow counts them, plays, and whether these are the frames of the animation, all of them and no other."""
    control = chunks.kept.get(b"acTL", b"")
    if len(control) != 8:
        return 1, 1, not chunks.frames
    declared, plays = struct.unpack(">II", control)
    if not 0 < declared < 1 << 31:
        return 1, 1, not chunks.frames
    return declared + chunks.apart, plays, chunks.frames == declared and not chunks.apart


def _colour_key(transparency: bytes, bits: int, colour_type: int) -> int | tuple[int, ...] | None:
    """The colour that is transparent, as samples of 8 bits, or of 16 where grey has so many.

    The upper bits of its samples count for nothing where the picture's have fewer.
    """
    samples = {_GREY: 1, _COLOURS: 3}.get(colour_type, 0)
    if not samples or len(transparency) != 2 * samples:
        return None
    most = (1 << bits) - 1
    levels: list[int] = [value & most for value in struct.unpack(f">{samples}H", transparency)]
    if bits < 8:
        return levels[0] * 255 // most
    if colour_type == _GREY:
        return levels[0]
    return tuple(value >> (bits - 8) for value in levels)


def _coding(bits: int, colour_type: int, *, keyed: bool) -> str:
    match colour_type:
        case 0 if not keyed:
            return {1: "1-bit", 16: "grey 16"}.get(bits, "grey")
        case 2 if not keyed:
            return "rgb"
        case 3:
            return "palette key" if keyed else "palette"
    return "rgba"


def _exif(data: bytes) -> bytes:
    return data.removeprefix(b"Exif\0\0")


def _colour(chunks: _Chunks) -> bytes:
    """Empty for sRGB, or where nothing is said outside of an ICC profile."""
    kept = chunks.kept
    if b"cICP" in kept:
        # What the display must be capable of counts only for colours beyond sRGB.
        light = kept.get(b"mDCV", b"") + kept.get(b"cLLI", b"")
        return b"" if kept[b"cICP"] == _SRGB_CODE_POINTS else b"cICP" + kept[b"cICP"] + light
    if b"iCCP" in chunks.names or b"sRGB" in kept or not kept.keys() & {b"gAMA", b"cHRM"}:
        return b""
    gamma, primaries = kept.get(b"gAMA", b""), kept.get(b"cHRM", b"")
    usual_gamma = len(gamma) != 4 or abs(struct.unpack(">I", gamma)[0] - _SRGB_GAMMA) <= 50
    usual_primaries = len(primaries) != 32 or all(
        abs(mine - theirs) <= 50 for mine, theirs in zip(struct.unpack(">8I", primaries), _SRGB_PRIMARIES, strict=True)
    )
    return b"" if usual_gamma and usual_primaries else b"gAMA" + gamma + b"cHRM" + primaries
