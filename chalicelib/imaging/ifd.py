"""Reads TIFF's directories (IFDs), in which TIFF, EXIF and MPO keep everything, from bytes that may lie about anything."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, SRATIONAL, FLOAT, DOUBLE, IFD = range(1, 14)
LONG8, SLONG8, IFD8 = 16, 17, 18
UTF8 = 129  # EXIF 3.0
_SIZES = {
    **dict.fromkeys((BYTE, ASCII, SBYTE, UNDEFINED, UTF8), 1),
    **dict.fromkeys((SHORT, SSHORT), 2),
    **dict.fromkeys((LONG, SLONG, FLOAT, IFD), 4),
    **dict.fromkeys((RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8), 8),
}
_CODES = {SHORT: "H", SSHORT: "h", LONG: "I", SLONG: "i", IFD: "I", SBYTE: "b", BYTE: "B", FLOAT: "f", DOUBLE: "d"} | {
    LONG8: "Q",
    SLONG8: "q",
    IFD8: "Q",
    RATIONAL: "II",
    SRATIONAL: "ii",
}
#: No directory that means anything has more entries; a file may claim 65,535 of them, or 2 to the power of 64.
MAX_ENTRIES = 4096

Number = int | float
#: Numbers as they are stored; a fraction stays a pair, because its denominator may be zero.
Numbers = tuple[Number, ...] | tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag. `size` is the length of its data in bytes, `at` where in the source they are, `row` where the tag itself is."""

    tag: int
    type: int
    count: int
    size: int
    at: int
    row: int = 0


class Directories:
    """The directories of one source that begins with a TIFF header. Raises `ValueError` where it does not."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self.length = source.seek(0, 2)
        head = self._at(0, 16)
        if head[:2] not in {b"II", b"MM"}:
            raise ValueError("no TIFF header")
        self.order = "<" if head[:2] == b"II" else ">"
        self._big = head[2:4] == (b"+\0" if self.order == "<" else b"\0+")
        if len(head) < (16 if self._big else 8):
            raise ValueError("no room for a directory")
        self.first: int = self._unpack("Q", head[8:16]) if self._big else self._unpack("I", head[4:8])

    def read(self, offset: int, most: int = MAX_ENTRIES) -> tuple[dict[int, Entry], int]:
        """The first `most` entries of the directory at `offset`, and the next directory's offset.

        Entries that are cut off, or whose data are out of bounds, are left out; the next offset is 0 where there is none.
        Of a tag that is there twice, the first counts.
        """
        count_bytes, entry_bytes, offset_bytes = (8, 20, 8) if self._big else (2, 12, 4)
        claimed = self._at(offset, count_bytes)
        if len(claimed) < count_bytes:
            return {}, 0
        count = self._unpack("Q" if self._big else "H", claimed)
        data = self._at(offset + count_bytes, min(count, most) * entry_bytes)
        entries: dict[int, Entry] = {}
        for at in range(0, len(data) - entry_bytes + 1, entry_bytes):
            entry = self._entry(data[at : at + entry_bytes], offset + count_bytes + at)
            if entry is not None:
                entries.setdefault(entry.tag, entry)
        following = self._at(offset + count_bytes + count * entry_bytes, offset_bytes) if count <= most else b""
        if len(following) < offset_bytes:
            return entries, 0
        return entries, self._unpack("Q" if self._big else "I", following)

    def chain(self, most: int) -> Iterator[tuple[int, dict[int, Entry]]]:
        """The directories one after another with their offsets, each once, and at most `most` of them."""
        offset, seen = self.first, set[int]()
        while offset and offset not in seen and len(seen) < most:
            seen.add(offset)
            here, (entries, offset) = offset, self.read(offset)
            yield here, entries

    def frame(self, offset: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the directory at `offset` says how many entries it has, and where the next one's offset is."""
        count_bytes, entry_bytes, offset_bytes = (8, 20, 8) if self._big else (2, 12, 4)
        claimed = self._at(offset, count_bytes)
        count = self._unpack("Q" if self._big else "H", claimed) if len(claimed) == count_bytes else 0
        end = offset + count_bytes + count * entry_bytes
        return (offset, offset + count_bytes), (end, end + offset_bytes)

    @property
    def header_bytes(self) -> int:
        return 16 if self._big else 8

    def repeats_header(self, offset: int) -> bool:
        """Whether a header stands before the directory at `offset`, as writers leave it that put whole files together."""
        size = self.header_bytes
        own = self._at(0, 8 if self._big else 4) + struct.pack(self.order + ("Q" if self._big else "I"), size)
        return offset >= 2 * size and self._at(offset - size, size) == own

    @property
    def entry_bytes(self) -> int:
        return 20 if self._big else 12

    def data(self, entry: Entry, most: int) -> bytes | None:
        """The bytes of an entry; `None` where there are more than `most`."""
        return self._at(entry.at, entry.size) if entry.size <= most else None

    def numbers(self, entry: Entry, most: int) -> Numbers:
        """The numbers of an entry, at most the first `most`; empty where it holds none."""
        code = _CODES.get(entry.type)
        if code is None:
            return ()
        size = _SIZES[entry.type]
        count = min(entry.count, most)
        values = struct.unpack(self.order + code * count, self._at(entry.at, count * size))
        return tuple(zip(values[::2], values[1::2], strict=True)) if len(code) == 2 else values

    def integer(self, entries: dict[int, Entry], tag: int, default: int) -> int:
        """The first number of a tag, if it is a whole one; otherwise `default`."""
        values = self.numbers(entries[tag], 1) if tag in entries else ()
        return values[0] if values and isinstance(values[0], int) else default

    def _entry(self, data: bytes, at: int) -> Entry | None:
        tag, kind = struct.unpack(self.order + "HH", data[:4])
        width = (len(data) - 4) // 2
        count = self._unpack("Q" if self._big else "I", data[4 : 4 + width])
        size = count * _SIZES.get(kind, 0)
        where = at + 4 + width if size <= width else self._unpack("Q" if self._big else "I", data[4 + width :])
        if not size or where + size > self.length:
            return None
        return Entry(tag, kind, count, size, where, at)

    def _at(self, offset: int, count: int) -> bytes:
        if offset > self.length:
            return b""
        self.source.seek(offset)
        return self.source.read(count)

    def _unpack(self, code: str, data: bytes) -> int:
        return int(struct.unpack(self.order + code, data)[0])
