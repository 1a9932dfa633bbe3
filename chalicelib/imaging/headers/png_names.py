"""Names the chunks of a PNG. Which ones are the picture and which are known metadata is listed here; others are more."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.contents import described
from chalicelib.imaging.headers.xmp_payload import Payload

_FRAME_BYTES, _SUM_BYTES, _BLOCK = 8, 4, 1 << 18
#: What is decoded before the pixels, and how long it may be. Of each, decoders heed the first, and none behind the pixels.
_ONCE = {
    b"IHDR": {13},
    b"PLTE": range(3, 769),
    b"tRNS": range(1, 257),
    b"acTL": {8},
    b"iCCP": range(4, 1 << 31),
    b"gAMA": {4},
    b"cHRM": {32},
    b"sRGB": {1},
    b"cICP": {4},
    b"mDCV": {24},
    b"cLLI": {8},
    b"sBIT": range(1, 5),
}
_METADATA = {
    *(b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"pHYs", b"bKGD", b"hIST", b"sPLT", b"oFFs"),
    *(b"iDOT", b"orNT", b"vpAg", b"caNv", b"caBX"),
}
_LAYERS = {b"mkBF", b"mkBS", b"mkBT", b"mkTS", b"prVW"}
_XMP, _MAX_XMP_BYTES = b"XML:com.adobe.xmp\0", 16 << 20
MAX_PROFILE_BYTES = 16 << 20
_WITH_ALPHA = {4, 6}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk; `start` is that of its length, `end` behind its sum."""

    name: bytes
    start: int
    end: int

    @property
    def content(self) -> tuple[int, int]:
        return self.start + _FRAME_BYTES, self.end - _SUM_BYTES


class Names:
    """Names one file's chunks in turn."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._seen = set[bytes]()
        self._last = b""
        self._xmp_seen = False

    def name(self, chunk: Chunk, colour_type: int) -> Iterator[Block]:
        """The blocks of a chunk. Leaves the file standing anywhere."""
        name, last = chunk.name, self._last
        known = self._is_picture(chunk, last, colour_type)
        self._seen.add(name)
        self._last = name
        whole = Block(name.decode("latin-1"), chunk.start, chunk.end, Part.PICTURE)
        start, end = chunk.content
        if known:
            yield whole
        elif name in _METADATA and not (name == b"iTXt" and (holds := self._held(start, end))):
            yield replace(whole, part=Part.METADATA)
        elif start == end:
            yield replace(whole, part=Part.MORE)
        else:
            # The frame alone says nothing where there is content to be judged.
            yield replace(whole, part=Part.METADATA, end=start)
            found = described(self._file, whole.kind, start, end)
            told = "layers" if name in _LAYERS else holds if name == b"iTXt" and holds else found.holds
            yield replace(found, holds=told)
            yield replace(whole, part=Part.METADATA, start=end)

    def _is_picture(self, chunk: Chunk, last: bytes, colour_type: int) -> bool:
        name, (start, end) = chunk.name, chunk.content
        if name == b"IDAT":
            return b"IDAT" not in self._seen or last == b"IDAT"
        if name in {b"fcTL", b"fdAT"}:
            return b"acTL" in self._seen and (end - start == 26 if name == b"fcTL" else end - start >= 4)
        if name == b"IEND":
            return start == end
        if name not in _ONCE or name in self._seen or b"IDAT" in self._seen or end - start not in _ONCE[name]:
            return False
        if name == b"iCCP":
            return self._is_profile(start, end)
        return name != b"tRNS" or colour_type not in _WITH_ALPHA

    def _is_profile(self, start: int, end: int) -> bool:
        """Whether the chunk holds a name and a packed profile, and nothing behind it."""
        self._file.seek(start)
        name, nul, rest = self._file.read(min(81, end - start)).partition(b"\0")
        if not nul or rest[:1] != b"\0":
            return False
        self._file.seek(start + len(name) + 2)
        unpacked, inflater = 0, zlib.decompressobj()
        try:
            while not inflater.eof and (packed := self._file.read(min(_BLOCK, end - self._file.tell()))):
                unpacked += len(inflater.decompress(packed, MAX_PROFILE_BYTES + 1 - unpacked))
                if unpacked > MAX_PROFILE_BYTES:
                    raise BadImageError(
                        f"The colour profile is larger than {MAX_PROFILE_BYTES:,} bytes; send the image without it."
                    )
        except zlib.error:
            return False
        return inflater.eof and not inflater.unused_data and self._file.tell() == end

    def _held(self, start: int, end: int) -> str | None:
        """What XMP in a text chunk holds besides text."""
        self._file.seek(start)
        if self._file.read(len(_XMP)) != _XMP:
            return None
        packed, method = self._file.read(2).ljust(2, b"\0")
        if end - start > _MAX_XMP_BYTES or method or self._xmp_seen:
            return "unknown"
        self._xmp_seen = True
        rest = self._file.read(end - self._file.tell()).split(b"\0", 2)
        text = rest[-1] if len(rest) == 3 else b""
        if packed:
            inflater = zlib.decompressobj()
            try:
                text = inflater.decompress(text, _MAX_XMP_BYTES)
            except zlib.error:
                return "unknown"
            if not inflater.eof or inflater.unused_data:
                return "unknown"
        return Payload().look(text)
