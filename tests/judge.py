"""exiftool as the judge of what a file says about its picture."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.model.facts import Facts
from tests.system_packages import needed

#: Each fact, and where exiftool has it, by group and name; the first that is there counts.
JUDGED = {
    "camera_make": ("IFD0:Make",),
    "camera_model": ("IFD0:Model",),
    "lens_model": ("ExifIFD:LensModel", "IFD0:LensModel"),
    "taken_at": (
        "ExifIFD:DateTimeOriginal",
        "IFD0:DateTimeOriginal",
        "ExifIFD:CreateDate",
        "XMP-exif:DateTimeOriginal",
        "XMP-photoshop:DateCreated",
        "XMP-exif:DateTimeDigitized",
        "XMP-xmp:CreateDate",
        "Composite:DateTimeCreated",
        "IPTC:DateCreated",
        "Composite:DigitalCreationDateTime",
        "IPTC:DigitalCreationDate",
        "IFD0:ModifyDate",
    ),
    "taken_at_offset": ("ExifIFD:OffsetTimeOriginal",),
    "exposure_time": ("ExifIFD:ExposureTime", "IFD0:ExposureTime"),
    "f_number": ("ExifIFD:FNumber", "IFD0:FNumber"),
    "iso": ("ExifIFD:ISO", "IFD0:ISO"),
    "focal_length": ("ExifIFD:FocalLength", "IFD0:FocalLength"),
    "latitude": ("Composite:GPSLatitude",),
    "longitude": ("Composite:GPSLongitude",),
    "altitude": ("Composite:GPSAltitude",),
}
#: What exiftool prints where a tag is there and says nothing.
_NOTHING = {None, "", "undef", "inf", 0, "0000:00:00 00:00:00"}


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """What exiftool says of every file below the folder that it can read."""
    ran = subprocess.run([needed("exiftool"), "-n", "-j", "-G1", "-r", "-all", str(folder)], capture_output=True)
    found: list[dict[str, Any]] = json.loads(ran.stdout.decode("utf-8", "replace") or "[]", strict=False)
    return found


def _zone(time: object) -> str | None:
    """The zone at the end of a time as exiftool prints it."""
    found = re.search(r"([+-]\d\d:\d\d)$", re.sub("Z$", "+00:00", str(time)))
    return found[1] if found else None


def disagreements(facts: Facts, verdict: dict[str, Any]) -> Iterator[str]:
    """A text for each fact in which the two do not agree."""
    for fact, names in JUDGED.items():
        theirs = next((verdict[name] for name in names if verdict.get(name) not in _NOTHING), None)
        ours = getattr(facts, fact)
        if fact == "taken_at" and ours is not None:
            # XMP's and IPTC's times have their zone and fraction behind them, or are days.
            ours, theirs = ours.strftime("%Y:%m:%d %H:%M:%S"), (str(theirs) + " 00:00:00" * (len(str(theirs)) == 10))[:19]
        if fact == "taken_at_offset" and theirs is None:
            theirs = _zone(next((verdict[name] for name in JUDGED["taken_at"] if verdict.get(name) not in _NOTHING), ""))
        if isinstance(ours, int | float) and isinstance(theirs, int | float):
            if ours != pytest.approx(theirs, rel=1e-6, abs=1e-9):
                yield f"{fact} {ours} against {theirs}"
        elif (None if ours in _NOTHING else ours) != theirs:
            yield f"{fact} {ours!r} against {theirs!r}"
