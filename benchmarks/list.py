"""The list of a catalog with a million images, in ratios measured within one run: `python -m benchmarks.list`.

The catalog is filled once, which takes minutes, and kept in a folder for the next run.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import URL, Connection, delete, event, func, select

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.catalog.tables import images, uploads
from chalicelib.model.records import Admission, Box, Filters, NewUpload, Position, Range, Upload
from tests.databases import MariaDb, execute
from tests.filling import BEGIN, Maker, connection_arguments, fill

MANY, FEW = 1_000_000, 10_000
OWNER = "alice"
PAGE = 50
DEEP = 9_999 * PAGE
#: Memory for nine tenths of the data, as Aurora gives it; and no wait for the disk, which would hide what indexes cost.
SERVER_OPTIONS = ("--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G", "--innodb-flush-log-at-trx-commit=0")

NOTHING = {
    "uploaded_after": Filters(uploaded_after=datetime(2090, 1, 1, tzinfo=UTC)),
    "uploaded_before": Filters(uploaded_before=datetime(1990, 1, 1, tzinfo=UTC)),
    "taken_after": Filters(taken_after=datetime(2090, 1, 1)),
    "taken_before": Filters(taken_before=datetime(1990, 1, 1)),
    "name": Filters(name="nobody's"),
    "format": Filters(format=("AVIF",)),
    "camera_make": Filters(camera_make=("nobody's", "neither")),
    "camera_model": Filters(camera_model=("nobody's",)),
    "lens_model": Filters(lens_model=("nobody's",)),
    **{
        each: Filters(ranges={each: Range(2e9, None)})
        for each in ("width", "height", "byte_size", "iso", "f_number", "exposure_time", "focal_length")
    },
    "bbox, in the polar sea": Filters(box=Box(-170.0, -80.0, -169.0, -79.0)),
    "bbox, a line around the world": Filters(box=Box(-180.0, 10.0, 180.0, 10.000001)),
    "bbox, a line from pole to pole": Filters(box=Box(10.0, -90.0, 10.000001, 90.0)),
}
SOMETHING = {
    "uploaded in one year": Filters(
        uploaded_after=datetime(2018, 1, 1, tzinfo=UTC), uploaded_before=datetime(2019, 1, 1, tzinfo=UTC)
    ),
    "taken in one year": Filters(taken_after=datetime(2018, 1, 1), taken_before=datetime(2019, 1, 1)),
    "name holds IMG_00": Filters(name="img_00"),
    "the commonest camera": Filters(camera_model=("apple x1",)),
    "one format of a hundred": Filters(format=("webp",)),
    "ISO 3200 and more": Filters(ranges={"iso": Range(3200, None)}),
    "with a location": Filters(has_location=True),
    "without a location": Filters(has_location=False),
    "bbox, Europe": Filters(box=Box(-10.0, 35.0, 30.0, 60.0)),
    "bbox, across the antimeridian": Filters(box=Box(170.0, -50.0, -170.0, 10.0)),
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A catalog, and a bare connection to the same database."""

    url: URL
    database: Database
    catalog: Catalog
    bare: "pymysql.Connection[pymysql.cursors.Cursor]"

    def page(self, filters: Filters | None = None, after: Position | None = None) -> None:
        self.catalog.images.page(OWNER, filters or Filters(), "-uploaded_at", PAGE, after)

    def page_and_total(self, filters: Filters) -> None:
        self.page(filters)
        _count(self, filters)

    def run(self, statement: str, parameters: Any = None) -> Any:
        with self.bare.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "image-repo-bench-list")
    folder: Path = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    server = MariaDb(folder, *SERVER_OPTIONS)
    server.start()
    try:
        with filled(server, "few", FEW) as few, filled(server, "many", MANY) as many:
            measure_pages(few, many)
            measure_filters(many)
            measure_inserts(few, many)
    finally:
        server.stop()


