"""Deleting images, and what the sweep finds and finishes, on every engine."""

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import image_tags, images, known_files, originals, uploads
from chalicelib.model.records import Checkpoint
from tests.contract.making import NOW, admitted, digest, entry, leased, pending


def test_the_last_entry_takes_its_file_with_it(catalog: Catalog) -> None:
    image_id = admitted(catalog, "file").image_id
    admitted(catalog, "re-saved", entry("file"))
    image = catalog.images.get("local", image_id)
    assert image is not None
    deletion = catalog.images.delete("local", image_id)
    assert deletion is not None
    assert deletion.tombstone is not None
    assert deletion.tombstone.file == image.file
    assert catalog.images.get("local", image_id) is None
    assert catalog.images.known("local", [digest("file"), digest("re-saved")]) == {}
    assert catalog.inventory.live_originals("", 9) == []
    assert catalog.inventory.tombstones(0, 9) == [deletion.tombstone]
    assert catalog.inventory.named_storage_ids([image.file.storage_id, "none"]) == {image.file.storage_id}
    assert catalog.inventory.violations() == []
    catalog.images.forget_tombstone(deletion.tombstone.original_id)
    assert catalog.inventory.tombstones(0, 9) == []
    assert catalog.inventory.named_storage_ids([image.file.storage_id]) == set()


def test_a_delete_takes_nothing_of_another_owners_equal_file(catalog: Catalog) -> None:
    ann, bob = (admitted(catalog, "file", owner=owner).image_id for owner in ("ann", "bob"))
    [anns, bobs] = catalog.inventory.live_originals("", 9)
    deletion = catalog.images.delete("ann", ann)
    assert deletion is not None
    assert deletion.tombstone is not None
    assert deletion.tombstone.file == anns.file
    assert catalog.inventory.live_originals("", 9) == [bobs]
    assert (catalog.inventory.still_live(anns), catalog.inventory.still_live(bobs)) == (False, True)
    catalog.images.forget_tombstone(bobs.id)
    assert catalog.images.get("bob", bob) is not None
    assert catalog.inventory.violations() == []


def test_only_the_owner_deletes_and_only_once(catalog: Catalog) -> None:
    image_id = admitted(catalog, "file", owner="ann").image_id
    assert catalog.images.delete("bob", image_id) is None
    assert catalog.images.delete("ann", image_id) is not None
    assert catalog.images.delete("ann", image_id) is None


@pytest.mark.parametrize("image_id", [0, -1, 2**31, 2**63 - 1, 2**63, 10**40, -(10**40)])
def test_an_id_that_is_nobodys_is_no_error(catalog: Catalog, image_id: int) -> None:
    assert catalog.images.get("local", image_id) is None
    assert catalog.images.delete("local", image_id) is None


def test_a_file_that_comes_back_after_its_delete_is_a_new_original_and_a_new_id(catalog: Catalog) -> None:
    first = admitted(catalog, "file").image_id
    catalog.images.delete("local", first)
    second = admitted(catalog, "file")
    assert (second.status, second.adopted) == ("stored", True)
    assert second.image_id > first
    [tombstone] = catalog.inventory.tombstones(0, 9)
    [live] = catalog.inventory.live_originals("", 9)
    assert tombstone.file.storage_id != live.file.storage_id
    catalog.images.delete("local", second.image_id)
    assert len(catalog.inventory.tombstones(0, 9)) == 2


def test_the_id_of_a_deleted_image_is_not_given_again(catalog: Catalog, database: Database) -> None:
    first = admitted(catalog, "file").image_id
    catalog.images.delete("local", first)
    database.dispose()
    assert admitted(catalog, "other").image_id > first


def test_originals_come_in_slices(catalog: Catalog) -> None:
    ids = [admitted(catalog, f"file {number}").image_id for number in range(5)]
    first = catalog.inventory.live_originals("", 3)
    rest = catalog.inventory.live_originals(first[-1].file.storage_id, 3)
    assert [original.sha256 for original in first + rest] == [digest(f"file {number}") for number in range(5)]
    storage_ids = [original.file.storage_id for original in first + rest]
    assert storage_ids == sorted(storage_ids)
    for image_id in ids[:3]:
        catalog.images.delete("local", image_id)
    tombstone = catalog.inventory.tombstones(0, 2)
    assert len(tombstone) == 2
    assert len(catalog.inventory.tombstones(tombstone[-1].original_id, 2)) == 1


