"""Where a system package is missing and cannot be installed, tests are skipped and say what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def told_without_programs(empty: Path, *arguments: str) -> str:
    """What a module prints where no program of Debian's is found, nor one that installs."""
    environment = {**os.environ, "PATH": str(empty)}
    done = subprocess.run([sys.executable, "-m", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_cannot_be_installed_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    [line] = told_without_programs(tmp_path, "tests.system_packages").splitlines()
    assert "will be skipped; on Debian: sudo apt-get install " in line
    assert "libimage-exiftool-perl" in line


def test_a_test_that_needs_it_is_skipped_and_says_so(tmp_path: Path) -> None:
    told = told_without_programs(tmp_path, "pytest", "-n", "0", "tests/unit/test_imaging_judge.py")
    assert "SKIPPED" in told
    assert "missing here; on Debian: sudo apt-get install libimage-exiftool-perl" in told


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install libatomic1 libimage-exiftool-perl"),
        ("dnf", "sudo dnf install libatomic perl-Image-ExifTool"),
        ("brew", "brew install exiftool; libatomic.so.1: brew has none"),
    ],
)
def test_the_line_is_that_of_the_system_that_this_is(tmp_path: Path, manager: str, line: str) -> None:
    (tmp_path / manager).write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / manager).chmod(0o755)
    code = "from tests.system_packages import how_to_install; print(how_to_install(['exiftool', 'libatomic.so.1']))"
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{line}\n"
