"""Which catalogs and stores get one id, and which are refused: every combination, on every engine and kind of store."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.identity import CatalogId
from chalicelib.catalog.tables import metadata
from chalicelib.errors import ForeignStoreError
from chalicelib.services.belonging import Belonging
from chalicelib.storage import keys
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.port import ObjectStore
from tests.contract.making import admitted
from tests.contract.store.conftest import in_bucket, on_disk

GIVEN, SAME, REFUSED = "one id is given to both", "nothing changes", "refused, nothing changes"
#: A catalog has no id, the id A, or A as what a store is to be given when the process was killed. The columns are stores.
STORES = ("none empty", "none filled", "A empty", "A filled", "B empty", "B filled")
TABLE = {
    "none empty": (GIVEN, REFUSED, GIVEN, REFUSED, GIVEN, REFUSED),
    "none filled": (REFUSED, GIVEN, REFUSED, REFUSED, REFUSED, REFUSED),
    "A empty": (GIVEN, REFUSED, SAME, SAME, REFUSED, REFUSED),
    "A filled": (REFUSED, REFUSED, SAME, SAME, REFUSED, REFUSED),
    "to-be-A empty": (GIVEN, REFUSED, GIVEN, GIVEN, GIVEN, REFUSED),
    "to-be-A filled": (REFUSED, GIVEN, GIVEN, GIVEN, REFUSED, REFUSED),
}
A, B = "a" * 32, "b" * 32

Make = Callable[[], ObjectStore]


@pytest.fixture(params=["disk", "s3"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "disk":
        numbers = iter(range(10**6))
        return lambda: on_disk(tmp_path / f"store {next(numbers)}").store
    url = request.getfixturevalue("moto")
    return lambda: in_bucket(url).store


def prepare(database: Database, catalog: Catalog, of_catalog: str, store: ObjectStore, of_store: str) -> None:
    """A catalog with nothing or one image, a store with nothing or that image's file."""
    for table in reversed(metadata.sorted_tables):
        database.write(lambda connection, table=table: connection.execute(delete(table)))  # type: ignore[misc]
    if of_catalog.endswith("filled"):
        admitted(catalog, "file")
    if of_store.endswith("filled"):
        live = catalog.inventory.live_originals("", 1)
        named = live[0].file.storage_id if live else keys.new_storage_id()
        store.put(keys.original(named), b"bytes", "image/jpeg")
    if not of_catalog.startswith("none"):
        catalog.identity.propose(A, None)
        if not of_catalog.startswith("to-be"):
            catalog.identity.agree(A)
    if not of_store.startswith("none"):
        store.keep_repository_id(A if of_store.startswith("A") else B)


@pytest.mark.parametrize("of_catalog", TABLE)
def test_every_combination(database: Database, catalog: Catalog, new_store: Make, of_catalog: str) -> None:
    for of_store, outcome in zip(STORES, TABLE[of_catalog], strict=True):
        store = new_store()
        prepare(database, catalog, of_catalog, store, of_store)
        before = (catalog.identity.get(), store.repository_id())
        belonging = Belonging(catalog, store, patience=0)
        if outcome == REFUSED:
            for attempt in (belonging.look, belonging.settle, belonging.settle_once, belonging.settle_once):
                with pytest.raises(ForeignStoreError) as refused:
                    attempt()
                assert catalog.name in refused.value.message, of_store
                assert store.name in refused.value.message, of_store
                assert "python -m chalicelib.cli adopt" in refused.value.message, of_store
            assert (catalog.identity.get(), store.repository_id()) == before, of_store
            continue
        belonging.look()
        assert (catalog.identity.get(), store.repository_id()) == before, of_store
        belonging.settle()
        after = store.repository_id()
        assert after, of_store
        assert catalog.identity.get() == CatalogId(after, agreed=True), of_store
        assert ((catalog.identity.get(), after) == before) == (outcome == SAME), of_store
        belonging.settle()
        assert store.repository_id() == after


def test_two_empty_ones_that_do_not_know_each_other_get_an_id_that_no_third_has(catalog: Catalog, new_store: Make) -> None:
    """The catalog that was here before must not be taken for this store's once there are pictures."""
    store = new_store()
    store.keep_repository_id(A)
    Belonging(catalog, store).settle()
    assert store.repository_id() != A


