"""JPEGs made segment by segment."""

import struct

from tests.unit.examining import encoded, noise

PLAIN = encoded(noise("RGB", (40, 30)), "JPEG", quality=70)
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(*segments: bytes, jpeg: bytes = PLAIN) -> bytes:
    """`jpeg` with more segments right behind its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def resource(number: int, content: bytes) -> bytes:
    """A block of Photoshop's."""
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + bytes(len(content) & 1)


def photoshop(*resources: bytes) -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"".join(resources))


def samsung(*entries: tuple[int, bytes, bytes]) -> bytes:
    """A trailer of Samsung's: of each entry its kind, name and content."""
    parts = [struct.pack("<HHI", 0, kind, len(name)) + name + content for kind, name, content in entries]
    directory, back = b"", sum(map(len, parts))
    for (kind, _, _), part in zip(entries, parts, strict=True):
        directory += struct.pack("<HHII", 0, kind, back, len(part))
        back -= len(part)
    directory = b"SEFH" + struct.pack("<II", 106, len(entries)) + directory
    return b"".join(parts) + directory + struct.pack("<I", len(directory)) + b"SEFT"


def pictures_index(jpeg: bytes, *pictures: tuple[int, bytes]) -> bytes:
    """`jpeg` with an index of several pictures, and these behind it: of each its kind and its bytes."""
    directory = 8 + 2 + 3 * 12 + 4
    count = len(pictures) + 1

    def made(entries: bytes) -> bytes:
        rows = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, count)
        rows += struct.pack("<HHII", 0xB002, 7, 16 * count, directory)
        return with_segments(segment(0xE2, b"MPF\0II*\0" + struct.pack("<IH", 8, 3) + rows + bytes(4) + entries), jpeg=jpeg)

    size = len(made(bytes(16 * count)))
    entries, at = struct.pack("<IIIHH", 0x030000, size, 0, 0, 0), size - 10
    for kind, content in pictures:
        entries += struct.pack("<IIIHH", kind, len(content), at, 0, 0)
        at += len(content)
    return made(entries) + b"".join(content for _, content in pictures)
