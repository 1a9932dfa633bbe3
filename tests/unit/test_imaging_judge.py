"""exiftool judges the facts: over files made here, and over any folder given with `--corpus`."""

from pathlib import Path

import pytest

from chalicelib.errors import RepositoryError
from tests.judge import JUDGED, disagreements, verdicts
from tests.unit.pictures import encoded, examined, noise
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


def test_exiftool_agrees_over_the_corpus(request: pytest.FixtureRequest) -> None:
    corpus: Path | None = request.config.getoption("--corpus")
    if corpus is None:
        pytest.skip("no folder given with --corpus")
    assert _judge(corpus) == []
