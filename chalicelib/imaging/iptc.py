"""Reads the times in IPTC's records, as JPEG, PNG and TIFF hold them inside or outside of Photoshop's blocks."""

from collections.abc import Iterator

from chalicelib.imaging.taken_at import Taken, parse_time

_IPTC_BLOCK = b"\x04\x04"
_RECORD, _APPLICATION, _EXTENDED = 0x1C, 2, 0x8000
#: Capture times, best first: name, and the datasets of the date and the time.
_TIMES = (("IPTC DateCreated", 55, 60), ("IPTC DigitalCreationDate", 62, 63))
_DATASETS = {number for _, *numbers in _TIMES for number in numbers}


def iptc_times(records: bytes) -> Iterator[Taken]:
    """The times in IPTC's records, best first; none where they cannot be read."""
    found: dict[int, str] = {}
    for dataset, value in _datasets(records):
        if dataset in _DATASETS:
            found.setdefault(dataset, value.decode("latin-1").strip("\0 "))
    for source, day, time in _TIMES:
        date, clock = found.get(day, ""), found.get(time, "")
        written = f"{date[:4]}-{date[4:6]}-{date[6:8]}" + (f" {clock[:2]}:{clock[2:4]}:{clock[4:]}" if clock else "")
        taken = parse_time(written, source)
        if taken is not None:
            yield taken


def records_in(blocks: bytes) -> bytes:
    """IPTC's records, bare or among Photoshop's blocks (8BIM); empty where there are none."""
    if blocks[:1] == bytes((_RECORD,)):
        return blocks
    at = 0
    while blocks[at : at + 4] == b"8BIM":
        kind, name = blocks[at + 4 : at + 6], blocks[at + 6 : at + 7]
        start = at + 6 + (len(name) and (name[0] // 2 + 1) * 2) + 4
        size = int.from_bytes(blocks[start - 4 : start], "big")
        if kind == _IPTC_BLOCK:
            return blocks[start : start + size]
        at = start + size + size % 2
    return b""


def _datasets(records: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 5 <= len(records) and records[at] == _RECORD:
        size = int.from_bytes(records[at + 3 : at + 5], "big")
        if size >= _EXTENDED:
            return
        if records[at + 1] == _APPLICATION:
            yield records[at + 2], records[at + 5 : at + 5 + size]
        at += 5 + size
