"""The composition root: what one process runs, put together from its settings when it is first asked for.

What a laptop and AWS have in common is here; `local/composition.py` and `deployed.py` add what is theirs, and neither is
loaded where the other runs.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from chalicelib import settings as settings_module
from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.catalog.records import Quota
from chalicelib.services.access import Access
from chalicelib.services.belonging import Belonging
from chalicelib.services.completion import MakeThumbnails
from chalicelib.services.ingest import Examine, Ingest
from chalicelib.services.later import Later
from chalicelib.services.library import Library
from chalicelib.services.sweep import Sweep
from chalicelib.services.uploads import Uploads
from chalicelib.settings import Settings
from chalicelib.storage.port import ObjectStore
from chalicelib.storage.workspace import Workspace

#: The route of a laptop's store, below the public URL.
STORE_PATH = "/store"


@dataclass(frozen=True, slots=True)
class Decoder:
    """What turns bytes into pictures."""

    examine: Examine
    make_thumbnails: MakeThumbnails


class Deliveries(Protocol):
    """The events on their way to `Ingest`, as far as this process knows of them."""

    def drain(self) -> None:
        """Return when none waits here and none is in hand here."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a request or an event needs, put together once per process.

    `public_url` is `None` where only the request says under which address it came.
    """

    settings: Settings
    public_url: str | None
    catalog: Catalog
    store: ObjectStore
    queue: Deliveries
    access: Access
    uploads: Uploads
    ingest: Ingest
    library: Library
    sweep: Sweep
    belonging: Belonging
    workspace: Workspace
    migrate: Callable[[], None]


def build(settings: Settings, decoder: Decoder | None = None) -> Runtime:
    """Put a repository together: on a laptop migrated, and its catalog the store's own; on AWS without any connection made.

    Raises `UnavailableError` where a laptop's database is out of reach, `ForeignStoreError` where its catalog and store do not
    belong together. `decoder` replaces what decodes otherwise.
    """
    if settings.on_lambda:
        from chalicelib import deployed

        return deployed.compose(settings, decoder)
    from chalicelib.local import composition

    return composition.compose(settings, decoder)


def assemble(
    settings: Settings,
    public_url: str | None,
    database: Database,
    store: ObjectStore,
    queue: Deliveries,
    decoder: Decoder,
    workspace: Workspace,
) -> Runtime:
    """The services over a database, a store and a decoder; `workspace` is where files lie that are being worked on."""
    stale_after = timedelta(seconds=settings.stale_seconds)
    quota = Quota(settings.owner_max_bytes, settings.owner_max_images, settings.owner_max_open_uploads)
    catalog, later = Catalog(database), Later()

    def scratch() -> Path:
        return workspace.folder

    return Runtime(
        settings=settings,
        public_url=public_url,
        catalog=catalog,
        store=store,
        queue=queue,
        access=Access(catalog, now),
        uploads=Uploads(catalog, store, settings.max_bytes, quota, now, later),
        ingest=Ingest(catalog, store, decoder.examine, stale_after, now, scratch, later),
        library=Library(catalog, store),
        belonging=Belonging(catalog, store),
        sweep=Sweep(catalog, store, decoder.make_thumbnails, stale_after, now, scratch),
        workspace=workspace,
        migrate=lambda: migrate(database),
    )


def now() -> datetime:
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


def unsettled(*, look_only: bool) -> Runtime:
    """This process's repository, whether or not its catalog and store belong together; otherwise as `current` puts it
    together, or with `look_only` as `as_it_is` does."""
    from chalicelib.local import composition

    compose = composition.compose_unsettled_as_it_is if look_only else composition.compose_unsettled
    return compose(settings_module.from_env())


def as_it_is() -> Runtime:
    """This process's repository, to be looked at: nothing is made, migrated, removed or marked.

    Raises what `build` raises, and `SettingsError` where there is nothing yet, or only what an earlier release has left.
    """
    from chalicelib.local import composition

    return composition.compose_as_it_is(settings_module.from_env())


def use(runtime: Runtime) -> None:
    """Make `runtime` this process's repository."""
    _process.set(runtime)
