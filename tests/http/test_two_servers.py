"""Two servers on one folder: one keeps it in order, and when it ends the other does."""

import os
import signal
import stat
from pathlib import Path

from tests import pictures
from tests.http.server import running
from tests.http.waiting import wait_until


def test_the_second_takes_over_what_the_first_had_in_hand(tmp_path: Path) -> None:
    with running(tmp_path, {"DECODE_PROCESSES": "1"}) as first, running(tmp_path) as second:
        assert any("another server uses this folder" in line for line in second.log)
        assert first.api.upload(pictures.png(0)).status == 201
        for pid in first.children():
            os.kill(pid, signal.SIGSTOP)  # whatever is being decoded stays so
        tickets = [first.api.ask_for(pictures.png(seed)) for seed in range(1, 5)]
        for seed, ticket in enumerate(tickets, 1):
            assert first.api.post_ticket(ticket, pictures.png(seed)).status == 204
        wait_until(lambda: "processing" in {first.api.status(ticket["upload_id"])["status"] for ticket in tickets})
        first.kill()
        wait_until(lambda: {second.api.status(ticket["upload_id"])["status"] for ticket in tickets} == {"stored"})
        wait_until(lambda: any("the other server has ended" in line for line in second.log))
        with running(tmp_path) as third:
            assert any("another server uses this folder" in line for line in third.log)


def test_a_shared_folder_is_left_as_it_is_and_told_of_once(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2775)
    with running(folder) as server:
        assert server.api.upload(pictures.png(0)).status == 201
        told = [line for line in server.log if "other users" in line]
        assert len(told) == 1
        assert f"(mode 2775): chmod 700 {folder}" in told[0]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o2775
        assert_private(folder)


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    with running(tmp_path / "new") as server:
        assert server.api.upload(pictures.png(0)).status == 201
        assert not any("other users" in line for line in server.log)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        assert_private(tmp_path / "new")


def assert_private(folder: Path) -> None:
    """Nobody else can read a file, or look into a folder, that the server has made."""
    open_to_others = {path.relative_to(folder) for path in folder.rglob("*") if path.stat().st_mode & 0o077}
    assert open_to_others == set()
