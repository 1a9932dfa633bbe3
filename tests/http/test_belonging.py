"""A server or a command that meets another catalog's store ends with a sentence, and what only looks changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import migrate, revert
from chalicelib.repository import Repository
from tests import pictures
from tests.databases import mariadb, new_database
from tests.http.server import command, running
from tests.repositories import files_in, repository_in, take_in

Commands = tuple[tuple[str, ...], ...]
LOOKS: Commands = (("sweep", "--dry-run"), ("keys", "list"), ("adopt",))
CREATE = ("keys", "create", "--owner", "ann", "--scope", "read")
COMMANDS: Commands = (("sweep",), ("sweep", "--dry-run"), ("sweep", "--all"), ("keys", "list"), ("migrate",), CREATE)


@pytest.fixture(scope="module")
def server() -> Iterator[URL]:
    with mariadb() as running_server:
        yield running_server.url


def filled(folder: Path, database_url: str | None = None) -> Repository:
    repository = repository_in(folder, database_url=database_url)
    take_in(repository, pictures.png(1))
    repository.close()
    return repository


def state_of(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_refused(folder: Path, settings: dict[str, str], name: str, commands: Commands = COMMANDS[:1]) -> None:
    """The server and the commands end with a sentence that names both sides and what to do; the store stays as it is."""
    before = {path: path.read_bytes() for path in files_in(folder)}
    for arguments in commands:
        ran = command(folder, *arguments, settings=settings)
        assert (ran.returncode, ran.stdout) == (1, ""), arguments
        (line,) = ran.stderr.splitlines()
        assert "do not belong together" in line
        assert "python -m chalicelib.cli adopt" in line
        assert name in line
        assert f"the folder {folder}" in line
        assert "hunter2" not in line
    with pytest.raises(AssertionError, match="do not belong together"), running(folder, settings):
        pass
    assert {path: path.read_bytes() for path in files_in(folder)} == before
    assert not (folder / "aside").exists()


def test_another_catalog_on_a_filled_folder(tmp_path: Path) -> None:
    filled(tmp_path / "mine")
    filled(tmp_path / "another")
    other = tmp_path / "another" / "catalog.sqlite3"
    assert_refused(tmp_path / "mine", {"DATABASE_URL": f"sqlite:///{other}"}, f"the SQLite file {other}", COMMANDS)


def test_the_sqlite_file_was_deleted_and_the_store_is_adopted(tmp_path: Path) -> None:
    filled(tmp_path)
    for path in tmp_path.glob("catalog.sqlite3*"):
        path.unlink()
    assert command(tmp_path, "sweep", "--dry-run").stderr.startswith("There is no catalog in ")
    assert not (tmp_path / "catalog.sqlite3").exists()
    assert command(tmp_path, "sweep").returncode == 1  # it has made an empty one
    assert_refused(tmp_path, {}, f"the SQLite file {tmp_path / 'catalog.sqlite3'}")
    before = state_of(tmp_path)
    told = command(tmp_path, "adopt")
    assert state_of(tmp_path) == before
    assert (told.returncode, told.stderr) == (0, "")
    assert "Of 1 files in the store this catalog names 0. The other 1 become orphans" in told.stdout
    assert told.stdout.endswith("Nothing was changed. `python -m chalicelib.cli adopt --yes` does it.\n")
    assert command(tmp_path, "sweep").returncode == 1
    assert command(tmp_path, "adopt", "--yes").returncode == 0
    swept = command(tmp_path, "sweep")
    assert (swept.returncode, swept.stdout.splitlines()[1]) == (0, "Nothing needed doing."), "nothing is a day old"
    assert "belong together already" in command(tmp_path, "adopt").stdout
    assert len(files_in(tmp_path)) == 4


def test_mysql_was_forgotten_in_a_new_shell(tmp_path: Path, server: URL) -> None:
    with new_database(server) as url:
        mysql = {"DATABASE_URL": url.render_as_string(hide_password=False)}
        filled(tmp_path, mysql["DATABASE_URL"])
        assert command(tmp_path, "migrate").returncode == 1  # it has made an empty file
        assert_refused(tmp_path, {}, f"the SQLite file {tmp_path / 'catalog.sqlite3'}")
        again = command(tmp_path, "sweep", settings=mysql)
        assert (again.returncode, again.stdout) == (0, "Swept.\nNothing needed doing.\n0 broken invariants.\n"), again


def test_mysql_instead_of_sqlite_on_the_same_folder(tmp_path: Path, server: URL) -> None:
    """README's step: it goes well before there are pictures, and is refused after."""
    assert command(tmp_path, "migrate").returncode == 0
    with new_database(server) as url:
        filled(tmp_path, url.render_as_string(hide_password=False))
        assert_refused(tmp_path, {}, "the SQLite file")
    with new_database(server) as url:
        other = {"DATABASE_URL": url.render_as_string(hide_password=False)}
        assert command(tmp_path, "migrate", settings=other).returncode == 1
        assert_refused(tmp_path, other, f"the database {url.database} on 127.0.0.1")


def test_what_only_looks_makes_no_folder_and_no_catalog(tmp_path: Path) -> None:
    for arguments in LOOKS:
        ran = command(tmp_path / "new", *arguments)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert len(ran.stderr.splitlines()) == 1
        assert not (tmp_path / "new").exists()


def test_what_only_looks_migrates_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    database = Database(sqlite_url(tmp_path / "catalog.sqlite3"))
    revert(database, "0002")
    database.dispose()
    (tmp_path / "repository-id").unlink()
    before = state_of(tmp_path)
    for arguments in LOOKS:
        ran = command(tmp_path, *arguments)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "run `python -m chalicelib.cli migrate` first" in ran.stderr
        assert state_of(tmp_path) == before
    assert command(tmp_path, "migrate").returncode == 0
    assert command(tmp_path, "sweep", "--dry-run").returncode == 0


def test_what_only_looks_gives_no_ids_and_touches_nothing_of_a_release_before(tmp_path: Path) -> None:
    """Both sides are filled and neither has an id: the next start gives them one, a look does not."""
    filled(tmp_path)
    database = Database(sqlite_url(tmp_path / "catalog.sqlite3"))
    revert(database, "0003")
    database.dispose()
    (tmp_path / "repository-id").unlink()
    (tmp_path / "temporary" / "left over").write_bytes(b"by a killed server")
    migrate(database)
    database.dispose()
    before = state_of(tmp_path)
    for arguments in LOOKS:
        looked = command(tmp_path, *arguments)
        assert (looked.returncode, looked.stderr) == (0, ""), arguments
    assert state_of(tmp_path) == before
    assert command(tmp_path, "sweep").returncode == 0
    assert (tmp_path / "repository-id").exists()
    with running(tmp_path) as serving:
        assert serving.api.get("/image/list").status == 200
