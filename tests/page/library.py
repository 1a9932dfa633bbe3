"""A repository with as many images as a test wants, written past the uploads: rows at once, and few files for many rows."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from chalicelib import runtime
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.tables import image_tags, images, originals
from chalicelib.repository import Repository
from chalicelib.settings import Settings
from chalicelib.storage import keys
from tests import pictures
from tests.filling import Maker
from tests.page.scenes import scene

_SHAPES = ((4032, 3024), (3024, 4032), (6000, 4000), (4608, 3456), (1920, 1080))
_NEWEST = datetime(2024, 6, 30, 18, tzinfo=UTC)
_BATCH = 2000

#: An image and its tags.
Row = tuple[dict[str, Any], dict[str, Any]]


def fill(folder: Path, count: int, files: int = 40) -> None:
    """Give the owner of a laptop `count` images, a few dozen a day up to mid-2024, that share `files` files."""
    built = runtime.build(Settings(storage=folder))
    database = Database(sqlite_url(folder / "catalog.sqlite3"))
    shared = [_store(built, number) for number in range(1, files + 1)]
    database.write(lambda connection: connection.execute(insert(originals), shared))
    rows = _rows(count, shared)
    while batch := list(islice(rows, _BATCH)):
        database.write(partial(_insert, batch))


def _insert(batch: list[Row], connection: Connection) -> None:
    connection.execute(insert(images), [image for image, _ in batch])
    connection.execute(insert(image_tags), [tags for _, tags in batch])


def _store(built: Repository, number: int) -> dict[str, Any]:
    """Put one file with its thumbnails into the store; its row."""
    made, *_ = Maker(number).make(number, "local").rows(number)
    width, height = _shape(number)
    for size in (256, 512, 1280):
        scale = size / max(width, height)
        thumbnail = pictures.encoded(scene(number, round(width * scale), round(height * scale)), "JPEG", quality=82)
        built.store.put(keys.thumbnail(made["storage_id"], size, "jpg"), thumbnail, "image/jpeg")
    built.store.put(keys.original(made["storage_id"]), pictures.photo(number), "image/jpeg")
    return made | {"format": "JPEG"}


def _rows(count: int, shared: list[dict[str, Any]]) -> Iterator[Row]:
    """The newest first by id as by time, as if they had been uploaded in the order in which they were taken."""
    maker = Maker(0)
    for number in range(1, count + 1):
        _, image, tags, _ = maker.make(number, "local").rows(number)
        file = shared[number % len(shared)]
        width, height = _shape(file["id"])
        taken_at = (_NEWEST - timedelta(minutes=37 * (count - number))).replace(tzinfo=None)
        image |= {
            "original_id": file["id"],
            "identity": hashlib.sha256(f"identity {number}".encode()).digest(),
            "name": f"IMG_{number:06}.JPG",
            "name_key": f"img_{number:06}.jpg".encode(),
            "width": width,
            "height": height,
            "taken_at": taken_at,
            "sort_time": taken_at,
        }
        yield image, tags


def _shape(number: int) -> tuple[int, int]:
    return _SHAPES[number % len(_SHAPES)]
