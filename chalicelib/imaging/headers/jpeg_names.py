"""Names the segments of a JPEG. Which ones are the picture and which are known metadata is listed here; others are more."""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import replace

from chalicelib.imaging.blocks import Block, Part
from chalicelib.imaging.contents import DESCRIBED_BYTES, UNKNOWN, describe
from chalicelib.imaging.headers import photoshop
from chalicelib.imaging.headers.markers import FRAMES, Segment
from chalicelib.imaging.headers.xmp_payload import Payload
from chalicelib.imaging.ifd import Directories

_COM = 0xFE
#: DHT, SOS, DQT, DRI, EOI, and all frames but the hierarchical ones.
_PICTURE = {0xC0, 0xC1, 0xC2, 0xC4, 0xC9, 0xCA, 0xDA, 0xDB, 0xDD, 0xD9}
_ARITHMETIC, _CONDITIONING = {0xC9, 0xCA}, 0xCC
_XMP, _MORE_XMP, _MORE_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0", 75
_ICC, _ICC_HEADER = b"ICC_PROFILE\0", 14
_ADOBE, _ADOBE_BYTES = b"Adobe", 12
_KNOWN = {
    0xE0: (b"JFIF\0", b"JFXX\0"),
    0xE1: (b"Exif\0",),
    0xE3: (b"Meta\0", b"META\0"),
    0xE4: (b"SCALADO\0",),
    0xE5: (b"RMETA\0", b"ssuniqueid\0"),
    0xE6: (b"EPPIM\0",),
    0xE7: (b"HUAWEI\0",),
    0xE8: (b"HUAWEI\0", b"SPIFF\0"),
    0xE9: (b"HUAWEI\0",),
    0xEA: (b"UNICODE\0",),
    0xEC: (b"Ducky",),
}
#: Old cameras write their settings as text.
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e]+\0*")
_HOLDS = ((b"FLIR\0", "thermal"), (b"urn:iso:std:iso:ts:21496:-1", "gain map"), (b"HDR_RI", "gain map"))
_BOXES, _MPF = b"JP", b"MPF\0"
_C2PA = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_SAMSUNG_DEBUG = {0xE4, 0xE5}
_MAKE = 0x010F


class Names:
    """Names one file's segments in turn; some can only be named when those before them, or all, are known."""

    def __init__(self) -> None:
        self.adobe = False
        self._frame = 0
        self._xmp, self._more_xmp = Payload(), Payload()
        self._resources = photoshop.Resources()
        #: The pieces of the colour profile: number, how many there are, and the block.
        self._profile: list[tuple[int, int, Block]] = []
        self._c2pa = set[bytes]()
        self._samsung = False

    def name(self, segment: Segment) -> Iterator[Block]:
        """The blocks of a segment. What is left out has no name."""
        marker, kind = segment.marker, _kind(segment.marker)
        if marker in FRAMES:
            self._frame = marker
        if marker in _PICTURE or (marker == _CONDITIONING and self._frame in _ARITHMETIC):
            yield Block(kind, segment.start, segment.coded_end, Part.PICTURE)
        elif segment.body or marker == _COM:
            content = segment.end - len(segment.body)
            # The head alone says nothing where there is a body to be judged.
            yield Block(kind, segment.start, content, Part.METADATA)
            yield from self._of_body(segment, Block(kind, content, segment.end, Part.METADATA))

    def late(self) -> Iterator[Block]:
        """The blocks that could not be named before: the colour profile, which counts only where all of it is there."""
        numbers, counts = [piece[0] for piece in self._profile], {piece[1] for piece in self._profile}
        whole = sorted(numbers) == [*range(1, len(numbers) + 1)] and counts == {len(numbers)}
        for _, _, block in self._profile:
            yield block if whole else _more(block)

    def _of_body(self, segment: Segment, known: Block) -> Iterator[Block]:
        marker, body = segment.marker, segment.body
        if marker == 0xED and body.startswith(photoshop.MARK):
            yield from self._resources.name(body, known.start)
        elif marker == 0xE2 and body.startswith(_ICC) and len(body) >= _ICC_HEADER:
            # Decoders differ in whether they heed one behind the frame's header.
            block = replace(known, part=Part.PICTURE)
            self._profile.append((body[12], 0 if self._frame else body[13], block))
        elif marker == 0xEE and body.startswith(_ADOBE) and len(body) >= _ADOBE_BYTES:
            self.adobe = True
            yield replace(known, end=known.start + _ADOBE_BYTES, part=Part.PICTURE)
        elif marker == 0xE1 and body.startswith(_XMP):
            yield _unless(known, self._xmp.look(body.removeprefix(_XMP)))
        elif marker == 0xE1 and body.startswith(_MORE_XMP):
            yield _unless(known, self._more_xmp.look(body[_MORE_XMP_HEADER:]))
        else:
            yield known if self._is_known(marker, body) else _more(known, body)

    def _is_known(self, marker: int, body: bytes) -> bool:
        if marker == 0xE1 and body.startswith(b"Exif\0"):
            self._samsung |= _is_samsung(body[6:])
        if marker == _COM or body.startswith(_KNOWN.get(marker, ())):
            return True
        if marker == 0xEB and body.startswith(_BOXES):
            if body[12:16] == b"jumb" and body[20:24] == b"jumd" and body[24:40] == _C2PA:
                self._c2pa.add(body[2:4])
            return body[2:4] in self._c2pa
        return (
            (marker == 0xE2 and body.startswith(_MPF) and _is_directory(body[len(_MPF) :]))
            or (marker == 0xEC and _TEXT.fullmatch(body) is not None)
            or (marker in _SAMSUNG_DEBUG and self._samsung and describe(body) == UNKNOWN)
        )


def _kind(marker: int) -> str:
    return "COM" if marker == _COM else f"APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else f"FF{marker:02X}"


def _more(block: Block, body: bytes = b"") -> Block:
    holds, content_type = describe(body[:DESCRIBED_BYTES])
    holds = next((held for mark, held in _HOLDS if body.startswith(mark)), holds)
    return replace(block, part=Part.MORE, holds=holds, content_type=content_type)


def _unless(known: Block, holds: str | None) -> Block:
    return replace(known, part=Part.MORE, holds=holds) if holds else known


def _is_directory(data: bytes) -> bool:
    try:
        Directories(io.BytesIO(data))
    except ValueError:
        return False
    return True


def _is_samsung(exif: bytes) -> bool:
    try:
        directories = Directories(io.BytesIO(exif))
        entry = directories.read(directories.first)[0].get(_MAKE)
    except (ValueError, struct.error):
        return False
    return entry is not None and (directories.data(entry, 64) or b"").lower().startswith(b"samsung")
