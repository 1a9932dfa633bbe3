"""How connections are made: how many, with which password, encrypted to whom."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, text

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.catalog.tables import uploads
from chalicelib.errors import UnavailableError
from tests.contract.certificates import write_certificate
from tests.databases import MariaDb, execute, mariadb, new_database


@pytest.fixture(scope="module")
def own_server() -> Iterator[MariaDb]:
    with mariadb() as server:
        yield server


def test_more_work_than_connections_waits_and_then_is_unavailable(own_server: MariaDb) -> None:
    database = Database(own_server.url, pool_size=1, read_timeout=1)
    with pytest.raises(UnavailableError):
        database.read(lambda _connection: database.check())
    database.check()
    database.dispose()


def test_a_statement_that_takes_longer_than_the_read_timeout_is_unavailable(own_server: MariaDb) -> None:
    database = Database(own_server.url, read_timeout=1)
    with pytest.raises(UnavailableError):
        database.read(lambda connection: connection.scalar(text("SELECT SLEEP(5)")))
    database.check()
    database.dispose()


def test_the_password_is_asked_for_at_each_new_connection(own_server: MariaDb) -> None:
    execute(own_server.url, "CREATE OR REPLACE USER tokens@'127.0.0.1' IDENTIFIED BY 'p@ss/wo:rd %40#é'")
    asked: list[str] = []

    def password() -> str:
        asked.append("p@ss/wo:rd %40#é" if len(asked) != 1 else "expired")
        return asked[-1]

    database = Database(own_server.url.set(username="tokens"), password=password)
    database.check()
    database.check()
    assert len(asked) == 1
    database.dispose()
    with pytest.raises(UnavailableError):
        database.check()
    database.check()
    assert len(asked) == 3
    database.dispose()


def test_connections_to_a_server_that_has_become_read_only_are_thrown_away(own_server: MariaDb) -> None:
    """As a failover leaves them: whoever asks by name reaches the writer, but the pool still holds the reader."""
    reset = "SET GLOBAL read_only = 0"
    with new_database(own_server.url) as url:
        execute(
            own_server.url, "CREATE OR REPLACE USER plain@'127.0.0.1'", f"GRANT ALL ON {url.database}.* TO plain@'127.0.0.1'"
        )
        database = Database(url.set(username="plain"))
        migrate(database)
        pool = {database.read(connection_id), *connections_at_once(database, 3)}
        connections: list[int] = []

        def failing_over(connection: Connection) -> None:
            connections.append(connection_id(connection))
            execute(own_server.url, reset if len(connections) > 1 else "SET GLOBAL read_only = 1")
            connection.execute(delete(uploads))

        try:
            database.write(failing_over)
            assert len(connections) == 2
            assert connections[1] not in pool
            assert pool.isdisjoint(connections_at_once(database, 3))
            execute(own_server.url, "SET GLOBAL read_only = 1")
            with pytest.raises(UnavailableError):
                Catalog(database).check_writing()
        finally:
            execute(own_server.url, reset)
        Catalog(database).check_writing()
        database.dispose()


@pytest.mark.parametrize("number", [1290, 1792, 1836, 1927, 2006, 4321])
def test_a_connection_is_not_used_again_after_an_error_that_may_be_its_own(own_server: MariaDb, number: int) -> None:
    database = Database(own_server.url)
    connections: list[int] = []

    def failing(connection: Connection) -> None:
        connections.append(connection_id(connection))
        if len(connections) == 1:
            connection.execute(text(f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}"))

    database.read(failing)
    assert len(set(connections)) == 2
    database.dispose()


def connections_at_once(database: Database, most: int) -> set[int]:
    """The ids of the connections that so many transactions at a time are given."""
    if most == 0:
        return set()
    return database.read(lambda connection: {connection_id(connection), *connections_at_once(database, most - 1)})


def connection_id(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT CONNECTION_ID()")))


def test_connections_are_encrypted_where_asked_and_only_to_a_server_that_is_trusted(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    write_certificate(certificate, key, name="127.0.0.1")
    trusting = ssl.create_default_context(cafile=str(certificate))
    with mariadb("--ssl-cert=../server.pem", "--ssl-key=../server.key", files=(certificate, key)) as server:
        database = Database(server.url, tls=trusting)
        cipher = database.read(lambda connection: connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one())
        assert cipher[1] != ""
        database.dispose()
        stranger = Database(server.url, tls=ssl.create_default_context())
        with pytest.raises(UnavailableError):
            stranger.check()
        stranger.dispose()


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "mysql://localhost/x", "mariadb+pymysql://localhost/x"])
def test_another_kind_of_database_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match=url.partition(":")[0].replace("+", r"\+")):
        Database(url)
