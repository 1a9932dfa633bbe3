"""exiftool judges the facts: over files made here, and over any folder given with `--corpus`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import RepositoryError
from chalicelib.facts import Facts
from tests.unit.pictures import encoded, examined, noise
from tests.unit.test_imaging_exif import camera_exif

#: Each fact, and where exiftool has it, by group and name; the first that is there counts.
_JUDGED = {
    "camera_make": ("IFD0:Make",),
    "camera_model": ("IFD0:Model",),
    "lens_model": ("ExifIFD:LensModel",),
    "taken_at": ("ExifIFD:DateTimeOriginal", "IFD0:DateTimeOriginal", "ExifIFD:CreateDate", "IFD0:ModifyDate"),
    "taken_at_offset": ("ExifIFD:OffsetTimeOriginal",),
    "exposure_time": ("ExifIFD:ExposureTime",),
    "f_number": ("ExifIFD:FNumber",),
    "iso": ("ExifIFD:ISO",),
    "focal_length": ("ExifIFD:FocalLength",),
    "latitude": ("Composite:GPSLatitude",),
    "longitude": ("Composite:GPSLongitude",),
    "altitude": ("Composite:GPSAltitude",),
}
#: What exiftool prints where a tag is there and says nothing.
_NOTHING = {None, "", "undef", "inf", 0, "0000:00:00 00:00:00"}
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")


def _verdicts(folder: Path) -> list[dict[str, Any]]:
    assert shutil.which("exiftool"), "the judge is missing: install Debian's libimage-exiftool-perl"
    ran = subprocess.run(["exiftool", "-n", "-j", "-G1", "-r", "-all", str(folder)], capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(ran.stdout or "[]")
    return found


def _disagreements(facts: Facts, verdict: dict[str, Any]) -> Iterator[str]:
    for fact, names in _JUDGED.items():
        theirs = next((verdict[name] for name in names if verdict.get(name) not in _NOTHING), None)
        ours = getattr(facts, fact)
        if fact == "taken_at" and ours is not None:
            ours = ours.strftime("%Y:%m:%d %H:%M:%S")
        if isinstance(ours, int | float) and isinstance(theirs, int | float):
            if ours != pytest.approx(theirs, rel=1e-6, abs=1e-9):
                yield f"{fact} {ours} against {theirs}"
        elif (None if ours in _NOTHING else ours) != theirs:
            yield f"{fact} {ours!r} against {theirs!r}"


def _judge(folder: Path) -> list[str]:
    """Print the table of agreement and return the files that disagree."""
    wrong: list[str] = []
    for verdict in _verdicts(folder):
        path = Path(verdict["SourceFile"])
        try:
            facts = examined(path.read_bytes()).facts
        except RepositoryError as refusal:
            print(f"{path.name:40} refused: {refusal.message}")
            continue
        disagreements = list(_disagreements(facts, verdict))
        known = sum(getattr(facts, fact) is not None for fact in _JUDGED)
        print(f"{path.name:40} {known:2} facts  {'; '.join(disagreements) or 'agrees'}")
        wrong += [path.name] if disagreements else []
    return wrong


def test_exiftool_agrees_on_every_container(tmp_path: Path) -> None:
    for name in _FORMATS:
        (tmp_path / f"camera.{name.lower()}").write_bytes(encoded(noise("RGB", (64, 64)), name, exif=camera_exif().tobytes()))
        (tmp_path / f"bare.{name.lower()}").write_bytes(encoded(noise("RGB", (64, 64)), name))
    assert len(_verdicts(tmp_path)) == 2 * len(_FORMATS)
    assert _judge(tmp_path) == []


def test_exiftool_agrees_over_the_corpus(request: pytest.FixtureRequest) -> None:
    corpus: Path | None = request.config.getoption("--corpus")
    if corpus is None:
        pytest.skip("no folder given with --corpus")
    assert _judge(corpus) == []
