"""Many at once, in processes and threads: the invariants hold at the end, and no conflict reaches anyone."""

import multiprocessing
import threading
from collections import Counter
from datetime import timedelta
from multiprocessing.synchronize import Event
from typing import Any

import pytest
from sqlalchemy import URL, func, select

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import images, originals, uploads
from chalicelib.model.records import Admitted, Filters, NoLease, Overtaken, Upload
from tests.contract.making import LATER, NOW, admission, admitted, asked, digest, entry, leased

OWNERS = ("ann", "bob")
PROCESSES, UPLOADS = 8, 200
#: Few pictures, each in two files, so that nearly every upload meets another of the same.
PICTURES = 6


def test_processes_that_ingest_delete_and_sweep_the_same_pictures_keep_every_invariant(database: Database, url: URL) -> None:
    catalog = Catalog(database)
    new = [asked(owner=OWNERS[number % 2]) for number in range(UPLOADS)]
    catalog.uploads.add(new)
    spawn = multiprocessing.get_context("spawn")
    plain_url, ids, done = url.render_as_string(hide_password=False), [upload.id for upload in new], spawn.Event()
    ingesting = [
        spawn.Process(target=_ingest_all, args=(plain_url, ids[share:] + ids[:share])) for share in range(PROCESSES - 1)
    ]
    sweeping = spawn.Process(target=_delete_and_sweep, args=(plain_url, done))
    for process in [*ingesting, sweeping]:
        process.start()
    for process in ingesting:
        process.join()
    done.set()
    sweeping.join()
    assert [process.exitcode for process in [*ingesting, sweeping]] == [0] * PROCESSES
    assert catalog.inventory.violations() == []
    statuses = database.read(lambda connection: Counter(connection.scalars(select(uploads.c.status))))
    assert set(statuses) <= {"stored", "duplicate"}
    assert statuses.total() == UPLOADS
    assert database.read(lambda connection: connection.scalar(select(func.max(uploads.c.attempt)))) == 1


def _ingest_all(url: str, ids: list[str]) -> None:
    """Take in every upload that nobody else has leased."""
    database = Database(url)
    catalog = Catalog(database)
    for upload_id in ids:
        upload = catalog.uploads.lease(upload_id, NOW, NOW - timedelta(minutes=1))
        if isinstance(upload, Upload):
            _ingest(catalog, upload)
    database.dispose()


def _ingest(catalog: Catalog, upload: Upload) -> Admitted:
    number = int(upload.id)
    picture, file = f"picture {number // 2 % PICTURES}", f"picture {number // 2 % PICTURES} in file {number // 20 % 2}"
    while True:
        known = catalog.images.known(upload.owner, [digest(file)])
        counted_on = catalog.images.holds(upload.owner, entry(picture).identity)
        attempt = admission(upload, file, None if known else entry(picture), written=not known and not counted_on)
        try:
            return catalog.images.admit(attempt, NOW)
        except Overtaken:
            continue


def _delete_and_sweep(url: str, done: Event) -> None:
    database = Database(url)
    catalog = Catalog(database)
    while not done.is_set():
        for owner in OWNERS:
            for image in catalog.images.page(owner, Filters(), "name", 2, None).images:
                deletion = catalog.images.delete(owner, image.id)
                if deletion is not None and deletion.tombstone is not None and image.id % 2:
                    catalog.images.forget_tombstone(deletion.tombstone.original_id)
        for tombstone in catalog.inventory.tombstones(0, 10):
            catalog.images.forget_tombstone(tombstone.original_id)
        assert catalog.inventory.tombstone_unreferenced(10, dry_run=False) == []
    database.dispose()


def test_of_sixteen_equal_files_at_once_one_is_stored(catalog: Catalog, database: Database) -> None:
    waiting = [leased(catalog, owner="ann") for _ in range(16)]
    results = _at_once([lambda each=each: catalog.images.admit(admission(each, "f", entry("p")), NOW) for each in waiting])
    assert Counter(result.status for result in results) == {"stored": 1, "duplicate": 15}
    assert {result.image_id for result in results if result} == {results[0].image_id}
    assert sum(result.adopted for result in results) == 1
    _assert_counts(database, stored_images=1, stored_originals=1)


def test_of_sixteen_files_of_one_picture_at_once_one_is_stored(catalog: Catalog, database: Database) -> None:
    waiting = list(enumerate(leased(catalog, owner="ann") for _ in range(16)))
    results = _at_once(
        [lambda n=n, each=each: catalog.images.admit(admission(each, f"f {n}", entry("p")), NOW) for n, each in waiting]
    )
    assert Counter(result.match for result in results) == {None: 1, "pixels": 15}
    assert len(catalog.images.known("ann", [digest(f"f {n}") for n, _ in waiting])) == 16
    _assert_counts(database, stored_images=1, stored_originals=1)


def test_of_sixteen_owners_with_one_file_each_has_an_entry_and_a_file(catalog: Catalog, database: Database) -> None:
    waiting = [leased(catalog, owner=f"owner {number}") for number in range(16)]
    results = _at_once([lambda each=each: catalog.images.admit(admission(each, "f", entry("p")), NOW) for each in waiting])
    assert {result.status for result in results} == {"stored"}
    assert sum(result.adopted for result in results) == 16
    _assert_counts(database, stored_images=16, stored_originals=16)


def test_of_sixteen_who_lease_one_upload_one_gets_it(catalog: Catalog) -> None:
    upload = leased(catalog)
    results = _at_once([lambda: catalog.uploads.lease(upload.id, LATER, LATER - timedelta(seconds=1))] * 16)
    assert Counter(isinstance(result, Upload) for result in results) == {True: 1, False: 15}
    assert {result for result in results if not isinstance(result, Upload)} == {NoLease.BUSY}


def test_of_sixteen_who_delete_one_image_one_is_told_of_the_file(catalog: Catalog) -> None:
    image_id = admitted(catalog, "file").image_id
    results = _at_once([lambda: catalog.images.delete("local", image_id)] * 16)
    assert sum(result is not None for result in results) == 1


@pytest.mark.parametrize("number", range(8))
def test_a_file_that_comes_while_its_entry_is_deleted_is_a_duplicate_or_stored_or_told_to_begin_again(
    catalog: Catalog, number: int
) -> None:
    first = admitted(catalog, "file", entry("picture"))
    upload = leased(catalog)
    # Counting on the entry by the file, by its pixels, or not at all.
    picture, file = (None, "file") if number % 3 == 0 else (entry("picture"), "file" if number % 2 else "re-saved")
    attempt = admission(upload, file, picture, written=number % 3 == 2)

    def admit() -> str:
        try:
            return catalog.images.admit(attempt, NOW).status
        except Overtaken:
            return "overtaken"

    deletion, outcome = _at_once([lambda: catalog.images.delete("local", first.image_id), admit])
    assert deletion is not None
    assert catalog.inventory.violations() == []
    live = catalog.inventory.live_originals("", 9)
    assert len(live) == (outcome == "stored")
    assert outcome != "overtaken" or not attempt.written


def _at_once(work: list[Any]) -> list[Any]:
    """Run all, each in a thread of its own that waits for the others, and return what they returned."""
    results: dict[int, Any] = {}
    start = threading.Barrier(len(work))

    def run(number: int) -> None:
        start.wait()
        results[number] = work[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(work))]


def _assert_counts(database: Database, stored_images: int, stored_originals: int) -> None:
    def counts(table: Any) -> int:
        return database.read(lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one())

    assert (counts(images), counts(originals)) == (stored_images, stored_originals)
    assert Catalog(database).inventory.violations() == []
