"""Walks the segments of a JPEG: size, EXIF, where the coded picture ends, and what stands behind it."""

import io
import struct
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.blocks import Block, Part, account
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, UPRIGHT_INKS, Header, damaged, size_of, truncated
from chalicelib.imaging.headers.jpeg_names import Names
from chalicelib.imaging.headers.jpeg_tail import Behind
from chalicelib.imaging.headers.markers import FRAMES, SOS, Segment, segments
from chalicelib.imaging.iptc import records_in

_APP1, _APP2, _APP13 = 0xE1, 0xE2, 0xED
_XMP, _PHOTOSHOP = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_DECODABLE_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_SEQUENTIAL_FRAMES = {0xC0, 0xC1, 0xC9}
#: Sequential and Huffman-coded: libjpeg decodes arithmetic coding only if it gets all bytes at once.
_DECODED_ON_ARRIVAL = {0xC0, 0xC1}
_ALL_COEFFICIENTS = (1 << 64) - 1
_INKS = 4


def read(file: BinaryIO) -> Header:
    """Raises `BadImageError` for a file without an end, `UnsupportedImageError` for a kind of JPEG that cannot be decoded."""
    return _Walk(file).header()


class _Walk:
    """One way through the segments of one file; the attributes are what was met."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._marker = 0
        self._size = (0, 0)
        self._first_scan_components = self._scans = 0
        #: By component, a bit for every coefficient that has come in full precision.
        self._components: dict[int, int] = {}
        self._samplings = set[int]()
        self._exif, self._exif_bytes = bytearray(), 0
        self._names = Names()
        self._blocks = [Block("SOI", 0, 2, Part.PICTURE)]
        self._behind = Behind(file)
        self._xmp = b""
        self._photoshop = bytearray()

    def header(self) -> Header:
        end = 2
        for segment in segments(self._file, 0):
            self._segment(segment)
            self._blocks += self._names.name(segment)
            end = segment.end
        if not (self._scans and all(self._size)):
            raise damaged("JPEG", "it has no picture, or one without a size")
        if any(coefficients != _ALL_COEFFICIENTS for coefficients in self._components.values()):
            raise truncated("JPEG")
        size = size_of(self._file)
        self._blocks += self._names.late()
        self._blocks += self._behind.blocks(end, size, self._size)
        return Header(
            format="JPEG",
            width=self._size[0],
            height=self._size[1],
            end=end,
            # What is too large to be read may turn the picture.
            faithful=self._exif_bytes <= MAX_EXIF_BYTES,
            exif=bytes(self._exif) if self._exif_bytes <= MAX_EXIF_BYTES else b"",
            colour=UPRIGHT_INKS if len(self._components) == _INKS and not self._names.adobe else b"",
            xmp=self._xmp,
            iptc=records_in(bytes(self._photoshop)),
            one_pass=self._marker in _DECODED_ON_ARRIVAL and self._first_scan_components == len(self._components),
            coding=self._coding(),
            scans=self._scans,
            blocks=account(self._file, self._blocks, end, size),
        )

    def _segment(self, segment: Segment) -> None:
        marker, body = segment.marker, segment.body
        if marker in FRAMES:
            self._frame(marker, body)
        elif marker == _APP1 and body.startswith(b"Exif\0"):
            self._exif_bytes += len(body) - 6
            self._exif += body[6:] if self._exif_bytes <= MAX_EXIF_BYTES else b""
        elif marker == _APP1 and body.startswith(_XMP):
            self._xmp = self._xmp or body.removeprefix(_XMP)
        elif marker == _APP13 and body.startswith(_PHOTOSHOP) and len(self._photoshop) < MAX_EXIF_BYTES:
            self._photoshop += body.removeprefix(_PHOTOSHOP)
        elif marker == _APP2 and body.startswith(b"MPF\0"):
            self._behind.announced(io.BytesIO(body[4:]), segment.end - len(body) + 4)
        elif marker == SOS:
            self._scan(body)

    def _frame(self, marker: int, body: bytes) -> None:
        if len(body) < 6:
            raise damaged("JPEG", "its frame header is too short")
        precision, height, width, components = struct.unpack(">BHHB", body[:6])
        if marker not in _DECODABLE_FRAMES or precision != 8 or components not in {1, 3, _INKS}:
            raise UnsupportedImageError(
                f"The JPEG is of a kind that is not taken ({precision} bits, {components} components, frame type {marker:X}); "
                "send an 8-bit baseline or progressive JPEG."
            )
        if self._marker:
            raise damaged("JPEG", "it has two frame headers")
        self._marker, self._size = marker, (width, height)
        self._components = dict.fromkeys(body[6 : 6 + 3 * components : 3], 0)
        self._samplings = {*body[7 : 6 + 3 * components : 3]}
        for sides in ({sampling >> 4 for sampling in self._samplings}, {sampling & 15 for sampling in self._samplings}):
            if 0 not in sides and any(max(sides) % side for side in sides):
                raise UnsupportedImageError(
                    "The JPEG is of a kind that is not taken (a component is sampled by a fraction); send a usual one."
                )

    def _scan(self, body: bytes) -> None:
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            raise damaged("JPEG", "the header of a scan is too short")
        self._scans += 1
        if self._scans == 1:
            self._first_scan_components = count
        first, last, precision = body[1 + 2 * count : 4 + 2 * count]
        if self._marker in _SEQUENTIAL_FRAMES:
            come = _ALL_COEFFICIENTS
        else:
            come = 0 if precision & 15 else (2 << min(last, 63)) - (1 << min(first, 63))
        for component in body[1 : 1 + 2 * count : 2]:
            self._components[component] = self._components.get(component, 0) | come

    def _coding(self) -> str:
        """A sequential picture in several scans is held in memory as a progressive one is."""
        if self._marker in {0xC9, 0xCA}:
            return ""
        at_once = self._marker in _SEQUENTIAL_FRAMES and self._first_scan_components == len(self._components)
        match len(self._components), at_once:
            case 1, _:
                return "grey" if at_once else "grey progressive"
            case 4, _:
                return "cmyk" if at_once else "cmyk progressive"
            case _, True:
                return "baseline"
        return "progressive 444" if len(self._samplings) == 1 else "progressive"
