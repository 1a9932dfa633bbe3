"""What the release before stored once for several owners: the sweep gives each a copy, whole, and then the shared one goes."""

from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.repository import Repository
from chalicelib.storage import keys
from tests import pictures
from tests.repositories import files_in, repository_in, sweep_ahead, take_in
from tests.shared_files import EARLIER, share

CONTENT = pictures.png(1, 600, 300)
OWNERS = ("ann", "bob", "cid")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Three owners whose images 1, 2 and 3 are one file, stored under a key of the release before."""
    repository = repository_in(tmp_path / "repository")
    for owner in OWNERS:
        assert take_in(repository, CONTENT, owner).status == "stored"
    share(repository)
    return repository


def served(repository: Repository, owner: str, image_id: int) -> tuple[str, bytes, list[bytes], list[str]]:
    """The storage id, the original's bytes, the thumbnails', and the ETags of all."""
    image = repository.library.image(owner, image_id)
    contents, etags = [], []
    for key in keys.all_of(image.file.storage_id, THUMBNAIL_SIZES, image.file.thumbnail_extension):
        with repository.store.open(key) as reading:
            contents.append(b"".join(reading.chunks()))
            etags.append(reading.etag)
    return image.file.storage_id, contents[0], contents[1:], etags


def test_a_shared_file_is_served_to_each_as_before_until_each_has_a_copy_that_shows_nothing_of_the_others(
    repository: Repository,
) -> None:
    before = [served(repository, owner, number) for number, owner in enumerate(OWNERS, start=1)]
    assert {shown[0] for shown in before} == {EARLIER}
    announced = repository.sweep.run(dry_run=True)
    assert announced.done == {"files shared between owners copied": 3}
    report = repository.sweep.run()
    assert report.done == {"files shared between owners copied": 3, "tombstones cleared": 1}
    assert report.problems == []
    after = [served(repository, owner, number) for number, owner in enumerate(OWNERS, start=1)]
    assert [shown[1:3] for shown in after] == [shown[1:3] for shown in before]
    assert len({shown[0] for shown in after} | {EARLIER}) == 4
    assert len({etag for shown in after for etag in shown[3]}) == 12, "nobody can tell by an ETag that files are linked"
    assert len(files_in(repository.settings.storage)) == 12
    assert sweep_ahead(repository, timedelta(days=2)).run().done == {}
    assert len(files_in(repository.settings.storage)) == 12


def test_what_one_owner_deletes_meanwhile_is_still_the_others(repository: Repository) -> None:
    repository.library.delete("bob", 2)
    assert served(repository, "ann", 1)[1] == CONTENT
    assert repository.sweep.run().done["files shared between owners copied"] == 2
    repository.library.delete("ann", 1)
    assert served(repository, "cid", 3)[1] == CONTENT
    assert len(files_in(repository.settings.storage)) == 4


def test_a_thumbnail_that_is_missing_is_made_again_for_each(repository: Repository) -> None:
    before = served(repository, "ann", 1)
    repository.store.delete([keys.thumbnail(EARLIER, 512, "jpg")])
    report = repository.sweep.run()
    assert (report.done["sets of thumbnails made"], report.problems) == (3, [])
    assert [served(repository, owner, number)[1:3] for number, owner in enumerate(OWNERS, start=1)] == [before[1:3]] * 3


def test_a_shared_file_that_is_lost_is_reported_and_nothing_is_changed(repository: Repository) -> None:
    repository.store.delete([keys.original(EARLIER)])
    report = repository.sweep.run()
    assert [problem for problem in report.problems if EARLIER in problem] == [
        f"The original {EARLIER} has a live row but no object."
    ]
    assert len(files_in(repository.settings.storage)) == 3
    assert [repository.library.image(owner, number).file.storage_id for number, owner in enumerate(OWNERS, start=1)] == [
        EARLIER
    ] * 3
