"""A catalog as the release before left it: its tables, filled by its own statements."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import BINARY, URL, VARBINARY, MetaData, insert

from chalicelib.catalog import migrate
from tests.databases import plain_engine

REVISION = "0003"
OWNERS = ("ann", "bob", "cid")
AT = datetime(2026, 1, 2, 3, 4, 5)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class EarlierCatalog:
    """An empty database at earlier tables, else those of the release before. Rows go in by raw values: its types are not this
    release's."""

    def __init__(self, url: URL, revision: str = REVISION) -> None:
        self._engine = plain_engine(url)
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        with self._engine.connect() as connection:
            self._tables = MetaData()
            self._tables.reflect(connection)

    def original(self, number: int, file: str, *, live: bool = True) -> str:
        """A stored file; returns its storage id."""
        storage_id = f"e{number:035}-1"
        values = {"format": "PNG", "content_type": "image/png", "thumbnail_extension": "jpg", "live": 1 if live else None}
        self._insert("originals", id=number, sha256=digest(file), storage_id=storage_id, byte_size=number, **values)
        return storage_id

    def image(self, number: int, owner: str, original: int, *known: str) -> None:
        """An entry for an original, and the files that have led to it; all that the original weighs is its number in bytes."""
        name = {"name": f"{number}.png", "name_key": f"{number}.png".encode(), "format_key": b"png"}
        picture = {"width": 1, "height": 1, "mode": "RGB", "frames": 1, "located": 0, "pixel_sha512": bytes(64)}
        row = {"id": number, "original_id": original, "byte_size": original, "identity": digest(f"picture {original}")}
        self._insert("images", owner=owner, uploaded_at=AT, sort_time=AT, **row, **name, **picture)
        self._insert("image_tags", image_id=number, exif="{}")
        for file in known:
            self._insert("known_files", owner=owner, sha256=digest(file), image_id=number)

    def upload(self, number: int, owner: str, status: str, size: int) -> str:
        upload_id = f"u{number:035}"
        times = {"created_at": AT, "expires_at": AT, "ended_at": None if status in ("pending", "processing") else AT}
        claim = {"claim": 1, "claimed_at": AT} if status == "processing" else {"claim": 0}
        refusal = {"error_code": "BadImageError", "error_message": "It is damaged."} if status == "rejected" else {}
        row = {"id": upload_id, "owner": owner, "name": "a", "size": size, "status": status, "strikes": 0, "differs": ""}
        self._insert("uploads", **row, **times, **claim, **refusal)
        return upload_id

    def insert_many(self, table: str, rows: list[dict[str, Any]]) -> None:
        columns = self._tables.tables[table].c

        def raw(name: str, value: Any) -> Any:
            """MySQL keeps tokens as bytes."""
            binary = isinstance(columns[name].type, BINARY | VARBINARY)
            return value.encode() if binary and isinstance(value, str) else value

        with self._engine.begin() as connection:
            connection.execute(
                insert(self._tables.tables[table]), [{name: raw(name, value) for name, value in row.items()} for row in rows]
            )

    def _insert(self, table: str, **values: Any) -> None:
        self.insert_many(table, [values])


def filled_catalog(url: URL, revision: str = REVISION) -> EarlierCatalog:
    """Original 1 is shared by all, 2 and 3 are ann's, 4 is a tombstone, 5 has been stored again after it."""
    filled = EarlierCatalog(url, revision)
    for number, file in enumerate(("shared", "a", "b"), start=1):
        filled.original(number, file)
    filled.original(4, "again", live=False)
    filled.original(5, "again")
    for number, owner in enumerate(OWNERS, start=1):
        filled.image(number, owner, 1, "shared", f"merged away from {owner}")
    filled.image(4, "ann", 2, "a")
    filled.image(5, "ann", 3, "b", "merged away too")
    filled.image(6, "bob", 5, "again")
    for number, status in enumerate(("pending", "processing", "rejected", "expired")):
        filled.upload(number, "bob", status, 1000 + number)
    filled.upload(9, "dan", "pending", 7)
    return filled
