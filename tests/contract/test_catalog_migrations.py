"""Migrations on every engine: forwards, back, by two at once, and to exactly the tables that the code uses."""

import multiprocessing
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, inspect, text

from chalicelib.catalog import migrate as migrate_module
from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import HEAD, migrate, revert
from chalicelib.catalog.tables import metadata
from chalicelib.errors import UnavailableError
from chalicelib.model.facts import Carried
from tests.contract.making import admitted, entry, listed, pending


def test_migrations_lead_to_the_tables_that_the_code_declares(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_servers_look_for() -> None:
    folder = Path(migrate_module.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_forwards_and_back_with_rows_in_the_tables(empty_url: URL) -> None:
    database = Database(empty_url)
    catalog = Catalog(database)
    migrate(database)
    pending(catalog)
    image_id = admitted(catalog, "file").image_id
    migrate(database)
    assert listed(catalog) == [image_id]
    revert(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    migrate(database)
    assert listed(catalog) == []
    admitted(catalog, "file")
    database.dispose()


def test_rows_of_the_release_before_carry_nothing_and_its_inserts_go_on_working(empty_url: URL) -> None:
    database = Database(empty_url)
    catalog = Catalog(database)
    migrate(database)
    image_id = admitted(catalog, "file", replace(entry("file"), carries=(Carried("film", "video/mp4", 1, 2),))).image_id
    revert(database, "0003")
    database.write(lambda connection: connection.execute(text("UPDATE image_tags SET exif = '{}'")))
    migrate(database)
    database.write(lambda connection: connection.execute(text("DELETE FROM image_tags")))
    released = text("INSERT INTO image_tags (image_id, exif) VALUES (:image, '{}')")
    database.write(lambda connection: connection.execute(released, {"image": image_id}))
    image = catalog.images.get("local", image_id)
    assert image is not None
    assert image.entry.carries == ()
    database.dispose()


def test_processes_that_start_at_once_all_find_the_tables(empty_url: URL) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    url = empty_url.render_as_string(hide_password=False)
    processes = [spawn.Process(target=_migrate_at, args=(url, start)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    database = Database(empty_url)
    admitted(Catalog(database), "file")
    database.dispose()


def _migrate_at(url: str, start: "multiprocessing.synchronize.Barrier") -> None:
    database = Database(url)
    start.wait()
    migrate(database)
    database.dispose()


def test_a_migration_that_fails_on_sqlite_leaves_nothing_behind(tmp_path: Path) -> None:
    database = Database(URL.create("sqlite", database=str(tmp_path / "catalog.db")))
    database.write(lambda connection: connection.execute(text("CREATE TABLE uploads (id INTEGER)")))
    with pytest.raises(UnavailableError):
        migrate(database)
    assert inspect(database.engine).get_table_names() == ["uploads"]
    database.dispose()


def test_tables_of_a_later_release_are_left_as_they_are(empty_url: URL) -> None:
    database = Database(empty_url)
    migrate(database)
    database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    migrate(database)
    assert database.read(lambda connection: connection.scalar(text("SELECT version_num FROM alembic_version"))) == "9999"
    database.dispose()


def test_the_catalog_starts_without_alembic_and_without_the_orm(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    migrate(Database(url))
    program = (
        "import sys\n"
        "from chalicelib.catalog.catalog import Catalog\n"
        "from chalicelib.catalog.database import Database\n"
        "from chalicelib.catalog.migrate import migrate\n"
        f"database = Database({url!r})\n"
        "migrate(database)\n"
        "Catalog(database).uploads.get('x')\n"
        "print([name for name in ('alembic', 'sqlalchemy.orm', 'pymysql') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert found.stdout == "[]\n"
