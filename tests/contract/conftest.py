"""The catalog on every engine: tests that ask for a `catalog` run on SQLite, MariaDB and any other server named."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import URL, delete

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.catalog.tables import metadata
from tests.catalog_files import put_catalog
from tests.databases import mariadb, new_database, other_server


class Servers:
    """The servers of this run, started when the first test needs them, with one migrated database on each."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._servers: dict[str, URL] = {}
        self._databases: dict[str, URL] = {}

    def server(self, engine: str) -> URL:
        if engine not in self._servers:
            other = other_server()
            if engine == "mariadb":
                self._servers[engine] = self._stack.enter_context(mariadb()).url
            elif other is not None:
                self._servers[engine] = other
        return self._servers[engine]

    def database(self, engine: str) -> URL:
        if engine not in self._databases:
            url = self._stack.enter_context(new_database(self.server(engine)))
            database = Database(url)
            migrate(database)
            database.dispose()
            self._databases[engine] = url
        return self._databases[engine]


ENGINES = ("sqlite", "mariadb", *(("other",) if other_server() else ()))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def empty_url(engine: str, servers: Servers, tmp_path: Path) -> Iterator[URL]:
    """A database without any table."""
    if engine == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / "catalog.db"))
    else:
        with new_database(servers.server(engine)) as url:
            yield url


@pytest.fixture
def url(engine: str, servers: Servers, tmp_path: Path) -> URL:
    """A database with the newest tables and no rows."""
    if engine == "sqlite":
        put_catalog(tmp_path / "catalog.db")
        return URL.create("sqlite", database=str(tmp_path / "catalog.db"))
    url = servers.database(engine)
    database = Database(url)
    for table in reversed(metadata.sorted_tables):
        database.write(lambda connection, table=table: connection.execute(delete(table)))  # type: ignore[misc]
    database.dispose()
    return url


@pytest.fixture
def database(url: URL) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture
def catalog(database: Database) -> Catalog:
    return Catalog(database)
