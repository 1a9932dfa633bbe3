"""Notices XMP that holds bytes of its own: a depth map, a sound, another picture, written out as text."""

import re

#: A property that is made to hold bytes, and has some.
_DATA = re.compile(rb":Data(?:\s{0,20}=\s{0,20}[\"'][^\"'\s]|\s{0,20}>\s{0,20}[^<\s])")
#: Anything else that is written out without a break, as no text is.
_RUN = re.compile(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{1024,}")
_NAME = re.compile(rb"[A-Za-z_][\w.-]*:[A-Za-z_][\w.-]*")
_HOLDS = {b"GDepth": "depth", b"GImage": "picture", b"GAudio": "sound"}
#: What is known to be long and to say nothing that is to be seen: thumbnails and the notes of makers.
_KNOWN_RUNS = {
    b"xmpGImg:image",
    b"xapGImg:image",
    b"GCamera:hdrp_makernote",
    b"GCamera:HdrPlusMakernote",
    b"GCamera:shot_log_data",
}
_CARRIED = 200


class Payload:
    """Looks through XMP that comes in pieces."""

    def __init__(self) -> None:
        self._carried = b""
        #: What the run that reached the end of the last piece holds.
        self._holds: str | None = "unknown"

    def look(self, piece: bytes) -> str | None:
        """What this piece holds, in the words of `docs/imaging.md`; `None` where it is only text."""
        text = piece.rstrip(b"\0")
        if b"\0" in text:
            return "unknown"
        window = self._carried + text
        data = _DATA.search(window)
        found = [_of_run(window, data.start() + len(b":Data")) or "unknown"] if data else []
        last: str | None = "unknown"
        for run in _RUN.finditer(window):
            holds = _of_run(window, run.start()) if run.start() or not self._carried else self._holds
            found += [holds] if holds else []
            last = holds if run.end() == len(window) else "unknown"
        self._carried, self._holds = window[-_CARRIED:], last
        return found[0] if found else None


def _of_run(window: bytes, start: int) -> str | None:
    names = _NAME.findall(window[max(0, start - _CARRIED) : start])
    if not names:
        return "unknown"
    return None if names[-1] in _KNOWN_RUNS else _HOLDS.get(names[-1].partition(b":")[0], "unknown")
