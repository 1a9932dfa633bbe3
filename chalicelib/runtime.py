"""The composition root: from settings to a store, a catalog and the services over them."""

import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chalicelib import settings as settings_module
from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.migrate import migrate
from chalicelib.errors import BadImageError
from chalicelib.imaging.examine import examine, remake_thumbnails
from chalicelib.imaging.isolation import DecoderDied, DecoderPool
from chalicelib.imaging.picture import Limits, Picture, Thumbnails
from chalicelib.local.queue import EventQueue
from chalicelib.services.access import Access
from chalicelib.services.ingest import Examine, Ingest
from chalicelib.services.library import Library
from chalicelib.services.sweep import MakeThumbnails, Sweep
from chalicelib.services.uploads import Quota, Uploads
from chalicelib.settings import Settings
from chalicelib.storage.disk import DiskStore

#: Where `chalice local` listens unless it is told otherwise.
DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"
#: The route of the local store, below the public URL.
STORE_PATH = "/store"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a request or an event needs, put together once per process."""

    settings: Settings
    public_url: str
    catalog: Catalog
    store: DiskStore
    queue: EventQueue
    access: Access
    uploads: Uploads
    ingest: Ingest
    library: Library
    sweep: Sweep


def build(settings: Settings, decoder: "Decoder | None" = None) -> Runtime:
    """Put a repository together, with its catalog migrated. Raises `UnavailableError` where the database is out of reach.

    `decoder` replaces the child processes that decode.
    """
    public_url = settings.public_url or DEFAULT_PUBLIC_URL
    stale_after = timedelta(seconds=settings.stale_seconds)
    settings.storage.mkdir(0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url or sqlite_url(settings.storage / "catalog.sqlite3"))
    migrate(database)
    catalog = Catalog(database)
    queue = EventQueue(lambda notification: ingest.handle(notification), settings.decode_processes)
    store = DiskStore(settings.storage, public_url + STORE_PATH, _now, queue.send)
    decoder = decoder or isolated_decoder(settings)
    ingest = Ingest(catalog, store, decoder.examine, stale_after, _now)
    return Runtime(
        settings=settings,
        public_url=public_url,
        catalog=catalog,
        store=store,
        queue=queue,
        access=Access(catalog, _now),
        uploads=Uploads(catalog, store, settings.max_bytes, _quota(settings), _now),
        ingest=ingest,
        library=Library(catalog, store),
        sweep=Sweep(catalog, store, decoder.make_thumbnails, stale_after, _now),
    )


@dataclass(frozen=True, slots=True)
class Decoder:
    """What turns bytes into pictures."""

    examine: Examine
    make_thumbnails: MakeThumbnails


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

    def make_thumbnails_apart(chunks: Iterable[bytes]) -> Thumbnails:
        with tempfile.NamedTemporaryFile(prefix="image-repo-") as file:
            file.writelines(chunks)
            file.flush()
            try:
                return thumbnailers.run(Path(file.name), limits)
            except DecoderDied as death:
                raise BadImageError(f"The file brought the decoder down: {death}") from death

    return Decoder(examine_apart, make_thumbnails_apart)


def _quota(settings: Settings) -> Quota:
    return Quota(settings.owner_max_bytes, settings.owner_max_images, settings.owner_max_open_uploads)


def _now() -> datetime:
    return datetime.now(UTC)


class _Process:
    """What this process runs, once something has asked for it."""

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._lock = threading.Lock()

    def get(self) -> Runtime:
        with self._lock:
            if self._runtime is None:
                self._runtime = build(settings_module.from_env())
            return self._runtime

    def set(self, runtime: Runtime) -> None:
        with self._lock:
            self._runtime = runtime


_process = _Process()


def current() -> Runtime:
    """This process's repository, built from the environment when it is first asked for."""
    return _process.get()


def use(runtime: Runtime) -> None:
    """Make `runtime` this process's repository."""
    _process.set(runtime)
