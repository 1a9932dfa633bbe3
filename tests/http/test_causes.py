"""Faults tell their cause: where the repository starts, in `/health/ready`, and in the log; and nothing of a secret."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.databases import MariaDb, column, execute, mariadb, new_database
from tests.disks import small_disk
from tests.http.server import command, free_port, refusal_at_start, running
from tests.http.waiting import wait_until

PASSWORD = "a-p4ssword/that@nobody:may?see"  # noqa: S105 - made for this
USER = "somebody"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as started:
        yield started


@pytest.fixture
def database(server: MariaDb) -> Iterator[URL]:
    """A database of its own, and a user who has all rights on it."""
    with new_database(server.url) as made:
        execute(server.url, f"CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        execute(server.url, f"GRANT ALL ON {made.database}.* TO {USER}@'127.0.0.1'")
        yield made.set(username=USER, password=PASSWORD)


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def said_at_start(folder: Path, **settings: str) -> str:
    """The sentence, which has no secret in it."""
    said = refusal_at_start(folder, settings)
    assert PASSWORD not in said
    return said.splitlines()[-1]


def test_a_wrong_password_is_said_at_once(database: URL, tmp_path: Path) -> None:
    said = said_at_start(tmp_path / "new", DATABASE_URL=text_of(database.set(password=PASSWORD[:-1])))
    assert "the user or the password is wrong" in said
    assert "DATABASE_URL" in said
    assert str(database.database) in said


def test_a_database_that_does_not_exist_is_said_at_once(server: MariaDb, tmp_path: Path) -> None:
    said = said_at_start(tmp_path / "new", DATABASE_URL=text_of(server.url.set(database="nowhere")))
    assert "there is no such database: make it" in said


def test_a_user_without_rights_is_told_which_are_needed(server: MariaDb, database: URL, tmp_path: Path) -> None:
    execute(server.url, f"REVOKE ALL ON {database.database}.* FROM {USER}@'127.0.0.1'")
    execute(server.url, f"GRANT SELECT ON {database.database}.* TO {USER}@'127.0.0.1'")
    said = said_at_start(tmp_path / "new", DATABASE_URL=text_of(database))
    assert "grant it all rights on the database" in said


def test_a_server_that_takes_encrypted_connections_only_says_so(tmp_path: Path) -> None:
    with mariadb("--require-secure-transport=OFF") as server, new_database(server.url) as database:
        execute(server.url, "CREATE USER safe@'127.0.0.1' REQUIRE SSL", "GRANT ALL ON *.* TO safe@'127.0.0.1'")
        said = said_at_start(tmp_path / "new", DATABASE_URL=text_of(database.set(username="safe")))
    assert "[MySQL 1045]" in said or "DATABASE_TLS" in said


def test_a_database_that_never_comes_up_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    url = f"mysql+pymysql://{USER}@127.0.0.1:{free_port()}/pictures"
    said = said_at_start(tmp_path / "new", DATABASE_URL=url, DATABASE_WAIT_SECONDS="1")
    assert "it cannot be reached: see that it runs" in said


def test_a_database_that_is_not_up_yet_is_waited_for(server: MariaDb, database: URL, tmp_path: Path) -> None:
    server.stop()
    done = threading.Event()

    def start_late() -> None:
        done.wait(4)
        server.start()
        done.wait()  # it ends with the thread that has started it

    late = threading.Thread(target=start_late)
    late.start()
    try:
        with running(tmp_path / "new", {"DATABASE_URL": text_of(database)}) as started:
            assert started.api.get("/health/ready").status == 200
            waited = [line for line in started.log if "waiting for the database" in line]
            assert waited
            assert all("it cannot be reached" in line for line in waited)
    finally:
        done.set()
        late.join()
        server.stop()
        server.start()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "catalog.sqlite3").write_bytes(b"this is a shopping list, and no database at all" * 100)
    assert "the file is no SQLite database" in said_at_start(folder)
    told = command(folder, "keys", "list")
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    assert "the file is no SQLite database" in told.stderr
    assert str(folder / "catalog.sqlite3") in told.stderr


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "FILE_STORAGE_LOCATION" in said_at_start(tmp_path / "file")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 32) as disk:
        with running(disk / "repository") as started:
            assert started.api.get("/health/ready").status == 200
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = said_at_start(disk / "repository")
    assert "cannot be written" in said or "read-only" in said


def test_what_breaks_later_is_told_to_a_key_and_to_the_log_and_to_clients_only_that_it_is_so(
    server: MariaDb, database: URL, tmp_path: Path
) -> None:
    with running(tmp_path / "new", {"DATABASE_URL": text_of(database)}) as started:
        execute(server.url.set(database=database.database), "RENAME TABLE images TO mislaid")
        listed = started.api.get("/image/list")
        assert (listed.status, listed.json()["Code"]) == (503, "UnavailableError")
        assert "mislaid" not in listed.json()["Message"]
        wait_until(lambda: any("its tables are not those of this release" in line for line in started.log))
        assert any("[MySQL 1146]" in line for line in started.log)
        execute(server.url.set(database=database.database), "RENAME TABLE mislaid TO images")
        assert started.api.get("/image/list").status == 200

        execute(server.url, f"ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY 'changed'")
        for connection in _connections(server):
            with suppress(Exception):  # some are gone by then
                execute(server.url, f"KILL {connection}")
        ready = started.api.get("/health/ready")
        assert (ready.status, ready.json()["store"]["status"]) == (503, "ok")
        assert "the user or the password is wrong" in ready.json()["catalog"]["cause"]
        assert "[MySQL 1045]" in ready.json()["catalog"]["cause"]
        assert not any(secret in "".join(started.log) + ready.body.decode() for secret in (PASSWORD, "p4ssword"))


def _connections(server: MariaDb) -> list[int]:
    return column(server.url, f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'")  # noqa: S608 - ours


def test_a_folder_that_goes_away_is_told_with_its_cause(tmp_path: Path) -> None:
    with running(tmp_path / "new") as started:
        (tmp_path / "new" / "temporary").rename(tmp_path / "elsewhere")
        ready = started.api.get("/health/ready").json()
        assert (ready["catalog"], ready["store"]["status"]) == ({"status": "ok", "cause": None}, "unavailable")
        assert "folder" in ready["store"]["cause"]
        assert str(tmp_path) not in ready["store"]["cause"]
