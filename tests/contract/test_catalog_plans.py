"""How the databases go about the list: by an index led by the owner, never through all of it, never sorting all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import URL, Connection, event

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.model.records import Box, Filters, Position, Range, Sort
from tests.contract.conftest import ENGINES, Servers
from tests.databases import execute, new_database
from tests.filling import BEGIN, fill

IMAGES = 20_000
OWNER, OWNED = "alice", IMAGES * 8 // 10
MIDDLE = BEGIN + timedelta(minutes=5 * IMAGES // 2)
WALL = MIDDLE.replace(tzinfo=None)

POSITIONS: dict[Sort, Position] = {
    "uploaded_at": Position(MIDDLE, IMAGES // 2),
    "-uploaded_at": Position(MIDDLE, IMAGES // 2),
    "taken_at": Position(WALL, IMAGES // 2),
    "-taken_at": Position(WALL, IMAGES // 2),
    "name": Position(b"img_5000.jpg", IMAGES // 2),
    "-name": Position(b"img_5000.jpg", IMAGES // 2),
    "byte_size": Position(2_500_000, IMAGES // 2),
    "-byte_size": Position(2_500_000, IMAGES // 2),
}
#: Each matches few images or many; the plan must do in either case.
FILTERS = {
    "uploaded in a day": Filters(uploaded_after=MIDDLE, uploaded_before=MIDDLE + timedelta(days=1)),
    "uploaded after": Filters(uploaded_after=MIDDLE),
    "uploaded never": Filters(uploaded_after=datetime(2090, 1, 1, tzinfo=UTC)),
    "taken in a day": Filters(taken_after=WALL, taken_before=WALL + timedelta(days=1)),
    "taken after": Filters(taken_after=WALL),
    "taken never": Filters(taken_after=datetime(2090, 1, 1)),
    "a common camera": Filters(camera_make=("apple",), camera_model=("apple x1",)),
    "an unknown camera": Filters(camera_make=("nobody's",)),
    "an unknown lens": Filters(lens_model=("nobody's",)),
    "a common format": Filters(format=("jpeg",)),
    "a box around a town": Filters(box=Box(10.0, 45.0, 10.2, 45.2)),
    "a box across the antimeridian": Filters(box=Box(179.9, -17.0, -179.9, -16.8)),
    "a box around the world": Filters(box=Box(-180.0, -90.0, 180.0, 90.0)),
    "with a location": Filters(has_location=True),
    "without a location": Filters(has_location=False),
    **{
        f"{name} beyond all": Filters(ranges={name: Range(2e9, None)})
        for name in ("width", "height", "byte_size", "iso", "f_number", "exposure_time", "focal_length")
    },
}


@pytest.fixture(scope="module", params=[engine for engine in ENGINES if engine != "sqlite"])
def filled(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    """A server's database with many images; nobody changes it."""
    with new_database(servers.server(request.param)) as url:
        database = Database(url)
        migrate(database)
        fill(url, 1, IMAGES)
        execute(url, "ANALYZE TABLE images, originals")
        yield database
        database.dispose()


def _plan(database: Database, filters: Filters, sort: Sort, after: Position | None) -> list[Any]:
    """How the database finds the images of exactly the statement that the catalog sends."""
    sent: list[tuple[str, Any]] = []

    def listen(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", listen)
    Catalog(database).images.page(OWNER, filters, sort, 50, after)
    event.remove(database.engine, "before_cursor_execute", listen)
    statement, parameters = sent[-1]
    explain = "EXPLAIN QUERY PLAN " if database.engine.dialect.name == "sqlite" else "EXPLAIN FORMAT=TRADITIONAL "
    return list(database.read(lambda connection: connection.exec_driver_sql(explain + statement, parameters).all()))


def _finding(database: Database, filters: Filters, sort: Sort, after: Position | None = None) -> Any:
    """The step of a server's plan that finds the images by id."""
    steps = _plan(database, filters, sort, after)
    # Where the plan is certain that nothing matches it has no such step.
    found = [step for step in steps if step.table == "images" and step.select_type == "DERIVED"]
    assert found, steps
    return found[0]


@pytest.mark.parametrize("sort", POSITIONS)
@pytest.mark.parametrize("deep", [False, True])
def test_each_sort_walks_an_index_of_its_own_without_sorting(filled: Database, sort: Sort, deep: bool) -> None:
    step = _finding(filled, Filters(), sort, POSITIONS[sort] if deep else None)
    column = {"taken_at": "sort_time"}.get(sort.removeprefix("-"), sort.removeprefix("-"))
    assert step.key == f"ix_images_owner_{column}"
    assert step.type in ("ref", "range")
    assert "Using index" in step.Extra
    assert "filesort" not in step.Extra


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("sort", ["-uploaded_at", "taken_at", "name", "-byte_size"])
def test_no_filter_reads_or_sorts_the_whole_list(filled: Database, name: str, sort: Sort) -> None:
    step = _finding(filled, FILTERS[name], sort)
    assert step.key.startswith("ix_images_owner_"), step
    assert step.type in ("ref", "range")
    assert "filesort" not in step.Extra or int(step.rows) < OWNED / 10


@pytest.mark.parametrize("sort", POSITIONS)
def test_a_part_of_the_name_is_looked_for_in_the_index_alone(filled: Database, sort: Sort) -> None:
    step = _finding(filled, Filters(name="nobody's"), sort)
    assert step.key.startswith("ix_images_owner_")
    assert "Using index" in step.Extra
    assert "filesort" not in step.Extra


@pytest.mark.parametrize("sort", POSITIONS)
@pytest.mark.parametrize("deep", [False, True])
def test_sqlite_walks_the_sorts_own_index_too(sqlite: Database, sort: Sort, deep: bool) -> None:
    steps = [row.detail for row in _plan(sqlite, Filters(), sort, POSITIONS[sort] if deep else None)]
    column = {"taken_at": "sort_time"}.get(sort.removeprefix("-"), sort.removeprefix("-"))
    # The fifty that are shown are sorted once more; the list is not.
    found = steps[: steps.index("SCAN shown")]
    assert any(f"USING COVERING INDEX ix_images_owner_{column} (owner=?" in step for step in found), steps
    assert not any("TEMP B-TREE" in step for step in found)


@pytest.mark.parametrize("name", FILTERS)
def test_sqlite_never_scans_all_images_for_a_filter(sqlite: Database, name: str) -> None:
    steps = [row.detail for row in _plan(sqlite, FILTERS[name], "-uploaded_at", None)]
    assert any("images USING" in step and "(owner=?" in step for step in steps), steps
    assert not any(step.startswith("SCAN images") for step in steps)


@pytest.fixture
def sqlite(tmp_path: Any) -> Iterator[Database]:
    database = Database(URL.create("sqlite", database=str(tmp_path / "catalog.db")))
    migrate(database)
    yield database
    database.dispose()
