"""Repositories on every engine whose processes are interrupted at each step of a deed, and what must hold afterwards."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, delete, insert, select

from chalicelib.catalog.tables import metadata
from chalicelib.model.records import Filters
from chalicelib.repository import Repository
from chalicelib.server import startup
from chalicelib.storage import keys
from tests.contract import interrupted
from tests.contract.interrupted import HELD
from tests.databases import column, execute, plain_engine
from tests.repositories import clock_ahead, disk_at, files_in, repository_in, sweep_ahead, take_in

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Template:
    """A repository at rest. Its catalog is a file in its folder, or these rows in the database at `url`, table by table."""

    folder: Path
    url: URL | None
    rows: dict[str, list[dict[str, Any]]]

    @property
    def database_url(self) -> str | None:
        return self.url.render_as_string(hide_password=False) if self.url else None

    def copy_to(self, folder: Path) -> None:
        """There is one database: a copy takes the place of the copy before."""
        shutil.copytree(self.folder, folder)
        if self.url:
            _in(self.url, self._restore)

    def _restore(self, connection: Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for table in metadata.sorted_tables:
            if self.rows[table.name]:
                connection.execute(insert(table), self.rows[table.name])


@dataclass(frozen=True)
class Interruption:
    """What another process finds after so many steps; `go_on` lets one that was stopped come to its end."""

    steps: int
    repository: Repository
    go_on: Callable[[], None]

    @property
    def ticket(self) -> dict[str, Any]:
        """The id of the upload that is being sent, and the fields of its form."""
        ticket: dict[str, Any] = json.loads((self.repository.settings.storage / "ticket").read_text())
        return ticket


def template_in(folder: Path, url: URL) -> Template:
    """A repository that holds one image, with id 1, of the file `HELD`; its catalog is in `url`, unless that is SQLite's."""
    url_of_server = None if url.drivername == "sqlite" else url
    built = repository_in(folder / "template", database_url=url_of_server and url.render_as_string(hide_password=False))
    assert take_in(built, HELD).status == "stored"
    return template_of(built, url_of_server)


def template_of(repository: Repository, url: URL | None) -> Template:
    """The repository as it is now; it is closed, because SQLite takes files away when the last connection ends."""
    repository.close()
    rows: dict[str, list[dict[str, Any]]] = {}

    def read(connection: Connection) -> None:
        for table in metadata.sorted_tables:
            found = connection.execute(select(table)).all()
            rows[table.name] = [dict(zip(table.columns.keys(), row, strict=True)) for row in found]

    if url:
        _in(url, read)
    return Template(repository.settings.storage, url, rows)


def _in(url: URL, work: Callable[[Connection], None]) -> None:
    engine = plain_engine(url)
    with engine.begin() as connection:
        work(connection)


def _end_transactions(url: URL) -> None:
    """What a server does by itself with a connection that has been silent for its `wait_timeout`."""
    silent = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx "
    # One whose connection has gone already belongs to none, and rolls back by itself.
    silent += "WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID())"
    execute(url, *(f"KILL {connection}" for connection in column(url, silent)))


def interruptions(deed: str, signal: str, template: Template) -> Iterator[Interruption]:
    """The repository after each number of steps of the deed, until it comes to its end."""
    copies = Path(tempfile.mkdtemp(dir=template.folder.parent))
    command = [sys.executable, "-m", interrupted.__name__, deed, signal]
    command += [template.database_url] if template.database_url else []
    environment = {**os.environ, "TMPDIR": str(copies)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=CHECKOUT, env=environment)

    def ask(line: str) -> str:
        assert process.stdin
        assert process.stdout
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def go_on() -> None:
        assert ask("go on") == "ended"

    with process:
        steps = 0
        while True:
            template.copy_to(copies / str(steps))
            outcome = ask(f"{steps} {copies / str(steps)}")
            if signal == "SIGSTOP" and template.url:
                _end_transactions(template.url)
            repository = repository_in(copies / str(steps), database_url=template.database_url)
            try:
                yield Interruption(steps, repository, go_on)
            finally:
                repository.close()  # its queue keeps it, and a server has only so many connections
            if outcome == "ended":
                return
            assert outcome == "interrupted"
            steps += 1


def start_again(repository: Repository) -> None:
    startup.recover(repository)
    repository.queue.drain()


def assert_nothing_is_broken_or_orphaned(repository: Repository, images: int) -> None:
    """A day later, when the sweep may take what nobody names, and a start what was half written.

    What owners have was counted right all along: that is no work for a sweep.
    """
    assert repository.catalog.inventory.miscounted("", 1) == []
    a_day = timedelta(hours=25)
    storage = repository.settings.storage
    disk_at(storage, clock_ahead(a_day))
    later = sweep_ahead(repository, a_day)
    assert later.run().problems == []
    assert later.run().problems == []
    assert len(files_in(storage)) == images * 4
    assert repository.library.count("local", Filters()) == images


def contents(repository: Repository) -> set[bytes]:
    """The original of every image, from the store."""
    found = set()
    for image in repository.catalog.images.page("local", Filters(), "name", 200, None).images:
        with repository.store.open(keys.original(image.file.storage_id)) as reading:
            found.add(b"".join(reading.chunks()))
    return found
