"""Reads the times in XMP: XML that anybody may have written, so nothing is expanded, fetched, or read without bounds."""

from collections.abc import Iterator
from contextlib import suppress
from xml.parsers import expat

from chalicelib.imaging.taken_at import Taken, parse_time

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXIF, _PHOTOSHOP, _XMP = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/photoshop/1.0/", "http://ns.adobe.com/xap/1.0/"
#: Capture times by the names that expat gives properties, best first.
_TIMES = {
    f"{_EXIF} DateTimeOriginal": "XMP DateTimeOriginal",
    f"{_PHOTOSHOP} DateCreated": "XMP DateCreated",
    f"{_EXIF} DateTimeDigitized": "XMP DateTimeDigitized",
    f"{_XMP} CreateDate": "XMP CreateDate",
}
_DESCRIPTION = f"{_RDF} Description"
#: rdf:RDF > rdf:Description > property, with or without x:xmpmeta around them: what lies deeper describes something else.
_PROPERTY_DEPTHS = (2, 3)
#: Programs bloat packets with the history of a picture, behind what is known of it.
_MAX_BYTES, _MAX_DEPTH, _MAX_TEXT = 1 << 20, 100, 64


class _Refused(Exception):
    """The packet is of a kind that no program writes."""


def xmp_times(packet: bytes) -> Iterator[Taken]:
    """The times in an XMP packet, best first, as far as it can be read."""
    found = _Properties()
    with suppress(_Refused, expat.ExpatError, ValueError, LookupError):
        found.read(packet.lstrip(b"\0 \t\r\n")[:_MAX_BYTES])
    for name, source in _TIMES.items():
        taken = parse_time(found.texts.get(name), source)
        if taken is not None:
            yield taken


class _Properties:
    """The texts of the properties in `_TIMES`, written as attributes or as elements."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._path: list[str] = []
        self._open = ""

    def read(self, packet: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(packet, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        inside = self._path[-1:] == [_DESCRIPTION] and len(self._path) in _PROPERTY_DEPTHS
        self._path.append(name)
        if len(self._path) > _MAX_DEPTH:
            raise _Refused
        if name == _DESCRIPTION and len(self._path) in _PROPERTY_DEPTHS:
            for each in _TIMES.keys() & attributes.keys():
                self.texts.setdefault(each, attributes[each][:_MAX_TEXT])
        self._open = name if inside and name in _TIMES and name not in self.texts else ""
        if self._open:
            self.texts[name] = ""

    def _end(self, _name: str) -> None:
        self._path.pop()
        self._open = ""

    def _text(self, text: str) -> None:
        if self._open and len(self.texts[self._open]) < _MAX_TEXT:
            self.texts[self._open] += text[:_MAX_TEXT]


def _refuse(*_declared: object) -> None:
    raise _Refused
