"""The repository as it runs on a laptop: a folder or a bucket, SQLite or MySQL, and decoders in child processes."""

from pathlib import Path

from chalicelib.backends import open_bucket, open_database
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import migrate
from chalicelib.errors import BadImageError
from chalicelib.imaging.examine import examine, remake_thumbnails
from chalicelib.imaging.isolation import DecoderDied, DecoderPool
from chalicelib.imaging.picture import Limits, Picture, Thumbnails
from chalicelib.local.queue import EventQueue
from chalicelib.runtime import STORE_PATH, Decoder, Runtime, assemble, now
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.disk import TEMPORARY, DiskStore
from chalicelib.storage.workspace import Workspace

#: Where `chalice local` listens unless it is told otherwise.
DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"

_POOL_SIZE = 8
#: While one upload waits for the disk or the database, another one keeps the decoder busy.
_WORKERS_PER_DECODER = 2


def compose(settings: Settings, decoder: Decoder | None = None) -> Runtime:
    """The repository, its catalog migrated.

    Raises `UnavailableError` where the database is out of reach, `SettingsError` where a setting turns out not to be usable.
    """
    public_url = settings.public_url or DEFAULT_PUBLIC_URL
    try:
        settings.storage.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"FILE_STORAGE_LOCATION names no folder that can be used: {error.strerror}.") from None
    database = _database(settings)
    migrate(database)
    # Whoever waits for the queue waits beyond the claim of a worker that is gone: only then is the upload taken over.
    patience = 2.0 * settings.stale_seconds
    # The queue's handler is asked for only when an event comes, and none comes before the end of this function.
    workers = _WORKERS_PER_DECODER * settings.decode_processes
    queue = EventQueue(lambda notification: built.ingest.handle(notification), workers, patience)
    decoder = decoder or isolated_decoder(settings)
    if settings.image_bucket is None:
        store = DiskStore(settings.storage, public_url + STORE_PATH, now, queue.send)
        built = assemble(settings, public_url, database, store, queue, decoder, store.workspace)
    else:
        bucket = open_bucket(settings, settings.image_bucket, now)
        workspace = Workspace(settings.storage / TEMPORARY)
        workspace.prepare()
        built = assemble(settings, public_url, database, bucket, queue, decoder, workspace)
    return built


def _database(settings: Settings) -> Database:
    if settings.database_url is None:
        return Database(sqlite_url(settings.storage / "catalog.sqlite3"))
    try:
        return open_database(settings, settings.database_url, _POOL_SIZE, now)
    except ValueError:  # what it says may hold a password
        raise SettingsError("DATABASE_URL cannot be read: see that its port is a number, for example.") from None


def isolated_decoder(settings: Settings) -> Decoder:
    """Decodes in child processes: one that dies or hangs takes nothing else with it."""
    limits = Limits(settings.max_pixels, settings.max_frames, settings.max_total_pixels)
    examiners: DecoderPool[[Path, bytes, Limits], Picture] = DecoderPool(
        examine, settings.decode_processes, settings.decode_seconds, settings.decode_memory
    )
    thumbnailers: DecoderPool[[Path, Limits], Thumbnails] = DecoderPool(
        remake_thumbnails, 1, settings.decode_seconds, settings.decode_memory
    )

    def examine_apart(path: Path, sha256: bytes) -> Picture:
        return examiners.run(path, sha256, limits)

    def make_thumbnails_apart(path: Path) -> Thumbnails:
        try:
            return thumbnailers.run(path, limits)
        except DecoderDied as death:
            raise BadImageError(f"The file brought the decoder down: {death}") from death

    return Decoder(examine_apart, make_thumbnails_apart)
