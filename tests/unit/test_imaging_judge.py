"""exiftool judges the facts: over files made here, and over any folder given with `--corpus`."""

import subprocess
from pathlib import Path

import pytest

from chalicelib.errors import RepositoryError
from tests.judge import JUDGED, disagreements, verdicts
from tests.system_packages import needed
from tests.unit.examining import encoded, examined, noise
from tests.unit.test_imaging_exif import camera_exif

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")


def _judge(folder: Path) -> list[str]:
    """Print the table of agreement and return the files that disagree."""
    wrong: list[str] = []
    for verdict in verdicts(folder):
        path = Path(verdict["SourceFile"])
        try:
            facts = examined(path.read_bytes()).facts
        except RepositoryError as refusal:
            print(f"{path.name:40} refused: {refusal.message}")
            continue
        differing = list(disagreements(facts, verdict))
        known = sum(getattr(facts, fact) is not None for fact in JUDGED)
        print(f"{path.name:40} {known:2} facts  {'; '.join(differing) or 'agrees'}")
        wrong += [path.name] if differing else []
    return wrong


def test_exiftool_agrees_on_every_container(tmp_path: Path) -> None:
    for name in _FORMATS:
        (tmp_path / f"camera.{name.lower()}").write_bytes(encoded(noise("RGB", (64, 64)), name, exif=camera_exif().tobytes()))
        (tmp_path / f"bare.{name.lower()}").write_bytes(encoded(noise("RGB", (64, 64)), name))
    assert len(verdicts(tmp_path)) == 2 * len(_FORMATS)
    assert _judge(tmp_path) == []


#: What exiftool writes where, and into which formats.
_OUTSIDE_EXIF = {
    "xmp": (["XMP-exif:DateTimeOriginal=2015:05:05 11:12:13.25+02:00", "XMP-xmp:CreateDate=2016:01:02 03:04:05"], _FORMATS),
    "created": (["XMP-photoshop:DateCreated=2014:05:05 11:12:13", "XMP-xmp:ModifyDate=2020:01:01 00:00:00"], _FORMATS),
    "iptc": (["IPTC:DateCreated=2013:05:05", "IPTC:TimeCreated=11:12:13-03:30"], ("JPEG", "TIFF")),
    "digital": (["IPTC:DigitalCreationDate=2012:05:05", "EXIF:ModifyDate=2020:01:01 00:00:00"], ("JPEG", "TIFF")),
    "first": (["IFD0:DateTimeOriginal=2011:05:05 11:12:13", "XMP-exif:DateTimeOriginal=2015:05:05 11:12:13"], _FORMATS),
}


def test_exiftool_agrees_on_times_that_it_wrote_itself(tmp_path: Path) -> None:
    written: list[Path] = []
    for name, (tags, formats) in _OUTSIDE_EXIF.items():
        paths = [tmp_path / f"{name}.{file_format.lower()}" for file_format in formats]
        for path, file_format in zip(paths, formats, strict=True):
            path.write_bytes(encoded(noise("RGB", (64, 64)), file_format))
        subprocess.run([needed("exiftool"), "-q", "-overwrite_original", *(f"-{tag}" for tag in tags), *paths], check=True)
        written += paths
    assert all(examined(path.read_bytes()).facts.taken_at for path in written)
    assert len(verdicts(tmp_path)) == len(written)
    assert _judge(tmp_path) == []


def test_exiftool_agrees_over_the_corpus(request: pytest.FixtureRequest) -> None:
    corpus: Path | None = request.config.getoption("--corpus")
    if corpus is None:
        pytest.skip("no folder given with --corpus")
    assert _judge(corpus) == []
