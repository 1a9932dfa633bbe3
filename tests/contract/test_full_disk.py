"""A disk that is full to its last byte: the catalog on it says so, and can be emptied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import migrate
from chalicelib.errors import DISK_FULL, UnavailableError
from tests.contract.making import admitted, pending
from tests.disks import fill, small_disk

MEGABYTES = 24
IMAGES = 150


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        yield disk


def catalog_on(disk: Path) -> Catalog:
    database = Database(sqlite_url(disk / "catalog.sqlite3"))
    migrate(database)
    return Catalog(database)


def fill_by_writing(catalog: Catalog, disk: Path) -> None:
    """Fill the disk, then write until the catalog refuses: whatever is left in its log is used up too."""
    fill(disk)
    with pytest.raises(UnavailableError, match=DISK_FULL):
        write_for_ever(catalog)
    fill(disk)


def write_for_ever(catalog: Catalog) -> None:
    while True:
        pending(catalog)


def test_every_image_can_be_deleted_and_then_there_is_room_again(disk: Path) -> None:
    catalog = catalog_on(disk)
    held = [admitted(catalog, f"file {number}").image_id for number in range(IMAGES)]
    fill_by_writing(catalog, disk)
    for image_id in held[: IMAGES // 2]:
        deletion = catalog.images.delete("local", image_id)
        assert deletion
        assert deletion.tombstone
        catalog.images.forget_tombstone(deletion.tombstone.original_id)
    with pytest.raises(UnavailableError, match=DISK_FULL):
        pending(catalog)
    catalog = catalog_on(disk)  # as after a new start
    for image_id in held[IMAGES // 2 :]:
        assert catalog.images.get("local", image_id)
        assert catalog.images.delete("local", image_id)
    (disk / "ballast").unlink()
    catalog.check()
    assert admitted(catalog, "after").status == "stored"
    fill_by_writing(catalog, disk)
    assert catalog.images.delete("local", admitted_id(catalog))
    assert catalog.inventory.violations() == []


def admitted_id(catalog: Catalog) -> int:
    (image_id,) = (image_id for image_id in range(IMAGES + 10) if catalog.images.get("local", image_id))
    return image_id


def test_a_catalog_that_was_made_before_there_was_a_reserve_is_read_on_a_full_disk(disk: Path) -> None:
    before = catalog_on(disk)  # stays open, as a killed server leaves it: closed, SQLite would need room to open it again
    held = admitted(before, "file").image_id
    (disk / "catalog.sqlite3-reserve").unlink()
    fill(disk)
    catalog = catalog_on(disk)
    assert catalog.images.get("local", held)
    with pytest.raises(UnavailableError, match=DISK_FULL):
        pending(catalog)
