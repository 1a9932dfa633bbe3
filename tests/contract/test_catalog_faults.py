"""What callers see when the database fails: `UnavailableError`, nothing lost, and work again afterwards."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, select, text, update

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.catalog.tables import uploads
from chalicelib.errors import UnavailableError
from chalicelib.model.records import Upload
from tests.contract.making import LATER, NOW, admission, admitted, digest, entry, pending
from tests.databases import MariaDb, execute, mariadb, new_database


@pytest.fixture(scope="module")
def own_server() -> Iterator[MariaDb]:
    """A server that a test may kill, and must leave running."""
    with mariadb() as server:
        yield server


@pytest.fixture
def served(own_server: MariaDb) -> Iterator[Database]:
    with new_database(own_server.url) as url:
        database = Database(url)
        migrate(database)
        yield database
        database.dispose()


def test_a_server_that_is_down_is_unavailable_and_used_again_when_it_is_back(own_server: MariaDb, served: Database) -> None:
    catalog = Catalog(served)
    acknowledged = admitted(catalog, "file").image_id
    own_server.kill()
    try:
        with pytest.raises(UnavailableError):
            catalog.images.get("local", acknowledged)
        with pytest.raises(UnavailableError):
            catalog.images.delete("local", acknowledged)
        with pytest.raises(UnavailableError):
            served.check()
        with pytest.raises(UnavailableError):
            migrate(served)
    finally:
        own_server.start()
    served.check()
    assert catalog.images.get("local", acknowledged) is not None
    assert admitted(catalog, "another file").status == "stored"


def test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_load(own_server: MariaDb, served: Database) -> None:
    catalog = Catalog(served)
    acknowledged: dict[str, int] = {}
    refused = threading.Event()
    ids = {f"file {number}": pending(catalog) for number in range(120)}

    def work(share: int) -> None:
        for file in list(ids)[share::4]:
            while file not in acknowledged:
                try:
                    _ingest(catalog, ids[file], file, acknowledged)
                except UnavailableError:
                    refused.set()

    workers = [threading.Thread(target=work, args=(share,)) for share in range(4)]
    for worker in workers:
        worker.start()
    while len(acknowledged) < 10:
        pass
    own_server.kill()
    refused.wait()
    own_server.start()
    for worker in workers:
        worker.join()
    for file, image_id in acknowledged.items():
        image = catalog.images.get("local", image_id)
        assert image is not None
        assert image.sha256 == digest(file)
    assert catalog.inventory.violations() == []
    assert {upload.status for upload in map(catalog.uploads.get, ids.values()) if upload} == {"stored"}


def _ingest(catalog: Catalog, upload_id: str, file: str, acknowledged: dict[str, int]) -> None:
    """One delivery of an upload's event; one that was refused by a fault is simply delivered again."""
    upload = catalog.uploads.lease(upload_id, NOW, LATER)
    if not isinstance(upload, Upload):
        # It ended though nobody was told: the commit came through, its answer did not.
        acknowledged[file] = catalog.images.known("local", [digest(file)])[digest(file)]
        return
    acknowledged[file] = catalog.images.admit(admission(upload, file, entry(file)), NOW).image_id


def test_a_killed_connection_is_replaced_before_use(served: Database) -> None:
    connection_id = served.read(_connection_id)
    execute(served.engine.url, f"KILL {connection_id}")
    runs: list[int] = []

    def fn(connection: Connection) -> int:
        runs.append(1)
        return _connection_id(connection)

    assert served.read(fn) != connection_id
    assert len(runs) == 1


def test_a_write_whose_connection_is_lost_before_its_commit_is_made_again(served: Database) -> None:
    upload_id = pending(Catalog(served))
    runs: list[int] = []

    def fn(connection: Connection) -> None:
        runs.append(1)
        connection.execute(update(uploads).values(strikes=uploads.c.strikes + 1))
        if len(runs) == 1:
            execute(served.engine.url, f"KILL {_connection_id(connection)}")
        connection.execute(update(uploads).values(strikes=uploads.c.strikes + 1))

    served.write(fn)
    assert len(runs) == 2
    assert served.read(lambda connection: connection.scalar(select(uploads.c.strikes))) == 2
    assert Catalog(served).uploads.get(upload_id) is not None


