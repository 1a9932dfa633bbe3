"""Killed at any step, a sweep that gives each owner a copy of a shared file loses nobody's, and the next one finishes it."""

from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.repository import Repository
from chalicelib.storage import keys
from tests.contract.interrupted import HELD
from tests.contract.interrupting import Template, interruptions, template_of
from tests.repositories import clock_ahead, disk_at, files_in, repository_in, sweep_ahead, take_in
from tests.shared_files import share

OWNERS = ("local", "another")


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """On SQLite alone: there are many steps, and what is kept of a transaction is the same on every engine."""
    repository = repository_in(tmp_path / "template")
    for owner in OWNERS:
        assert take_in(repository, HELD, owner).status == "stored"
    share(repository)
    return template_of(repository, None)


def served(repository: Repository, owner: str, image_id: int) -> bytes:
    with repository.store.open(keys.original(repository.library.image(owner, image_id).file.storage_id)) as reading:
        return b"".join(reading.chunks())


def test_a_sweep_killed_at_any_step_of_unsharing_loses_nobodys_file(template: Template) -> None:
    unshared = set()
    for interruption in interruptions("sweep", "SIGKILL", template):
        repository = interruption.repository
        assert [served(repository, owner, number) for number, owner in enumerate(OWNERS, start=1)] == [HELD, HELD]
        unshared.add(len(OWNERS) - len(repository.catalog.inventory.sharers(0, 9)))
        days = timedelta(days=2)
        disk_at(repository.settings.storage, clock_ahead(days))
        for _ in range(2):
            assert sweep_ahead(repository, days).run().problems == []
        assert [served(repository, owner, number) for number, owner in enumerate(OWNERS, start=1)] == [HELD, HELD]
        assert repository.catalog.inventory.sharers(0, 9) == []
        assert len(files_in(repository.settings.storage)) == 2 * 4
    assert unshared == {0, 1, 2}
