"""Tells what kind of thing some bytes are that an image file carries besides its picture.

It serves the details that people see, and finds where such a thing begins and ends. Nothing depends on it for what is the
same picture: bytes that nothing is known of count as more all the same.
"""

from collections.abc import Iterator
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.headers.markers import end_of_jpeg

#: How many of its first bytes `describe` wants.
DESCRIBED_BYTES = 64
UNKNOWN = ("unknown", "application/octet-stream")
_BLOCK = 1 << 20
_MOST_PIECES, _MOST_BOXES = 16, 10_000
#: How far something is looked for behind what is before it, zeros not counted.
_SEARCHED = 4 << 20
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"sidx", b"styp", b"uuid", b"meta", b"mpvd", b"pnot"}
_BRANDS = {
    b"qt  ": ("film", "video/quicktime"),
    b"M4A ": ("sound", "audio/mp4"),
    b"M4B ": ("sound", "audio/mp4"),
    b"avif": ("picture", "image/avif"),
    b"avis": ("picture", "image/avif"),
    b"heic": ("picture", "image/heic"),
    b"heix": ("picture", "image/heic"),
    b"mif1": ("picture", "image/heic"),
    b"crx ": ("picture", "image/x-canon-cr3"),
}
_RIFF = {b"WEBP": ("picture", "image/webp"), b"WAVE": ("sound", "audio/wav"), b"AVI ": ("film", "video/x-msvideo")}
_BEGINNINGS = (
    (b"\xff\xd8\xff", ("picture", "image/jpeg")),
    (b"\x89PNG\r\n\x1a\n", ("picture", "image/png")),
    (b"GIF87a", ("picture", "image/gif")),
    (b"GIF89a", ("picture", "image/gif")),
    (b"II*\0", ("picture", "image/tiff")),
    (b"MM\0*", ("picture", "image/tiff")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", ("picture", "image/jxl")),
    (b"8BPS\0", ("layers", "image/vnd.adobe.photoshop")),
    (b"\x1aE\xdf\xa3", ("film", "video/x-matroska")),
    (b"OggS", ("sound", "audio/ogg")),
    (b"ID3\4\0", ("sound", "audio/mpeg")),
    (b"ID3\3\0", ("sound", "audio/mpeg")),
    (b"fLaC", ("sound", "audio/flac")),
    (b"#!AMR", ("sound", "audio/amr")),
)
#: What to look for where something may begin anywhere, and how far into it that stands.
_MARKS = (
    *((name, 4) for name in (b"ftyp", b"moov", b"mdat", b"wide", b"pnot")),
    *((name, 8) for name in (b"WEBP", b"WAVE", b"AVI ", b"AIFF", b"AIFC")),
    *((beginning, 0) for beginning, _ in _BEGINNINGS),
)
_LONGEST_MARK = 12


def describe(first_bytes: bytes) -> tuple[str, str]:
    """What something that begins like this holds, in the words of `docs/imaging.md`, and its content type."""
    if first_bytes[4:8] == b"ftyp":
        return _BRANDS.get(first_bytes[8:12], ("film", "video/mp4"))
    if first_bytes[4:8] in {b"moov", b"mdat", b"wide", b"pnot"}:
        return "film", "video/quicktime"
    if first_bytes.startswith(b"RIFF"):
        return _RIFF.get(first_bytes[8:12], UNKNOWN)
    if first_bytes.startswith(b"FORM") and first_bytes[8:12] in {b"AIFF", b"AIFC"}:
        return "sound", "audio/aiff"
    return next((what for beginning, what in _BEGINNINGS if first_bytes.startswith(beginning)), UNKNOWN)


def described(file: BinaryIO, kind: str, start: int, end: int) -> Block:
    """A block of more, described by its first bytes. The file is left standing where it stood."""
    here = file.tell()
    file.seek(start)
    holds, content_type = describe(file.read(min(DESCRIBED_BYTES, end - start)))
    file.seek(here)
    return Block(kind, start, end, Part.MORE, holds, content_type)


def pieces(file: BinaryIO, start: int, end: int) -> Iterator[Block]:
    """The things that `describe` knows among these bytes, each a block of more of its own; the bytes between are left out.

    One that does not say where it ends, or says it wrongly, reaches to `end`.
    """
    for _ in range(_MOST_PIECES):
        start = _behind_zeros(file, start, end)
        at = _next(file, start, min(end, start + _SEARCHED))
        if at is None:
            return
        start = _end_of(file, at, end)
        yield described(file, "tail", at, start)


def _behind_zeros(file: BinaryIO, start: int, end: int) -> int:
    """Where the zeros end that begin at `start`; a few may belong to what follows."""
    at = start
    while at < end:
        file.seek(at)
        block = file.read(min(_BLOCK, end - at))
        if not block or block.strip(b"\0"):
            at += len(block) - len(block.lstrip(b"\0"))
            break
        at += len(block)
    return max(start, at - _LONGEST_MARK)


def _next(file: BinaryIO, start: int, end: int) -> int | None:
    """Where the next thing that is known begins."""
    carried, at = b"", start
    while at < end:
        file.seek(at)
        block = file.read(min(_BLOCK, end - at))
        if not block:
            return None
        window, behind = carried + block, file.read(DESCRIBED_BYTES)
        places = sorted(place for mark, before in _MARKS for place in _places(window, mark, before))
        for place in places:
            if describe((window + behind)[place : place + DESCRIBED_BYTES]) != UNKNOWN:
                return at - len(carried) + place
        at += len(block)
        carried = window[1 - _LONGEST_MARK :]
    return None


def _places(window: bytes, mark: bytes, before: int) -> Iterator[int]:
    at = window.find(mark)
    for _ in range(_MOST_PIECES):
        if at < 0:
            return
        if at >= before:
            yield at - before
        at = window.find(mark, at + 1)


def _end_of(file: BinaryIO, start: int, end: int) -> int:
    """Where the thing that begins at `start` says it ends; `end` where that cannot be told, or is not true."""
    file.seek(start)
    head = file.read(8)
    if head[4:8] in _BOXES:
        return _end_of_boxes(file, start, end)
    if head.startswith((b"RIFF", b"FORM")):
        size = int.from_bytes(head[4:8], "little" if head.startswith(b"RIFF") else "big")
        return min(start + 8 + size + (size & 1), end)
    if head.startswith(b"\xff\xd8"):
        return min(end_of_jpeg(file, start) or end, end)
    return end


def _end_of_boxes(file: BinaryIO, start: int, end: int) -> int:
    """Behind the last box of a film: the first that is none of a film's ends it."""
    at = start
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(min(16, end - at))
        if len(head) < 8 or head[4:8] not in _BOXES or (at > start and head[4:8] == b"ftyp"):
            break
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size == 0 or size < 8 or at + size > end:
            return end
        at += size
    return at
