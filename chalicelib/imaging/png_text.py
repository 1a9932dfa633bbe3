"""Reads the metadata that PNGs hold as text: what ImageMagick calls raw profiles, and XMP."""

import binascii
import zlib
from dataclasses import dataclass

from chalicelib.imaging.iptc import records_in

#: The chunks that hold text.
TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
#: Hexadecimal takes two bytes for one, and every 36 of them a line.
MAX_TEXT_BYTES = 9 << 20
_PIECE = 64 << 10
_XMP = b"XML:com.adobe.xmp"
_RAW = b"Raw profile type "
_EXIF_PREFIX, _XMP_PREFIX = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


@dataclass(slots=True)
class TextMetadata:
    """What was met in text chunks; of each kind the first counts."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    #: How much more text is unpacked: a file may hold many that are large.
    left: int = 2 * MAX_TEXT_BYTES

    def add(self, chunk: bytes, body: bytes) -> None:
        """Take what the text chunk named `chunk` holds. What cannot be read is passed over."""
        keyword, _, rest = body.partition(b"\0")
        if keyword == _XMP:
            self.xmp = self.xmp or self._text(chunk, rest)
        elif keyword.startswith(_RAW):
            self._add_profile(keyword.removeprefix(_RAW).lower(), _profile(self._text(chunk, rest)))

    def _add_profile(self, kind: bytes, profile: bytes) -> None:
        if kind == b"xmp" or profile.startswith(_XMP_PREFIX):
            self.xmp = self.xmp or profile.removeprefix(_XMP_PREFIX)
        elif kind == b"exif" or (kind == b"app1" and profile.startswith(_EXIF_PREFIX)):
            self.exif = self.exif or profile.removeprefix(_EXIF_PREFIX)
        elif kind in {b"iptc", b"8bim"}:
            self.iptc = self.iptc or records_in(profile)

    def _text(self, chunk: bytes, rest: bytes) -> bytes:
        """The text behind a keyword, unpacked; empty where it cannot be."""
        if chunk == b"tEXt":
            return rest
        if chunk == b"zTXt":
            return self._unpacked(rest[1:])
        text = rest[2:].split(b"\0", 2)[-1]
        return self._unpacked(text) if rest[:1] == b"\1" else text

    def _unpacked(self, data: bytes) -> bytes:
        unpacker, parts = zlib.decompressobj(), []
        try:
            while data and self.left > 0:
                parts.append(unpacker.decompress(data, _PIECE))
                self.left -= len(parts[-1])
                data = unpacker.unconsumed_tail
        except zlib.error:
            return b""
        return b"".join(parts)


def _profile(text: bytes) -> bytes:
    """A profile as ImageMagick writes it: its name, its length, and its bytes in hexadecimal."""
    _length, _, digits = text.strip().partition(b"\n")[2].partition(b"\n")
    try:
        return binascii.unhexlify(digits.translate(None, b" \r\n"))
    except binascii.Error:
        return b""
