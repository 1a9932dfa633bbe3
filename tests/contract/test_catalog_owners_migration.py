"""The catalog of the release before, filled and with files shared between owners, goes on working: nothing is lost by it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, delete, func, select, text, update

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate, revert
from chalicelib.catalog.tables import images, originals, owners, uploads
from chalicelib.model.records import Sharer, StoredFile
from tests.contract.earlier import AT, OWNERS, REVISION, EarlierCatalog, digest, filled_catalog
from tests.contract.making import admitted, listed


@pytest.fixture
def earlier(empty_url: URL) -> EarlierCatalog:
    return filled_catalog(empty_url)


@pytest.fixture
def database(empty_url: URL, earlier: EarlierCatalog) -> Iterator[Database]:  # noqa: ARG001 (it is what is migrated)
    database = Database(empty_url)
    migrate(database)
    yield database
    database.dispose()


@pytest.fixture
def catalog(database: Database) -> Catalog:
    return Catalog(database)


def test_what_one_owner_has_is_that_owners_and_what_several_share_waits_for_copies(
    catalog: Catalog, database: Database
) -> None:
    rows = database.read(lambda connection: connection.execute(select(originals.c.id, originals.c.owner)).all())
    assert {row.id: row.owner for row in rows} == {1: "", 2: "ann", 3: "ann", 4: "", 5: "bob"}
    assert [sharer.image_id for sharer in catalog.inventory.sharers(0, 2)] == [1, 2]
    assert [sharer.image_id for sharer in catalog.inventory.sharers(2, 2)] == [3]
    assert [sentence.partition(":")[0] for sentence in catalog.inventory.violations()] == [
        "Images whose file is not their owner's",
        "Files with several images",
    ]
    assert [len(listed(catalog, owner=owner)) for owner in OWNERS] == [3, 2, 1]
    counters = database.read(lambda connection: connection.execute(select(owners)).all())
    assert {tuple(row) for row in counters} == {
        ("ann", 3, 6, 0, 0),
        ("bob", 2, 6, 2, 2001),
        ("cid", 1, 1, 0, 0),
        ("dan", 0, 0, 1, 7),
    }


def test_only_the_file_that_is_stored_is_still_known_and_what_was_merged_away_is_taken_again(catalog: Catalog) -> None:
    for owner, image_id in zip(OWNERS, (1, 2, 3), strict=True):
        files = {digest("shared"), digest(f"merged away from {owner}")}
        assert catalog.images.known(owner, files) == {digest("shared"): image_id}
    assert catalog.images.known("ann", [digest("a"), digest("b"), digest("merged away too")]) == {
        digest("a"): 4,
        digest("b"): 5,
    }
    for owner, file in (("ann", "merged away from ann"), ("dan", "a"), ("dan", "shared")):
        taken = admitted(catalog, file, owner=owner)
        assert (taken.status, taken.adopted) == ("stored", True)


def unshare(catalog: Catalog, sharer: Sharer, storage_id: str) -> bool:
    file = sharer.original.file
    own = StoredFile(storage_id, file.byte_size, file.format, file.content_type, file.thumbnail_extension)
    return catalog.inventory.unshare(sharer, own, lambda: True)


def test_each_sharer_gets_a_row_and_the_last_one_leaves_a_tombstone_of_the_shared_file(catalog: Catalog) -> None:
    sharers = catalog.inventory.sharers(0, 9)
    shared = sharers[0].original.file.storage_id
    for number, sharer in enumerate(sharers):
        assert shared not in {tombstone.file.storage_id for tombstone in catalog.inventory.tombstones(0, 9)}
        assert unshare(catalog, sharer, str(number) * 32)
        assert not unshare(catalog, sharer, "f" * 32), "an image has one file"
    assert shared in {tombstone.file.storage_id for tombstone in catalog.inventory.tombstones(0, 9)}
    assert catalog.inventory.violations() == []
    assert catalog.inventory.sharers(0, 9) == []
    for number, owner in enumerate(OWNERS):
        image = catalog.images.get(owner, number + 1)
        assert image is not None
        assert (image.file.storage_id, image.sha256) == (str(number) * 32, digest("shared"))


def test_a_shared_file_lives_until_its_last_owner_has_deleted_it_or_has_a_copy(catalog: Catalog) -> None:
    ann, bob, cid = catalog.inventory.sharers(0, 9)
    assert not catalog.inventory.unshare(ann, ann.original.file, lambda: False), "the copy may have been swept meanwhile"
    first = catalog.images.delete("ann", ann.image_id)
    assert first is not None
    assert first.tombstone is None
    assert not unshare(catalog, ann, "a" * 32), "its image has gone"
    assert unshare(catalog, bob, "b" * 32)
    last = catalog.images.delete("cid", cid.image_id)
    assert last is not None
    assert last.tombstone is not None
    assert last.tombstone.file == ann.original.file
    assert catalog.images.get("bob", bob.image_id) is not None
    assert catalog.inventory.violations() == []


def test_an_image_that_the_release_before_adds_to_an_owners_file_meanwhile_gets_a_copy_too(
    catalog: Catalog, database: Database
) -> None:
    """For a moment both releases run: the one before still finds a live original by its digest, and counts nothing."""
    database.write(lambda connection: connection.execute(update(images).where(images.c.id == 6).values(original_id=2)))
    database.write(lambda connection: connection.execute(delete(owners).where(owners.c.owner == "bob")))
    assert [(sharer.image_id, sharer.original.id) for sharer in catalog.inventory.sharers(3, 9)] == [(6, 2)]
    assert catalog.inventory.miscounted("", 9) == ["bob"]
    assert catalog.inventory.miscounted("bob", 9) == []
    catalog.inventory.recount("bob")
    assert catalog.inventory.miscounted("", 9) == []


def test_a_migration_that_was_cut_off_goes_on(database: Database) -> None:
    """As on MySQL, where each change of a table is kept at once: everything was done but the last word."""
    if database.engine.dialect.name == "sqlite":
        pytest.skip("on SQLite a migration is one transaction")
    counted = select(owners).order_by(owners.c.owner)
    before = database.read(lambda connection: connection.execute(counted).all())
    database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0003'")))
    migrate(database)
    assert database.read(lambda connection: connection.execute(counted).all()) == before
    assert len(Catalog(database).inventory.sharers(0, 9)) == 3


def test_back_at_the_tables_before_each_file_is_live_once_and_every_image_has_it(catalog: Catalog, database: Database) -> None:
    for number, sharer in enumerate(catalog.inventory.sharers(0, 9)):
        assert unshare(catalog, sharer, str(number) * 32)
    admitted(catalog, "a", owner="cid")
    revert(database, REVISION)

    def count(where: str) -> int:
        query = text(f"SELECT COUNT(*) FROM images JOIN originals ON originals.id = original_id WHERE {where}")  # noqa: S608
        return database.read(lambda connection: int(connection.scalar(query) or 0))

    assert count("live IS NULL") == 0
    assert count("live = 1") == database.read(lambda connection: connection.scalar(select(func.count(images.c.id))))
    migrate(database)
    assert Catalog(database).inventory.miscounted("", 9) == []


def test_many_rows_are_migrated_in_pieces(empty_url: URL) -> None:
    """More of each than one piece holds, with gaps between their ids."""
    filled = EarlierCatalog(empty_url)
    filled.original(1, "first")
    filled.image(1, "ann", 1, "first")
    numbers = range(10, 36_010, 3)
    values = {"format": "PNG", "content_type": "image/png", "thumbnail_extension": "jpg", "live": 1, "byte_size": 2}
    filled.insert_many(
        "originals", [{"id": n, "sha256": digest(str(n)), "storage_id": f"e{n:035}-1", **values} for n in numbers]
    )
    image = {"name": "a", "name_key": b"a", "format_key": b"png", "width": 1, "height": 1, "mode": "RGB", "frames": 1}
    image |= {"located": 0, "pixel_sha512": bytes(64), "uploaded_at": AT, "sort_time": AT, "byte_size": 2}
    filled.insert_many(
        "images",
        [{"id": n, "owner": f"owner {n % 7}", "identity": digest(str(n)), "original_id": n, **image} for n in numbers],
    )
    known = [{"owner": f"owner {n % 7}", "image_id": n} for n in numbers]
    filled.insert_many("known_files", [{"sha256": digest(str(row["image_id"])), **row} for row in known])
    filled.insert_many("known_files", [{"sha256": digest(f"other {row['image_id']}"), **row} for row in known])
    filled.insert_many("image_tags", [{"image_id": n, "exif": "{}"} for n in numbers])
    database = Database(empty_url)
    migrate(database)
    catalog = Catalog(database)
    assert catalog.inventory.violations() == []
    assert catalog.inventory.sharers(0, 9) == []
    n = numbers[-1]
    assert catalog.images.known(f"owner {n % 7}", [digest(str(n)), digest(f"other {n}")]) == {digest(str(n)): n}
    assert database.read(lambda connection: connection.scalar(select(func.count(uploads.c.id)))) == 0
    database.dispose()
