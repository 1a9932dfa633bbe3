"""The audit passes what is installed, and nothing older, unknown or unpinned."""

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from infra.audit import holes, libraries, unpinned

TABLE = tomllib.loads((Path(__file__).parent.parent.parent / "infra/decoders.toml").read_text("utf-8"))


def test_no_library_that_is_installed_has_a_published_hole() -> None:
    assert list(holes(libraries(), TABLE)) == []


@pytest.mark.parametrize("library", ["heif", "de265", "tiff", "webp", "jpeg", "avif", "dav1d"])
def test_a_library_that_is_older_is_refused_with_the_reason(library: str) -> None:
    least = TABLE["at-least"][library]
    first, *_, last = Version(least["version"]).release
    older = f"{first - 1}.99" if last == 0 else ".".join([*least["version"].split(".")[:-1], str(last - 1)])
    [sentence] = holes(libraries() | {library: older}, TABLE)
    assert sentence == f"{library} {older} is older than {least['version']}: {least['holes']}."


def test_what_nobody_has_looked_at_and_what_does_not_tell_its_age_is_refused() -> None:
    found = libraries() | {"ffmpeg": "8.0"}
    del found["heif"]
    assert [sentence.split()[0] for sentence in holes(found, TABLE)] == ["heif:", "ffmpeg"]


def test_every_requirement_is_one_release_and_so_is_what_it_needs(tmp_path: Path) -> None:
    there = {"requirements.txt": "Pillow>=3\npytest==1.0  # old\n", "requirements-local.txt": "no-such-thing==1.0\n"}
    there |= {"requirements-dev.txt": "-c constraints.txt\n-r requirements-local.txt\n", "constraints.txt": ""}
    for name, text in there.items():
        (tmp_path / name).write_text(text)
    found = [sentence.split()[0] for sentence in unpinned(tmp_path)]
    assert found[0] == "requirements.txt:"
    assert {"no-such-thing", "pillow", "pytest", "pluggy", "iniconfig"} <= set(found[1:])
