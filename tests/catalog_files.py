"""SQLite catalogs at the newest tables, copied from one that was migrated once, so that a test has an empty one at once."""

import functools
import shutil
import tempfile
from pathlib import Path

from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import migrate

_folder = tempfile.TemporaryDirectory(prefix="image-repo-catalog-")


def put_catalog(path: Path) -> None:
    """An empty catalog in this file, in a private folder, unless there is one."""
    if not path.exists():
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        shutil.copy(_template(), path)


@functools.cache
def _template() -> Path:
    path = Path(_folder.name) / "catalog.sqlite3"
    database = Database(sqlite_url(path))
    migrate(database)
    database.dispose()
    return path
