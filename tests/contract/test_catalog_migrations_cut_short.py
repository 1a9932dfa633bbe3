"""A migration on a server, where each change of a table is kept at once: cut short anywhere, or in the way of others."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import HEAD, migrate, revert
from tests.contract import cut_short
from tests.contract.making import admitted, listed
from tests.databases import column, mariadb, new_database

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[URL]:
    with mariadb() as own:
        yield own.url


@pytest.fixture
def url(server: URL) -> Iterator[URL]:
    with new_database(server) as empty:
        yield empty


def tables(url: URL) -> dict[str, str]:
    """How each table would be made."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        names = list(connection.scalars(text("SHOW TABLES")))
        return {name: connection.execute(text(f"SHOW CREATE TABLE {name}")).one()[1] for name in names}


def test_killed_after_every_change_in_turn_it_comes_to_the_same_tables(server: URL, url: URL) -> None:
    address = url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", cut_short.__name__, address]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) > 30, done.stdout + done.stderr
    with new_database(server) as other:
        uncut = Database(other)
        migrate(uncut)
        assert tables(url) == tables(other)
        uncut.dispose()
    database = Database(url)
    assert database.read(lambda connection: connection.scalar(text("SELECT version_num FROM alembic_version"))) == HEAD
    admitted(Catalog(database), "file")
    database.dispose()


def test_a_statement_of_a_migration_may_take_longer_than_one_of_a_request(url: URL) -> None:
    database = Database(url, read_timeout=1)
    with database.without_haste() as patient:
        assert patient.read(lambda connection: connection.scalar(text("SELECT SLEEP(2)"))) == 0
    database.dispose()


def test_a_transaction_that_stays_open_holds_up_the_migration_and_nobody_else(url: URL) -> None:
    database = Database(url)
    catalog = Catalog(database)
    migrate(database)
    image_id = admitted(catalog, "file").image_id
    revert(database, "0005")
    reader = create_engine(url, poolclass=NullPool)
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
