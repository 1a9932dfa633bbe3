"""Whether catalog and store belong together: a sweep by another catalog would take every picture for an orphan.

A random id lies in both. Where it does not, what happens depends on what there is to lose; docs/architecture.md has the table.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from itertools import islice

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.identity import CatalogId
from chalicelib.errors import ForeignStoreError, UnavailableError
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectStore, StoredObject

#: How often it is looked anew where other processes change what is being looked at.
_LOOKS = 20
#: How long two that do not belong together are looked at before they are refused, and the pause between looks, in seconds.
_PATIENCE, _PAUSE = 1.0, 0.05
#: How many of the catalog's files are looked for in the store of a release that gave no ids.
_SAMPLE = 20
_SLICE = 500


@dataclass(frozen=True, slots=True)
class _Ids:
    """The id on either side; `agreed` is the catalog's, but for one that no store was seen with yet."""

    catalog: CatalogId | None
    store: str | None

    @property
    def agreed(self) -> str | None:
        return self.catalog.id if self.catalog and self.catalog.agreed else None


class Belonging:
    """Keeps a catalog from a store that is not its own. Every method raises `UnavailableError` where one does not answer."""

    def __init__(self, catalog: Catalog, store: ObjectStore, patience: float = _PATIENCE) -> None:
        self._catalog = catalog
        self._store = store
        self._patience = patience
        self._settled = False
        self._lock = threading.Lock()

    def settle(self) -> None:
        """Return when both sides have the same id, given to them now where that is safe. Raises `ForeignStoreError`."""
        ours = set[str]()
        for _ in range(_LOOKS):
            ids = self._ids()
            if self._are_one(ids):
                if not ids.agreed and ids.store:
                    self._catalog.identity.agree(ids.store)
                return
            if ids.catalog and ids.store in ours:
                # We have written over what another process, settling at the same time, had made of the two meanwhile.
                self._store.keep_repository_id(ids.catalog.id)
                continue
            objection = self._objection(ids)
            if objection is None:
                # First the catalog, as a proposal: what a kill leaves here, the next start goes on from.
                proposed = self._catalog.identity.propose(secrets.token_hex(16), ids.catalog)
                ours.add(proposed)
                self._store.keep_repository_id(proposed)
            elif self._stays(ids):
                raise ForeignStoreError(self._refusal(objection))
        raise UnavailableError("The repository's id kept changing while it was looked at: try again.")

    def _stays(self, ids: _Ids) -> bool:
        """Whether nobody is settling the two under our eyes: of one who is, both sides are for a moment as of strangers."""
        until = time.monotonic() + self._patience
        while self._ids() == ids:
            if time.monotonic() >= until:
                return True
            time.sleep(_PAUSE)
        return False

    def settle_once(self) -> None:
        """`settle`, but only until it has succeeded in this process."""
        with self._lock:
            if not self._settled:
                self.settle()
                self._settled = True

    def look(self) -> None:
        """Raise `ForeignStoreError` where `settle` would, but change nothing."""
        ids = self._ids()
        objection = None if self._are_one(ids) else self._objection(ids)
        if objection and self._stays(ids):
            raise ForeignStoreError(self._refusal(objection))

    def is_settled(self) -> bool:
        """Whether both sides have the same id."""
        return self._are_one(self._ids())

    def adopt(self) -> None:
        """Make the store the catalog's own, whatever it was before: both get a new id, which no other catalog has."""
        if self.is_settled():
            return
        self._store.keep_repository_id(self._catalog.identity.propose(secrets.token_hex(16), self._catalog.identity.get()))
        self.settle()

    def prospect(self) -> str:
        """What adopting would mean, in words for the operator who decides; goes through the whole store."""
        in_store = named = 0
        listing = self._store.list(keys.ORIGINALS)
        while part := list(islice(listing, _SLICE)):
            in_store += len(part)
            named += len(self._catalog.inventory.named_storage_ids(set(map(_storage_id, part))))
        live = self._catalog.identity.count_live()
        return (
            f"{self._subject} would belong together from then on, and any other catalog would be refused here. "
            f"Of {in_store} files in the store this catalog names {named}. The other {in_store - named} become orphans: the "
            "sweep sets them aside once they are a day old (more than a tenth of the store only when it is told --all), and "
            f"destroys them 7 days later. Of {live} files that the catalog keeps, {max(0, live - named)} are not in this store."
        )

    @property
    def _subject(self) -> str:
        return self.sides[0].upper() + self.sides[1:]

    @property
    def sides(self) -> str:
        return f"the catalog in {self._catalog.name} and the store in {self._store.name}"

    def _ids(self) -> _Ids:
        """Both as they stood at one moment."""
        for _ in range(_LOOKS):
            in_store = self._store.repository_id()
            ids = _Ids(self._catalog.identity.get(), in_store)
            if self._are_one(ids) or self._store.repository_id() == in_store:
                return ids
        raise UnavailableError("The repository's id kept changing while it was looked at: try again.")

    @staticmethod
    def _are_one(ids: _Ids) -> bool:
        return ids.catalog is not None and ids.catalog.id == ids.store

    def _objection(self, ids: _Ids) -> str | None:
        """Why the two may not be given one id; `None` where nothing can be lost by it."""
        if ids.agreed and ids.store:
            return "each belongs to another one"
        has_images, has_files = self._catalog.identity.has_images(), self._has_files()
        if not has_images and not has_files:
            return None
        if not has_images:
            return "the store holds pictures, and the catalog knows of none"
        if ids.store:
            return "the store is another catalog's"
        if ids.agreed:
            return "the catalog's pictures lie in another store"
        if not has_files:
            return "the catalog has pictures, and the store holds none"
        # Both were filled by a release that gave no ids. It is one repository where the one has what the other names.
        return None if self._shares_a_file() else "the store holds none of the catalog's pictures"

    def _has_files(self) -> bool:
        return any(True for prefix in (keys.ORIGINALS, keys.THUMBNAILS) for _ in self._store.list(prefix))

    def _shares_a_file(self) -> bool:
        originals = self._catalog.inventory.live_originals("", _SAMPLE)
        return any(self._holds(keys.original(original.file.storage_id)) for original in originals)

    def _holds(self, key: str) -> bool:
        """By listing: what takes files in may list the originals on AWS, but not look at one."""
        return any(item.key == key for item in islice(self._store.list(keys.ORIGINALS, key[:-1]), _SAMPLE))

    def _refusal(self, objection: str) -> str:
        return (
            f"{self._subject} do not belong together ({objection}): see that the settings name the "
            "right ones (DATABASE_URL, MYSQL_IMAGE_REPO_ADMIN_PW, FILE_STORAGE_LOCATION, IMAGE_BUCKET), or run "
            "`python -m chalicelib.cli adopt`, which first says what it would do."
        )


def _storage_id(item: StoredObject) -> str:
    return keys.storage_of(item.key) or ""