@contextmanager
def filled(server: MariaDb, name: str, count: int) -> Iterator[Filled]:
    """The database of this name with `count` images; filled anew unless an earlier run has done so."""
    url = server.url.set(database=name)
    execute(server.url, f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
    database = Database(url, pool_size=1, read_timeout=600)
    migrate(database)
    held = database.read(lambda connection: connection.execute(select(func.count()).select_from(images)).scalar_one())
    if held != count:
        print(f"Filling {count:,} images; this is kept for the next run.", flush=True)
        execute(server.url, f"DROP DATABASE {name}", f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        migrate(database)
        fill(url, 1, count)
        execute(url, "ANALYZE TABLE images, originals, known_files, image_tags")
    with pymysql.connect(**connection_arguments(url), autocommit=True) as bare:
        yield Filled(url, database, Catalog(database), bare)
    database.dispose()


def compare(name: str, measured: Callable[[], Any], base: Callable[[], Any], aim: float | None, rounds: int = 200) -> None:
    """Print how many times as long `measured` takes as `base`: medians of runs in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    started = time.perf_counter()
    for number in range(-3, rounds):
        for work, taken in zip((measured, base), times, strict=True):
            begin = time.perf_counter()
            work()
            if number >= 0:
                taken.append(time.perf_counter() - begin)
        if number >= 2 and time.perf_counter() - started > 10:
            break
    one, other = (statistics.median(taken) * 1000 for taken in times)
    judged = "" if aim is None else f"   aim {aim:g}x: {'met' if one <= aim * other else 'MISSED'}"
    print(f"{name:48} {one:9.2f} ms {other:9.2f} ms {one / other:8.2f}x{judged}", flush=True)


def measure_pages(few: Filled, many: Filled) -> None:
    statement, parameters = _sent(many)
    offset = many.run(
        "SELECT uploaded_at, id FROM images WHERE owner = %s ORDER BY uploaded_at DESC, id DESC LIMIT %s, 1", (OWNER, DEEP - 1)
    )
    deep = Position(offset[0][0].replace(tzinfo=UTC), offset[0][1])
    by_offset = statement.replace("LIMIT %(list_limit)s", f"LIMIT {DEEP}, %(list_limit)s")
    compare("page 1: catalog against bare PyMySQL", many.page, lambda: many.run(statement, parameters), 2)
    compare("page 10,000 against page 1", lambda: many.page(after=deep), many.page, 1.2)
    compare(
        "  the same by OFFSET, bare", lambda: many.run(by_offset, parameters), lambda: many.run(statement, parameters), None
    )
    compare("1,000,000 images against 10,000", many.page, few.page, 1.5)
    compare("with the total, against without", lambda: many.page_and_total(Filters()), many.page, None)


def measure_filters(many: Filled) -> None:
    print(f"Each filter alone, matching nothing among {_count(many, Filters()):,}, against a plain page:")
    for name, filters in NOTHING.items():
        compare(f"  {name}", lambda filters=filters: many.page(filters), many.page, 100)  # type: ignore[misc]
    print("Filters that match something:")
    for name, filters in SOMETHING.items():
        compare(f"  {name}", lambda filters=filters: many.page(filters), many.page, None)  # type: ignore[misc]
        compare("    with the total", lambda filters=filters: many.page_and_total(filters), many.page, None)  # type: ignore[misc]


def measure_inserts(few: Filled, many: Filled) -> None:
    new = {each.url.database: _Newcomers(each) for each in (few, many)}
    compare("admitting an image: 1,000,000 against 10,000", new["many"].admit, new["few"].admit, 1.5, rounds=1500)
    for newcomers in new.values():
        newcomers.leave()


class _Newcomers:
    """Images that come to a filled catalog by the way every image comes, and leave it again."""

    def __init__(self, filled: Filled) -> None:
        self._filled = filled
        self._maker = Maker(-1)
        self._number = 10 * MANY
        self._ids: list[int] = []

    def admit(self) -> None:
        self._number += 1
        made = self._maker.make(self._number, OWNER)
        catalog, now = self._filled.catalog, BEGIN + timedelta(days=4000, seconds=self._number)
        catalog.uploads.add([NewUpload(f"{self._number:036}", OWNER, made.name, made.file.byte_size, None, now, now)])
        upload = catalog.uploads.lease(f"{self._number:036}", now, now)
        assert isinstance(upload, Upload)
        admission = Admission(upload.id, upload.attempt, OWNER, made.name, made.sha256, made.entry, made.file)
        self._ids.append(catalog.images.admit(admission, now).image_id)

    def leave(self) -> None:
        for image_id in self._ids:
            deletion = self._filled.catalog.images.delete(OWNER, image_id)
            assert deletion is not None
            assert deletion.tombstone is not None
            self._filled.catalog.images.forget_tombstone(deletion.tombstone.original_id)
        self._filled.database.write(lambda connection: connection.execute(delete(uploads)))


def _count(filled: Filled, filters: Filters) -> int:
    return filled.catalog.images.count(OWNER, filters)


def _sent(filled: Filled) -> tuple[str, Any]:
    """The statement of a plain page, as the driver gets it."""
    sent: list[tuple[str, Any]] = []

    def listen(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(filled.database.engine, "before_cursor_execute", listen)
    filled.page()
    event.remove(filled.database.engine, "before_cursor_execute", listen)
    return sent[-1]


if __name__ == "__main__":
    main()
