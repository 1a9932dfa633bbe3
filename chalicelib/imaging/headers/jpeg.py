"""Walks the markers of a JPEG: size, EXIF, secondary pictures, and where the coded picture ends."""

import io
import re
import struct
from typing import BinaryIO

from chalicelib.errors import UnsupportedImageError
from chalicelib.imaging.headers.header import MAX_EXIF_BYTES, UPRIGHT_INKS, Header, damaged, take, truncated
from chalicelib.imaging.ifd import Directories
from chalicelib.imaging.iptc import records_in

#: What a crafted file may ask of the walk: far above what any camera or encoder writes.
_MAX_SEGMENTS, _MAX_SCANS, _MAX_PADDING = 10_000, 200, 1 << 16
_BLOCK = 1 << 20
_SOS, _EOI, _APP1, _APP2, _APP13, _APP14 = 0xDA, 0xD9, 0xE1, 0xE2, 0xED, 0xEE
_XMP, _PHOTOSHOP = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_DECODABLE_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_SEQUENTIAL_FRAMES = {0xC0, 0xC1, 0xC9}
#: Sequential and Huffman-coded: libjpeg decodes arithmetic coding only if it gets all bytes at once.
_DECODED_ON_ARRIVAL = {0xC0, 0xC1}
_ALL_COEFFICIENTS = (1 << 64) - 1
_INKS = 4
_NUMBER_OF_PICTURES = 0xB001
#: In coded data, a marker is FF and anything but a stuffed zero, a restart, or another FF.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: What a picture or a film that hides behind the end begins with.
_HIDDEN = re.compile(rb"\xff\xd8\xff|ftyp(?:mp4|isom|heic|avif|mif1)")


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
        self._exif = bytearray()
        self._xmp = b""
        self._photoshop = bytearray()
        self._pictures = 1
        self._adobe = False

    def header(self) -> Header:
        self._file.seek(2)
        for _ in range(_MAX_SEGMENTS):
            marker = self._next_marker()
            if marker == _EOI:
                break
            if marker not in _WITHOUT_LENGTH:
                length = struct.unpack(">H", take(self._file, 2, "JPEG"))[0]
                if length < 2:
                    raise damaged("JPEG", "a segment has no length")
                self._segment(marker, take(self._file, length - 2, "JPEG"))
        else:
            raise damaged("JPEG", f"it has more than {_MAX_SEGMENTS:,} segments")
        end = self._file.tell()
        if not (self._scans and all(self._size)):
            raise damaged("JPEG", "it has no picture, or one without a size")
        if any(coefficients != _ALL_COEFFICIENTS for coefficients in self._components.values()):
            raise truncated("JPEG")
        return Header(
            format="JPEG",
            width=self._size[0],
            height=self._size[1],
            end=end,
            faithful=self._pictures == 1 and not _hides_more(self._file),
            exif=bytes(self._exif),
            xmp=self._xmp,
            iptc=records_in(bytes(self._photoshop)),
            colour=UPRIGHT_INKS if len(self._components) == _INKS and not self._adobe else b"",
            one_pass=self._marker in _DECODED_ON_ARRIVAL and self._first_scan_components == len(self._components),
        )

    def _next_marker(self) -> int:
        if take(self._file, 1, "JPEG") != b"\xff":
            raise damaged("JPEG", "there is no marker where one must be")
        for _ in range(_MAX_PADDING):
            if (marker := take(self._file, 1, "JPEG")[0]) != 0xFF:
                return marker
        raise damaged("JPEG", "it is padded without end")

    def _segment(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES:
            self._frame(marker, body)
        elif marker == _APP1 and body.startswith(b"Exif\0"):
            self._exif += body[6:]
            if len(self._exif) > MAX_EXIF_BYTES:
                raise damaged("JPEG", f"its EXIF is larger than {MAX_EXIF_BYTES:,} bytes")
        elif marker == _APP1 and body.startswith(_XMP):
            self._xmp = self._xmp or body.removeprefix(_XMP)
        elif marker == _APP13 and body.startswith(_PHOTOSHOP) and len(self._photoshop) < MAX_EXIF_BYTES:
            self._photoshop += body.removeprefix(_PHOTOSHOP)
        elif marker == _APP2 and body.startswith(b"MPF\0"):
            self._pictures = max(self._pictures, _count_pictures(body[4:]))
        elif marker == _APP14 and body.startswith(b"Adobe"):
            self._adobe = True
        elif marker == _SOS:
            self._scan(body)

    def _frame(self, marker: int, body: bytes) -> None:
        if len(body) < 6:
            raise damaged("JPEG", "its frame header is too short")
        precision, height, width, components = struct.unpack(">BHHB", body[:6])
        if marker not in _DECODABLE_FRAMES or precision != 8 or components not in {1, 3, _INKS}:
            raise UnsupportedImageError(
                f"A JPEG of this kind ({precision} bits, {components} components, frame type {marker:X}) cannot be decoded; "
                "send an 8-bit baseline or progressive JPEG."
            )
        if self._marker:
            raise damaged("JPEG", "it has two frame headers")
        self._marker, self._size = marker, (width, height)
        self._components = dict.fromkeys(body[6 : 6 + 3 * components : 3], 0)

    def _scan(self, body: bytes) -> None:
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            raise damaged("JPEG", "the header of a scan is too short")
        self._scans += 1
        if self._scans > _MAX_SCANS:
            raise damaged("JPEG", f"it has more than {_MAX_SCANS} scans")
        if self._scans == 1:
            self._first_scan_components = count
        first, last, precision = body[1 + 2 * count : 4 + 2 * count]
        if self._marker in _SEQUENTIAL_FRAMES:
            come = _ALL_COEFFICIENTS
        else:
            come = 0 if precision & 15 else (2 << min(last, 63)) - (1 << min(first, 63))
        for component in body[1 : 1 + 2 * count : 2]:
            self._components[component] = self._components.get(component, 0) | come
        _pass_coded_data(self._file)


def _pass_coded_data(file: BinaryIO) -> None:
    """Leave the file standing at the marker behind the coded data that begin where it stands."""
    carried = b""
    while block := file.read(_BLOCK):
        window = carried + block
        if found := _MARKER.search(window):
            file.seek(found.start() - len(window), 1)
            return
        carried = window[-1:]
    raise truncated("JPEG")


def _count_pictures(index: bytes) -> int:
    try:
        directories = Directories(io.BytesIO(index))
        entries, _ = directories.read(directories.first)
    except ValueError:
        return 1
    return directories.integer(entries, _NUMBER_OF_PICTURES, 1)


def _hides_more(file: BinaryIO) -> bool:
    carried = b""
    while block := file.read(_BLOCK):
        if _HIDDEN.search(carried + block):
            return True
        carried = block[-8:]
    return False
