"""Repositories for tests below HTTP, with decoders that run in the test's own process."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib import runtime
from chalicelib.imaging.examine import examine, remake_thumbnails
from chalicelib.model.pictures import Limits, Picture, Thumbnails
from chalicelib.model.records import Upload
from chalicelib.repository import Decoder, Repository
from chalicelib.services.sweep import Sweep
from chalicelib.settings import Settings
from chalicelib.storage.disk import DiskStore
from tests.catalog_files import put_catalog

#: The audit event with which a decoding begins.
DECODING = "decoding begins"
STORE_URL = "http://repository.test/store"
LIMITS = Limits(10**6, 10, 10**7)


def decoder_here() -> Decoder:
    def examine_here(path: Path, sha256: bytes, _owner: str) -> Picture:
        sys.audit(DECODING)
        with path.open("rb") as file:
            return examine(file, sha256, LIMITS)

    def make_thumbnails_here(path: Path) -> Thumbnails:
        with path.open("rb") as file:
            return remake_thumbnails(file, LIMITS)

    return Decoder(examine_here, make_thumbnails_here)


def repository_in(folder: Path, decoder: Decoder | None = None, **settings: Any) -> Repository:
    """The repository in this folder, new or as it was left; one worker takes files in."""
    values = {"public_url": "http://repository.test", "decode_processes": 1, **settings}
    if settings.get("database_url") is None:
        put_catalog(folder / "catalog.sqlite3")
    return runtime.build(Settings(storage=folder, **values), decoder or decoder_here())


def disk_of(repository: Repository) -> DiskStore:
    """Its store, which is a folder."""
    assert isinstance(repository.store, DiskStore)
    return repository.store


def disk_at(storage: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> DiskStore:
    """The store of a repository's folder, opened once more: its events come to nobody."""
    return DiskStore(storage, STORE_URL, clock, None)


def take_in(repository: Repository, content: bytes, owner: str = "local", name: str = "photo.png") -> Upload:
    """What became of the file, once everything is at rest."""
    upload = repository.uploads.receive(owner, name, content)
    repository.queue.drain()
    return repository.uploads.status(owner, upload.id)


def clock_ahead(by: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + by


def sweep_ahead(repository: Repository, by: timedelta) -> Sweep:
    """The repository's sweep as it would run later."""
    return replace(repository.sweep, clock=clock_ahead(by))


def files_in(folder: Path) -> list[Path]:
    """Every file that the store below this folder keeps, half-written ones too."""
    sections = ("incoming", "decoded", "originals", "thumbnails", "temporary")
    return sorted(path for section in sections for path in (folder / section).rglob("*") if path.is_file())
