"""Killed at any step, an upload or a delete is brought to its end by the next start, and nothing is lost or kept twice."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.catalog.records import Filters
from chalicelib.local import startup
from chalicelib.runtime import Runtime
from chalicelib.services.ingest import MAX_STRIKES
from chalicelib.storage import keys
from tests.repositories import clock_ahead, disk_at, disk_of, files_in, repository_in, sweep_ahead, take_in
from tests.unit import kill_points
from tests.unit.kill_points import DAMAGED, DEEDS, HELD, NEW, SAME_PIXELS

CHECKOUT = Path(__file__).parents[2]


def template_in(folder: Path) -> Path:
    """A repository that holds one image, with id 1, of the file `HELD`."""
    built = repository_in(folder / "template")
    assert take_in(built, HELD).status == "stored"
    return built.settings.storage


def killed(deed: str, template: Path) -> Iterator[tuple[int, Runtime]]:
    """The repository, started again, after each number of steps of the deed."""
    folder = template.parent
    copies = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", kill_points.__name__, deed, str(template), str(copies)]
    subprocess.run(command, check=True, cwd=CHECKOUT, env={**os.environ, "TMPDIR": str(folder)})
    for steps in range(len(list(copies.iterdir()))):
        yield steps, repository_in(copies / str(steps))


def start_again(repository: Runtime) -> None:
    startup.recover(repository)
    repository.queue.drain()


def assert_nothing_is_broken_or_left_over(repository: Runtime, images: int) -> None:
    """A day later, when the sweep may take what nobody names, and a start what was half written."""
    a_day = timedelta(hours=25)
    storage = repository.settings.storage
    disk_at(storage, clock_ahead(a_day))
    later = sweep_ahead(repository, a_day)
    assert later.run().problems == []
    assert later.run().problems == []
    assert len(files_in(storage)) == images * 4
    assert repository.library.count("local", Filters()) == images


def contents(repository: Runtime) -> set[bytes]:
    """The original of every image, from the store."""
    found = set()
    for image in repository.library.page("local", Filters(), "name", 200, None).images:
        with repository.store.open(keys.original(image.file.storage_id)) as reading:
            found.add(b"".join(reading.chunks()))
    return found


@pytest.mark.parametrize(
    ("deed", "status", "kept"),
    [
        ("new", "stored", {HELD, NEW}),
        ("same file", "duplicate", {HELD}),
        ("same pixels", "duplicate", {HELD}),
        ("damaged", "rejected", {HELD}),
    ],
)
def test_an_upload_killed_at_any_step_ends_as_if_nothing_had_happened(
    tmp_path: Path, deed: str, status: str, kept: set[bytes]
) -> None:
    content = DEEDS[deed][1]
    accepted = 0
    for steps, repository in killed(deed, template_in(tmp_path)):
        ticket = json.loads((repository.settings.storage / "ticket").read_text())
        start_again(repository)
        if repository.uploads.status("local", ticket["upload_id"]).status == "pending":
            assert accepted == 0, "an upload whose bytes had been accepted at an earlier step is lost"
            disk_of(repository).post(ticket["fields"].items(), content)  # as the client does, who got no answer
            repository.queue.drain()
        else:
            accepted += 1
        upload = repository.uploads.status("local", ticket["upload_id"])
        assert (steps, upload.status, upload.strikes) == (steps, status, 0)
        assert contents(repository) == kept
        assert_nothing_is_broken_or_left_over(repository, images=len(kept))
        start_again(repository)
        assert repository.uploads.status("local", ticket["upload_id"]) == upload
    assert accepted > 3


def test_a_delete_killed_at_any_step_is_whole_or_has_not_begun(tmp_path: Path) -> None:
    gone = 0
    for _, repository in killed("delete", template_in(tmp_path)):
        start_again(repository)
        held = repository.catalog.images.get("local", 1)
        assert held is None or gone == 0
        gone += held is None
        assert contents(repository) == (set() if held is None else {HELD})
        assert_nothing_is_broken_or_left_over(repository, images=0 if held is None else 1)
    assert gone > 3


def test_a_server_killed_again_and_again_while_it_decodes_a_file_never_refuses_it(tmp_path: Path) -> None:
    template = killed_while_decoding("new", template_in(tmp_path))
    for _ in range(MAX_STRIKES):
        template = killed_while_decoding("start", template)
    repository = repository_in(template)
    start_again(repository)
    assert contents(repository) == {HELD, NEW}
    assert_nothing_is_broken_or_left_over(repository, images=2)


def killed_while_decoding(deed: str, template: Path) -> Path:
    """The folder of the repository as a kill between the strike and its taking back leaves it."""
    for _, repository in killed(deed, template):
        ticket = json.loads((repository.settings.storage / "ticket").read_text())
        if repository.uploads.status("local", ticket["upload_id"]).strikes == 1:
            return repository.settings.storage
    raise AssertionError("no kill hit the decoding")


def test_the_files_of_these_tests_are_what_their_names_say() -> None:
    assert len({HELD, NEW, SAME_PIXELS, DAMAGED}) == 4