def test_live_originals_without_an_image_become_tombstones(catalog: Catalog, database: Database) -> None:
    kept = admitted(catalog, "kept").image_id
    for number in range(3):
        _strip(database, admitted(catalog, f"file {number}").image_id)
    catalog.inventory.recount("local")
    assert any("Live originals without an image: 3" in sentence for sentence in catalog.inventory.violations())
    named = catalog.inventory.tombstone_unreferenced(9, dry_run=True)
    assert len(named) == 3
    assert catalog.inventory.tombstones(0, 9) == []
    assert catalog.inventory.tombstone_unreferenced(2, dry_run=False) == named[:2]
    assert catalog.inventory.tombstone_unreferenced(9, dry_run=False) == named[2:]
    assert catalog.inventory.tombstone_unreferenced(9, dry_run=False) == []
    assert catalog.inventory.tombstones(0, 9) == named
    assert catalog.images.get("local", kept) is not None
    assert catalog.inventory.violations() == []


def test_each_broken_invariant_is_named(catalog: Catalog, database: Database) -> None:
    ids = [admitted(catalog, f"file {number}").image_id for number in range(4)]
    ended, busy, rejected = leased(catalog), leased(catalog), leased(catalog)
    assert catalog.inventory.violations() == []

    def breaking(connection: Connection) -> None:
        connection.execute(update(originals).where(originals.c.sha256 == digest("file 1")).values(live=None))
        connection.execute(delete(known_files).where(known_files.c.image_id == ids[2]))
        connection.execute(delete(image_tags).where(image_tags.c.image_id == ids[3]))
        connection.execute(insert(known_files).values(owner="other", sha256=digest("x"), image_id=ids[0]))
        connection.execute(update(originals).where(originals.c.sha256 == digest("file 3")).values(owner="other"))
        shared = select(originals.c.id).where(originals.c.sha256 == digest("file 3")).scalar_subquery()
        connection.execute(update(images).where(images.c.id == ids[2]).values(original_id=shared))
        connection.execute(update(uploads).where(uploads.c.id == ended.id).values(status="stored"))
        connection.execute(update(uploads).where(uploads.c.id == busy.id).values(attempt=0))
        connection.execute(update(uploads).where(uploads.c.id == rejected.id).values(status="rejected", ended_at=NOW))

    database.write(breaking)
    assert [sentence.partition(":")[0] for sentence in catalog.inventory.violations()] == [
        "Images without a live original",
        "Live originals without an image",
        "Images whose own file is not among their owner's known files",
        "Known files that lead to no image of their owner",
        "Images whose file is not their owner's",
        "Files with several images",
        "Images without a row for their tags",
        "Ended uploads without an end time, or open ones with one",
        "Uploads stored or duplicate without an image, or others with one",
        "Uploads in processing without a lease",
        "Rejected uploads without a reason",
        "Owners whose counters are not what their rows say",
    ]


def test_the_database_itself_keeps_images_from_losing_their_original(catalog: Catalog, database: Database) -> None:
    image_id = admitted(catalog, "file").image_id
    pending(catalog)
    with pytest.raises(IntegrityError):
        database.write(lambda connection: connection.execute(delete(originals)))
    with pytest.raises(IntegrityError):
        database.write(lambda connection: connection.execute(delete(images)))
    assert catalog.images.get("local", image_id) is not None


def _strip(database: Database, image_id: int) -> None:
    """Remove an image as no command of ours does, leaving its original live."""

    def transaction(connection: Connection) -> None:
        for table in (known_files, image_tags):
            connection.execute(delete(table).where(table.c.image_id == image_id))
        connection.execute(delete(images).where(images.c.id == image_id))

    database.write(transaction)


def test_the_place_of_a_sweep_is_given_back_once(catalog: Catalog) -> None:
    inventory = catalog.inventory
    assert inventory.take_checkpoint() is None
    inventory.keep_checkpoint(Checkpoint("originals", "originals/" + "0" * 36 + "-1"))
    inventory.keep_checkpoint(Checkpoint("tombstones", "7"))
    assert inventory.take_checkpoint() == Checkpoint("tombstones", "7")
    assert inventory.take_checkpoint() is None
