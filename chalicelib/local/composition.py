"""The repository as it runs on a laptop: a folder or a bucket, SQLite or MySQL, and decoders in child processes."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from chalicelib.backends import open_bucket, open_database
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import is_due, migrate
from chalicelib.decoding import fence
from chalicelib.decoding.decoders import Aside, Decoders, Room
from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.local.queue import EventQueue
from chalicelib.local.watch import Watch
from chalicelib.model.pictures import Limits
from chalicelib.repository import Decoder, Repository, assemble, now
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.disk import TEMPORARY, DiskStore
from chalicelib.storage.workspace import Workspace

#: The route of a laptop's store, below the public URL.
STORE_PATH = "/store"
#: Where `chalice local` listens unless it is told otherwise.
DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"

_POOL_SIZE = 8
_LOOK_EVERY_SECONDS = 3.0
#: How many uploads are worked on at once, besides those that wait for a decoder.
_WORKERS = 4

log = logging.getLogger(__name__)


def compose(settings: Settings, decoder: Decoder | None = None) -> Repository:
    """The repository, its catalog migrated and seen to be the store's own.

    Raises `UnavailableError` where the database is out of reach, `SettingsError` where a setting turns out not to be usable,
    `ForeignStoreError` where catalog and store do not belong together.
    """
    built = compose_unsettled(settings, decoder)
    built.belonging.settle()
    return built


def wait_for_database(settings: Settings) -> None:
    """Return when the database answers: one that is not up yet is given some time, with a line now and then.

    Raises `MisconfiguredError` at once where waiting is no use, and `UnavailableError` where it was in vain.
    """
    if settings.database_url is None or not settings.database_url.startswith("mysql"):
        return  # a file is there or is made
    database, until = _database(settings), time.monotonic() + settings.database_wait_seconds
    with _naming(database):
        while True:
            try:
                database.check()
            except UnavailableError as problem:
                if isinstance(problem, MisconfiguredError) or time.monotonic() >= until:
                    raise
                log.warning("waiting for %s: %s", database.name, problem.cause)
                time.sleep(_LOOK_EVERY_SECONDS)
            else:
                database.dispose()
                return


@contextmanager
def _naming(database: Database) -> Iterator[None]:
    """An operator has to know which database it is that cannot be used; clients are never told."""
    try:
        yield
    except UnavailableError as problem:
        told = f"The catalog in {database.name} cannot be used."
        raise type(problem)(told, problem.cause or problem.message) from problem


def compose_unsettled(settings: Settings, decoder: Decoder | None = None) -> Repository:
    """The repository, its catalog migrated. Raises what `compose` raises, but for `ForeignStoreError`."""
    try:
        settings.storage.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"FILE_STORAGE_LOCATION names no folder that can be used: {error.strerror}.") from None
    database = _database(settings)
    with _naming(database):
        migrate(database)
    return _assembled(settings, database, decoder)


def compose_as_it_is(settings: Settings) -> Repository:
    """The repository, with folder, catalog and store left as they are. Raises what `compose` raises."""
    built = compose_unsettled_as_it_is(settings)
    built.belonging.look()
    return built


def compose_unsettled_as_it_is(settings: Settings) -> Repository:
    """As `compose_as_it_is`. Raises what that raises, but for `ForeignStoreError`."""
    database = _database(settings)
    if database.is_missing:
        raise SettingsError(f"There is no catalog in {database.name}: nothing was looked at, and nothing made.")
    if settings.image_bucket is None and not settings.storage.is_dir():
        raise SettingsError(f"There is no folder {settings.storage}: nothing was looked at, and nothing made.")
    with _naming(database):
        due = is_due(database)
    if due:
        raise SettingsError(
            f"The catalog in {database.name} has not the tables of this release: run `python -m chalicelib.cli migrate` "
            "first; nothing was changed."
        )
    return _assembled(settings, database, None, look_only=True)


def _assembled(settings: Settings, database: Database, decoder: Decoder | None, *, look_only: bool = False) -> Repository:
    public_url = settings.public_url or DEFAULT_PUBLIC_URL
    # Whoever waits for the queue waits beyond the lease of a worker that is gone: only then is the upload taken over.
    patience = 2.0 * settings.stale_seconds
    # The queue's handler is asked for only when an event comes, and none comes before the end of this function.
    queue = EventQueue(lambda notification: built.ingest.handle(notification), _WORKERS, patience)
    decoder = decoder or isolated_decoder(settings, queue.aside)
    if settings.image_bucket is None:
        disk = DiskStore(settings.storage, public_url + STORE_PATH, now, queue.send, look_only=look_only)
        built = assemble(settings, public_url, database, disk, queue, decoder, disk.workspace)
    else:
        bucket = open_bucket(settings, settings.image_bucket, now)
        workspace = Workspace(settings.storage / TEMPORARY)
        if not look_only:
            workspace.prepare()
        chores = {"watch": Watch(bucket, queue.send).go_on_looking}
        built = assemble(settings, public_url, database, bucket, queue, decoder, workspace, chores)
    return built


def _database(settings: Settings) -> Database:
    if settings.database_url is None:
        return Database(sqlite_url(settings.storage / "catalog.sqlite3"))
    try:
        return open_database(settings, settings.database_url, _POOL_SIZE, now)
    except ValueError:  # what it says may hold a password
        raise SettingsError("DATABASE_URL cannot be read: see that its port is a number, for example.") from None


def isolated_decoder(settings: Settings, aside: Aside = nullcontext) -> Decoder:
    """Decodes in child processes behind a fence: one that dies, hangs or is taken over takes nothing else with it."""
    fence.guard()
    limits = Limits(settings.max_pixels, settings.max_frames, settings.max_total_pixels)
    room = Room(settings.decode_memory, settings.decode_processes, settings.decode_seconds)
    decoders = Decoders(limits, room, aside=aside)
    return Decoder(decoders.examine, decoders.make_thumbnails)
