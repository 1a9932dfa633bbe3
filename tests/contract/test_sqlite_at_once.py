"""A new SQLite catalog that another process is at work on, before the file is in the mode in which both can be."""

import sqlite3
import threading
from pathlib import Path

from chalicelib.catalog.database import Database, sqlite_url


def test_who_opens_a_file_that_another_is_writing_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE first (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO first VALUES (1)")
    leave = threading.Timer(0.3, other.execute, ["COMMIT"])
    leave.start()
    database = Database(sqlite_url(path))
    assert database.read(lambda connection: connection.exec_driver_sql("SELECT id FROM first").scalar_one()) == 1
    leave.join()
    other.close()
    database.dispose()
