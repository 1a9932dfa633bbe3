"""The repository: the services over a database, a store and a decoder, whatever these are.

`local/composition.py` and `aws/composition.py` choose them; neither is loaded where the other runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.model.pictures import Thumbnails
from chalicelib.model.records import Quota
from chalicelib.services.access import Access
from chalicelib.services.belonging import Belonging
from chalicelib.services.findings import Findings, Reader
from chalicelib.services.ingest import Ingest
from chalicelib.services.later import Later
from chalicelib.services.library import Library
from chalicelib.services.readiness import Readiness
from chalicelib.services.strikes import Decoding, UnderStrike
from chalicelib.services.sweep import Sweep
from chalicelib.services.uploads import Uploads
from chalicelib.settings import Settings
from chalicelib.storage.port import ObjectStore
from chalicelib.storage.workspace import Workspace

#: What goes on beside the requests for as long as a server is up; it never returns.
Chore = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Decoder:
    """What turns bytes into pictures, in this process or in children of it."""

    examine: Decoding
    make_thumbnails: Callable[[Path], Thumbnails]


class Deliveries(Protocol):
    """The events on their way to `Ingest`, as far as this process knows of them."""

    def drain(self) -> None:
        """Return when none waits here and none is in hand here."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Everything a request or an event needs, put together once per process.

    `public_url` is `None` where only the request says under which address it came. `chores` are, by name, what the server that
    keeps this repository in order has to do besides.
    """

    settings: Settings
    public_url: str | None
    database: Database
    catalog: Catalog
    store: ObjectStore
    queue: Deliveries
    access: Access
    uploads: Uploads
    ingest: Ingest
    library: Library
    sweep: Sweep
    belonging: Belonging
    readiness: Readiness
    workspace: Workspace
    chores: Mapping[str, Chore] = field(default_factory=dict)

    def migrate(self) -> None:
        """Bring the catalog to the tables of this release. Raises `UnavailableError` where the database is out of reach."""
        migrate(self.database)

    def close(self) -> None:
        """Give back the connections to the database; a request that comes all the same makes new ones."""
        self.database.dispose()


def assemble(
    settings: Settings,
    public_url: str | None,
    database: Database,
    store: ObjectStore,
    queue: Deliveries,
    decoder: Decoder | Reader,
    workspace: Workspace,
    chores: Mapping[str, Chore] | None = None,
) -> Repository:
    """The services over a database, a store and a decoder, or where another process decodes, what reads its findings.

    `workspace` is where files lie that are being worked on.
    """
    stale_after = timedelta(seconds=settings.stale_seconds)
    quota = Quota(settings.owner_max_bytes, settings.owner_max_images, settings.owner_max_open_uploads)
    catalog, later = Catalog(database), Later()

    def scratch() -> Path:
        return workspace.folder

    if isinstance(decoder, Reader):
        findings = Findings(catalog, store, decoder)
        ingest = Ingest(catalog, store, findings.examine, stale_after, now, scratch, later, findings.complete)
        make_thumbnails = None
    else:
        ingest = Ingest(catalog, store, UnderStrike(catalog, decoder.examine).examine, stale_after, now, scratch, later)
        make_thumbnails = decoder.make_thumbnails
    return Repository(
        settings=settings,
        public_url=public_url,
        database=database,
        catalog=catalog,
        store=store,
        queue=queue,
        access=Access(catalog, now),
        uploads=Uploads(catalog, store, settings.max_bytes, quota, now, later),
        ingest=ingest,
        library=Library(catalog, store),
        belonging=Belonging(catalog, store),
        readiness=Readiness(catalog, store),
        sweep=Sweep(catalog, store, make_thumbnails, stale_after, now, scratch),
        workspace=workspace,
        chores=chores or {},
    )


def now() -> datetime:
    return datetime.now(UTC)
