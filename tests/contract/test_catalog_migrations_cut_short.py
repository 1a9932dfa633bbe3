"""A migration on a server, where each change of a table is kept at once: cut short anywhere, or in the way of others."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, event, text

from chalicelib.catalog import migrate as migrate_module
from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import HEAD, migrate, revert
from chalicelib.errors import UnavailableError
from tests.contract import cut_short
from tests.contract.earlier import EarlierCatalog, filled_catalog
from tests.contract.making import admitted, listed
from tests.databases import MariaDb, column, mariadb, new_database, plain_engine

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as own:
        yield own


@pytest.fixture
def url(server: MariaDb) -> Iterator[URL]:
    with new_database(server.url) as empty:
        yield empty


def tables(url: URL) -> dict[str, str]:
    """How each table would be made."""
    engine = plain_engine(url)
    with engine.connect() as connection:
        names = list(connection.scalars(text("SHOW TABLES")))
        return {name: connection.execute(text(f"SHOW CREATE TABLE {name}")).one()[1] for name in names}


def rows(url: URL) -> dict[str, list[str]]:
    engine = plain_engine(url)
    with engine.connect() as connection:
        return {
            name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}"))))  # noqa: S608 (a table's own name)
            for name in connection.scalars(text("SHOW TABLES")).all()
        }


def nothing(_url: URL) -> None:
    """An empty database."""


def rows_of_the_first_release(url: URL) -> None:
    filled_catalog(url, "0001")


@pytest.mark.parametrize(("fill", "writes"), [(nothing, 40), (rows_of_the_first_release, 20)])
def test_killed_after_every_write_in_turn_it_comes_to_the_same_tables_and_rows(
    server: MariaDb, url: URL, fill: Callable[[URL], None], writes: int
) -> None:
    fill(url)
    command = [sys.executable, "-m", cut_short.__name__, url.render_as_string(hide_password=False)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) >= writes, done.stdout
    with new_database(server.url) as other:
        fill(other)
        uncut = Database(other)
        migrate(uncut)
        uncut.dispose()
        assert tables(url) == tables(other)
        assert rows(url) == rows(other)
    assert rows(url)["alembic_version"] == [f"('{HEAD}',)"]
    database = Database(url)
    admitted(Catalog(database), "file")
    database.dispose()


def test_each_change_of_a_table_may_take_longer_than_a_request_waits_for_an_answer(server: MariaDb, url: URL) -> None:
    """Each: after the first that is given up, one that looks and goes on would still come to the end."""
    EarlierCatalog(url)

    def be_slow(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith("ALTER"):
            server.stand_still(1.5)

    event.listen(Engine, "before_cursor_execute", be_slow)
    database = Database(url, read_timeout=1)
    try:
        migrate(database)
    finally:
        event.remove(Engine, "before_cursor_execute", be_slow)
    assert rows(url)["alembic_version"] == [f"('{HEAD}',)"]
    database.dispose()


def test_a_transaction_that_stays_open_holds_up_the_migration_and_nobody_else(url: URL) -> None:
    database = Database(url)
    catalog = Catalog(database)
    migrate(database)
    image_id = admitted(catalog, "file").image_id
    revert(database, "0005")
    reader = plain_engine(url)
    with reader.connect() as open_transaction:
        open_transaction.execute(text("SELECT * FROM image_tags")).all()
        migration = threading.Thread(target=migrate, args=(database,))
        migration.start()
        waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'"
        while not column(url, waiting)[0]:
            time.sleep(0.05)
        began = time.monotonic()
        assert column(url, "SELECT COUNT(*) FROM image_tags") == [1]
        assert time.monotonic() - began < 10
        assert migration.is_alive()
    migration.join()
    assert "carries" in tables(url)["image_tags"]
    assert listed(catalog) == [image_id]
    database.dispose()


def test_a_migration_that_nobody_lets_in_gives_up_after_its_tries(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not after twice as many, because transactions are repeated: a function has no time for that."""
    monkeypatch.setattr(migrate_module, "_TRIES", 2)
    database = Database(url)
    migrate(database)
    revert(database, "0005")
    tries: list[str] = []

    def count(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith("ALTER"):
            tries.append(statement)

    reader = plain_engine(url)
    event.listen(Engine, "before_cursor_execute", count)
    try:
        with reader.connect() as open_transaction:
            open_transaction.execute(text("SELECT * FROM image_tags")).all()
            with pytest.raises(UnavailableError):
                migrate(database)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(tries) == 2
    migrate(database)
    assert "carries" in tables(url)["image_tags"]
    database.dispose()
