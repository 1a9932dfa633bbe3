"""Recognizes files that are an image and something else besides, which a browser or a tool might run, open or unpack."""

import re
import struct
from collections.abc import Iterable
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.blocks import Block, Part

#: Readers of PDF look this far for its mark, and browsers that guess types look less far.
_LOOKED_AT = 1024
#: What runs, wherever it stands.
_ACTIVE = re.compile(rb"%PDF-|<script|<\?php|<iframe|javascript:|^#!", re.IGNORECASE)
#: What makes a page of a file; in the words that a program or a person wrote into its metadata it makes none.
_PAGE = re.compile(rb"<html|<!doctype|<svg|<body", re.IGNORECASE)
_ARCHIVES = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x7fELF", b"MZ\x90\0")
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT = b"PK\x05\x06", 22, 65535


def refuse_polyglot(file: BinaryIO, end: int, blocks: Iterable[Block]) -> None:
    """`end` is where the image ends in the file, `blocks` what its bytes are. Raises `UnsupportedImageError`."""
    file.seek(0)
    head = file.read(_LOOKED_AT)
    file.seek(end)
    behind = file.read(_LOOKED_AT)
    if (
        any(_ACTIVE.search(part) for part in (head, behind))
        or any(_PAGE.search(part) for part in (_without_metadata(head, blocks), behind))
        or behind.lstrip(b"\0").startswith(_ARCHIVES)
        or _is_archive(file)
    ):
        raise UnsupportedImageError(
            "The file is an image and something else besides (a page, a program or an archive); send a plain image."
        )


def _without_metadata(head: bytes, blocks: Iterable[Block]) -> bytes:
    rest = bytearray(head)
    for block in blocks:
        if block.start >= len(rest):
            break
        if block.part is Part.METADATA:
            end = min(block.end, len(rest))
            rest[block.start : end] = bytes(end - block.start)
    return bytes(rest)


def _is_archive(file: BinaryIO) -> bool:
    """Whether a ZIP's directory ends where the file ends: the archive may begin anywhere."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _ZIP_END_BYTES - _ZIP_COMMENT))
    tail = file.read()
    at = tail.rfind(_ZIP_END)
    if at < 0 or len(tail) - at < _ZIP_END_BYTES:
        return False
    comment: int = struct.unpack("<H", tail[at + 20 : at + 22])[0]
    return at + _ZIP_END_BYTES + comment == len(tail)
