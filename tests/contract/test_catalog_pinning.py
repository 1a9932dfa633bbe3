"""Behind RDS Proxy a session must do nothing that pins it to one connection to the database: then the proxy shares none.

A real server writes down every statement, and the rules are AWS's: the variables that the proxy tracks are allowed, nothing
else is. (Amazon Aurora User Guide, "Avoiding pinning an RDS Proxy")
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from chalicelib.model.records import Filters
from chalicelib.repository import Repository
from tests import pictures
from tests.databases import column, execute, mariadb, new_database
from tests.repositories import repository_in, take_in

#: What the template's parameter group sets.
_OF_THE_CLUSTER = ("--innodb-lock-wait-timeout=5",)
_TRACKED = {
    *("autocommit", "auto_increment_increment", "character_set_client", "character_set_connection", "character_set_database"),
    *("character_set_filesystem", "character_set_results", "character_set_server", "collation_connection"),
    *("collation_database", "collation_server", "interactive_timeout", "names", "net_write_timeout", "query_cache_type"),
    *("session_track_schema", "sql_mode", "time_zone", "transaction_isolation", "transaction_read_only", "wait_timeout"),
}
_PINS = r"LOCK\s+(TABLE|INSTANCE)|GET_LOCK|CREATE\s+TEMPORARY|PREPARE|EXECUTE|DECLARE|(?<!@)@\w|FOUND_ROWS|SQL_CALC_FOUND_ROWS"
_LARGEST_STATEMENT = 16 * 1024
_LOG = "SELECT CONCAT(thread_id, ' ', command_type, ' ', argument) FROM mysql.general_log"


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[URL]:
    with mariadb("--general-log=1", "--log-output=TABLE", *request.param) as server, new_database(server.url) as empty:
        yield empty


def pinned(url: URL) -> dict[str, list[str]]:
    """The sessions that RDS Proxy would have pinned since the log was emptied, and by what."""
    found: dict[str, list[str]] = {}
    for line in column(url, _LOG):
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        session, command, statement = [*text.split(" ", 2), ""][:3]
        if command == "Prepare" or (command == "Query" and pins(statement)):
            found.setdefault(session, []).append(statement)
    return found


def pins(statement: str) -> bool:
    setting = re.match(r"\s*SET\s+(SESSION\s+)?(.*)", statement, re.IGNORECASE | re.DOTALL)
    if setting:
        return not set(variables(setting[2])) <= _TRACKED
    without_texts = re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", statement)
    return len(statement.encode()) > _LARGEST_STATEMENT or bool(
        re.search(_PINS, without_texts.replace("@@", ""), re.IGNORECASE)
    )


def variables(settings: str) -> Iterator[str]:
    """What a SET sets, by its name in small letters."""
    if settings.upper().startswith("TRANSACTION ISOLATION LEVEL"):
        yield "transaction_isolation"
    elif settings.upper().startswith("NAMES"):
        yield "names"
    else:
        for part in settings.split(","):
            yield part.partition("=")[0].strip().removeprefix("SESSION ").lower()


def work(repository: Repository) -> None:
    """What functions do all day."""
    for number in range(3):
        assert take_in(repository, pictures.png(number), "ann").status == "stored"
    assert take_in(repository, pictures.photo(4, 60, 40), "ann").status == "stored"
    assert take_in(repository, pictures.png(1), "ann").status == "duplicate"
    page = repository.library.page("ann", Filters(), "uploaded_at", 50, None)
    assert len(page.items) == 4
    _, key = repository.access.create("ann", ["read"])
    assert repository.access.bearer(f"Bearer {key}")
    repository.library.delete("ann", page.items[0].image.id)
    repository.sweep.run()


@pytest.mark.parametrize("url", [_OF_THE_CLUSTER], indirect=True)
def test_no_session_of_a_day_is_pinned(url: URL, tmp_path: Path) -> None:
    repository = repository_in(tmp_path, database_url=url.render_as_string(hide_password=False))
    repository.close()
    execute(url, "TRUNCATE mysql.general_log")
    work(repository)
    repository.close()
    assert len(column(url, _LOG)) > 100
    assert pinned(url) == {}


@pytest.mark.parametrize("url", [("--innodb-lock-wait-timeout=50",)], indirect=True)
def test_where_the_server_waits_longer_for_a_lock_sessions_say_so_themselves(url: URL, tmp_path: Path) -> None:
    """And the test above would have seen it."""
    repository = repository_in(tmp_path, database_url=url.render_as_string(hide_password=False))
    repository.close()
    execute(url, "TRUNCATE mysql.general_log")
    assert (
        repository.database.read(lambda connection: connection.exec_driver_sql("SELECT @@innodb_lock_wait_timeout").scalar())
        == 5
    )
    repository.close()
    assert list(pinned(url).values()) == [["SET SESSION innodb_lock_wait_timeout=5"]]