def test_both_filled_before_there_were_ids_but_by_different_repositories(catalog: Catalog, new_store: Make) -> None:
    store = new_store()
    admitted(catalog, "mine")
    store.put(keys.original(keys.new_storage_id()), b"another's", "image/jpeg")
    with pytest.raises(ForeignStoreError):
        Belonging(catalog, store).settle()


class Interrupted(DiskStore):
    """A store on whose id another process acts between our proposal and our writing it, or right after that."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def keep_repository_id(self, repository_id: str) -> None:
        self._once("before")
        super().keep_repository_id(repository_id)
        self._once("after")

    def _once(self, name: str) -> None:
        act = getattr(self, name)
        setattr(self, name, None)
        if act:
            act()


@pytest.mark.parametrize("of_catalog", ["none empty", "none filled"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_is_late_leaves_what_the_other_has_settled(
    database: Database, catalog: Catalog, tmp_path: Path, of_catalog: str, moment: str
) -> None:
    def opened(kind: type[DiskStore]) -> DiskStore:
        return kind(tmp_path / "store", "http://127.0.0.1/store", lambda: datetime.now(UTC), None)

    store, same = opened(Interrupted), opened(DiskStore)
    prepare(database, catalog, of_catalog, same, of_catalog)
    setattr(store, moment, Belonging(catalog, same).settle)
    Belonging(catalog, store).settle()
    agreed = catalog.identity.get()
    assert agreed
    assert (agreed.agreed, same.repository_id()) == (True, agreed.id)
    for each in (store, same):
        Belonging(catalog, each, patience=0).settle()
    assert catalog.identity.get() == agreed


@pytest.mark.parametrize("of_catalog", ["none empty", "none filled"])
def test_processes_that_start_at_once_end_with_one_id(
    database: Database, catalog: Catalog, new_store: Make, of_catalog: str
) -> None:
    store = new_store()
    prepare(database, catalog, of_catalog, store, of_catalog)
    start, failures = threading.Barrier(4), list[BaseException]()

    def settle() -> None:
        start.wait()
        try:
            Belonging(Catalog(database), store).settle()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert catalog.identity.get() == CatalogId(store.repository_id() or "", agreed=True)


class _Killed(BaseException):
    """As a `kill -9` at this place: nothing behind it is run."""


class _DiskThatSeesAKill(DiskStore):
    """Dies with its process before or after it has kept an id."""

    after: bool

    def keep_repository_id(self, repository_id: str) -> None:
        if self.after:
            super().keep_repository_id(repository_id)
        raise _Killed


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("filled", ["empty", "filled"])
def test_a_process_killed_while_giving_ids_leaves_what_the_next_one_mends(
    database: Database, catalog: Catalog, tmp_path: Path, filled: str, after: bool
) -> None:
    arguments: tuple[Any, ...] = (tmp_path / "store", "http://127.0.0.1:8000/store", lambda: None, None)
    store, killed = on_disk(tmp_path / "store").store, _DiskThatSeesAKill(*arguments, look_only=True)
    killed.after = after
    prepare(database, catalog, f"none {filled}", store, f"none {filled}")
    with pytest.raises(_Killed):
        Belonging(catalog, killed).settle()
    Belonging(catalog, store).settle()
    assert catalog.identity.get() == CatalogId(store.repository_id() or "", agreed=True)


def test_adopting_makes_the_store_the_catalogs_own_and_nobody_elses(
    database: Database, catalog: Catalog, new_store: Make
) -> None:
    store = new_store()
    prepare(database, catalog, "none empty", store, "B filled")
    belonging = Belonging(catalog, store)
    told = belonging.prospect()
    assert catalog.name in told
    assert store.name in told
    assert "Of 1 files in the store this catalog names 0" in told
    assert store.repository_id() == B
    belonging.adopt()
    belonging.settle()
    given = store.repository_id()
    assert given not in (None, B)
    assert catalog.identity.get() == CatalogId(given or "", agreed=True)
    belonging.adopt()
    assert store.repository_id() == given, "what belongs together is left as it is"