def test_a_write_whose_connection_is_lost_at_its_commit_is_not_made_again(served: Database) -> None:
    pending(Catalog(served))
    runs: list[int] = []

    def fn(connection: Connection) -> None:
        runs.append(1)
        connection.execute(update(uploads).values(strikes=uploads.c.strikes + 1))
        execute(served.engine.url, f"KILL {_connection_id(connection)}")

    with pytest.raises(UnavailableError):
        served.write(fn)
    assert len(runs) == 1
    assert served.read(lambda connection: connection.scalar(select(uploads.c.strikes))) == 0


def test_a_deadlock_is_resolved_without_anyone_noticing(served: Database) -> None:
    ids = [pending(Catalog(served)), pending(Catalog(served))]
    met = threading.Barrier(2)
    runs: list[str] = []

    def cross(first: str, second: str) -> None:
        own_runs: list[int] = []

        def fn(connection: Connection) -> None:
            own_runs.append(1)
            runs.append(first)
            connection.execute(update(uploads).where(uploads.c.id == first).values(strikes=uploads.c.strikes + 1))
            if len(own_runs) == 1:
                met.wait()
            connection.execute(update(uploads).where(uploads.c.id == second).values(strikes=uploads.c.strikes + 1))

        served.write(fn)

    threads = [threading.Thread(target=cross, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) >= 3
    assert served.read(lambda connection: list(connection.scalars(select(uploads.c.strikes)))) == [2, 2]


def test_a_lock_that_another_held_too_long_is_waited_for_once_more(served: Database) -> None:
    pending(Catalog(served))
    holder = served.engine.connect()
    holder.execute(update(uploads).values(strikes=10))
    runs: list[int] = []

    def fn(connection: Connection) -> None:
        runs.append(1)
        if len(runs) == 2:
            holder.commit()
        connection.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
        connection.execute(update(uploads).values(strikes=uploads.c.strikes + 1))

    served.write(fn)
    holder.close()
    assert len(runs) == 2
    assert served.read(lambda connection: connection.scalar(select(uploads.c.strikes))) == 11


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(tmp_path: Path) -> None:
    database = Database(URL.create("sqlite", database=str(tmp_path / "catalog.db")))
    migrate(database)
    catalog = Catalog(database)
    upload_id = pending(catalog)
    pages = database.read(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    database.read(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(UnavailableError):
        _fill(catalog)
    assert catalog.inventory.violations() == []
    assert catalog.uploads.get(upload_id) is not None
    database.dispose()
    assert admitted(catalog, "after there was room again").status == "stored"
    database.dispose()


def _fill(catalog: Catalog) -> None:
    for number in range(10_000):
        admitted(catalog, f"file {number}")


def test_a_file_that_another_process_keeps_locked_is_unavailable(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "catalog.db"))
    database, other = Database(url), Database(url)
    migrate(database)
    other.read(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=10"))

    def holding(connection: Connection) -> None:
        connection.execute(update(uploads).values(strikes=1))
        with pytest.raises(UnavailableError):
            pending(Catalog(other))
        assert Catalog(other).uploads.get("anything") is None

    database.write(holding)
    pending(Catalog(other))
    database.dispose()
    other.dispose()


def test_a_catalog_that_is_let_go_of_closes_its_file_without_a_complaint(tmp_path: Path) -> None:
    code = f"""
import gc, os
from pathlib import Path
from chalicelib.catalog.database import Database, sqlite_url
def use(path):
    Database(sqlite_url(path)).check()
use(Path({str(tmp_path / "catalog.db")!r}))
gc.collect()
print([name for name in os.listdir({str(tmp_path)!r}) if name.endswith("-wal")])
"""
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_file_in_no_folder_is_unavailable(tmp_path: Path) -> None:
    database = Database(URL.create("sqlite", database=str(tmp_path / "none" / "catalog.db")))
    with pytest.raises(UnavailableError):
        database.check()


def _connection_id(connection: Connection) -> int:
    return int(connection.execute(text("SELECT CONNECTION_ID()")).scalar_one())
