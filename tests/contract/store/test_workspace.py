"""Files that are being worked on: gone with their process, and never before."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.storage.workspace import Workspace
from tests.http.server import CHECKOUT

WORKER = """
import sys
from pathlib import Path
from chalicelib.storage.workspace import Workspace

workspace = Workspace(Path(sys.argv[1]))
workspace.prepare()
(workspace.folder / "half a file").write_bytes(b"half")
print(workspace.folder, flush=True)
sys.stdin.read()
"""


@contextmanager
def worker(shared: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process with a file that it works on."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(shared)], stdin=pipe, stdout=pipe, text=True, cwd=CHECKOUT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def folder_of(process: "subprocess.Popen[str]") -> Path:
    assert process.stdout
    return Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_at_the_next_start_and_nobody_elses(tmp_path: Path) -> None:
    with worker(tmp_path) as one, worker(tmp_path) as other:
        left, kept = folder_of(one), folder_of(other)
        one.send_signal(signal.SIGKILL)
        one.wait()
        Workspace(tmp_path).prepare()
        assert not left.exists()
        assert (kept / "half a file").exists()
        os.utime(kept, (0, 0))
        Workspace(tmp_path).prepare()
        assert (kept / "half a file").exists()


def test_any_number_of_kills_leaves_no_more_than_one(tmp_path: Path) -> None:
    for _ in range(3):
        with worker(tmp_path) as process:
            folder_of(process)
    assert len(list(tmp_path.iterdir())) == 1
    Workspace(tmp_path).prepare()
    assert list(tmp_path.iterdir()) == []


def test_two_of_one_process_spare_each_other(tmp_path: Path) -> None:
    first, second = Workspace(tmp_path), Workspace(tmp_path)
    folders = [first.folder, second.folder]
    second.prepare()
    assert sorted(tmp_path.iterdir()) == sorted(folders)
    del first
    second.prepare()
    assert list(tmp_path.iterdir()) == [second.folder]


def test_one_that_somebody_has_removed_is_made_anew(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.folder.rmdir()
    assert workspace.folder.is_dir()
    Workspace(tmp_path).prepare()
    assert list(tmp_path.iterdir()) == [workspace.folder]


def test_what_the_releases_before_left_there_goes_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leftover = tmp_path / "half a file"
    leftover.write_bytes(b"half")
    Workspace(tmp_path).prepare()
    assert leftover.exists()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    Workspace(tmp_path).prepare()
    assert not leftover.exists()
