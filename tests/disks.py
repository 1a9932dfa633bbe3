"""Disks that are really full: a file system of the test's own in memory."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_PIECES = (1 << 20, 4096, 1)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """`folder`, made as a disk of this size; the test is skipped where none can be mounted, as for users without rights."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700"]
    mounted = subprocess.run(["mount", *options, "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Take every byte that is left on the folder's disk, as another program does, and return the file that has them."""
    ballast = folder / "ballast"
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for size in _PIECES:
        with suppress(OSError):
            while os.write(descriptor, bytes(size)) == size:
                pass
    os.close(descriptor)
    assert os.statvfs(folder).f_bavail == 0
    return ballast
