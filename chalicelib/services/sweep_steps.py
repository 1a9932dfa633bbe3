"""The steps of a sweep: each puts right one kind of what faults leave behind, touches nothing else, and says what it did."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import ClassVar, TypeVarTuple

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.model.records import NoLease, Sharer, Tombstone, Upload
from chalicelib.services.completion import Completion
from chalicelib.services.library import remove_file
from chalicelib.services.orphans import Orphans
from chalicelib.services.sweep_report import Report
from chalicelib.services.unsharing import give_own_copy
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectMissing, ObjectStore, StoredObject

#: How long after its time a ticket is given up, and how old an object must be before it can be taken for an orphan.
GRACE = timedelta(hours=24)
#: How long what was set aside can be brought back.
KEPT_ASIDE = timedelta(days=7)
#: How long it can be asked what became of an upload.
MEMORY = timedelta(days=30)
SLICE = 500

log = logging.getLogger(__name__)

A = TypeVarTuple("A")


@dataclass(frozen=True, slots=True)
class Steps:
    """Each step deals with one slice behind `after` and returns where the next one begins, or `None` at the end."""

    catalog: Catalog
    store: ObjectStore
    completion: Completion
    stale_after: timedelta
    clock: Callable[[], datetime]
    report: Report
    found: Orphans
    dry_run: bool

    #: In their order. The names are kept in the catalog where a sweep is cut off.
    names: ClassVar[tuple[str, ...]] = (
        "tickets",
        "leases",
        "incoming",
        "decoded",
        "shared",
        "unreferenced",
        "tombstones",
        "originals",
        "thumbnails",
        "orphans",
        "aside",
        "missing",
        "forgotten",
        "counters",
        "invariants",
    )

    def do(self, name: str, after: str) -> str | None:
        """One slice of a step. One that fails as a whole is left, with a line. Raises `UnavailableError`."""
        step: Callable[[str], str | None] = getattr(self, name)
        try:
            return step(after)
        except Exception as error:
            self._blame(f"The step {name!r} of the sweep broke off", error)
            return None

    def tickets(self, after: str) -> str | None:
        """Tickets long past their time for which no bytes came. Where some did, `incoming` has them taken in."""
        uploads = self.catalog.inventory.overdue(self.clock() - GRACE, after, SLICE)
        for upload in uploads:
            self._item(f"The ticket of upload {upload.id}", self._expire, upload)
        return uploads[-1].id if uploads else None

    def leases(self, after: str) -> str | None:
        """Uploads whose worker has not been heard of: their event again, or, without bytes, back to waiting for them."""
        uploads = self.catalog.inventory.stale(self._stale_before(), after, SLICE)
        for upload in uploads:
            self._item(f"The lease on upload {upload.id}", self._take_from_worker, upload)
        return uploads[-1].id if uploads else None

    def incoming(self, after: str) -> str | None:
        """What has lain in `incoming/` too long: its event again, or an orphan where its upload has ended or is not known."""
        objects, orphans = self._slice_of(keys.INCOMING, after), list[str]()
        for item in self._older(objects, self._stale_before()):
            self._item(f"The object {item.key}", self._take_in_or_note, item, orphans)
        self._set_aside(self.found.add(len(objects), orphans))
        return objects[-1].key if objects else None

    def decoded(self, after: str) -> str | None:
        """What was found in bytes that have been taken in since, or that were never wanted: nothing is lost with it."""
        objects = self._slice_of(keys.DECODED, after)
        old = [item.key for item in self._older(objects, self.clock() - GRACE)]
        if old and not self.dry_run:
            self.store.delete(old)
        self.report.count("findings that nobody waits for removed", len(old))
        return objects[-1].key if objects else None

    def shared(self, after: str) -> str | None:
        """Images that share a file with another owner's, as the release before stored equal files: each gets a copy."""
        sharers = self.catalog.inventory.sharers(int(after or 0), SLICE)
        for sharer in sharers:
            self._item(f"The file of image {sharer.image_id}", self._unshare, sharer)
        return str(sharers[-1].image_id) if sharers else None

    def unreferenced(self, _: str) -> str | None:
        """Live originals that no image refers to."""
        marked = len(self.catalog.inventory.tombstone_unreferenced(SLICE, dry_run=self.dry_run))
        self.report.count("originals without an image marked as deleted", marked)
        return "" if marked == SLICE and not self.dry_run else None

    def tombstones(self, after: str) -> str | None:
        """Tombstones whose objects or row are still there: what an owner deleted goes at once."""
        files = self.catalog.inventory.tombstones(int(after or 0), SLICE)
        for tombstone in files:
            self._item(f"The deleted file {tombstone.file.storage_id}", self._clear, tombstone)
        return str(files[-1].original_id) if files else None

    def originals(self, after: str) -> str | None:
        return self._look_for_orphans(keys.ORIGINALS, after)

    def thumbnails(self, after: str) -> str | None:
        return self._look_for_orphans(keys.THUMBNAILS, after)

    def orphans(self, _: str) -> str | None:
        """What the steps before have found, where it is decided over the whole listing."""
        self._set_aside(self.found.decide())
        return None

    def aside(self, _: str) -> str | None:
        """What was set aside long enough ago."""
        destroyed = self.store.forget_aside((self.clock() - KEPT_ASIDE).date(), dry_run=self.dry_run)
        self.report.count("objects set aside a week ago destroyed", destroyed)
        return None

    def missing(self, after: str) -> str | None:
        """Live originals without their objects: thumbnails are made again, a lost original is a problem to report."""
        originals = self.catalog.inventory.live_originals(after, SLICE)
        if not originals:
            return None
        last = originals[-1].file.storage_id
        held = self._keys_between(keys.ORIGINALS, after, last) | self._keys_between(keys.THUMBNAILS, after, last)
        for original in originals:
            self._item(f"The original {original.file.storage_id}", self.completion.complete, original, held)
        return last

    def forgotten(self, _: str) -> str | None:
        """Uploads that ended long ago."""
        before = self.clock() - MEMORY
        count = self.catalog.inventory.forget_uploads(before, SLICE, dry_run=self.dry_run)
        self.report.count("ended uploads forgotten", count)
        return "" if count == SLICE and not self.dry_run else None

    def counters(self, after: str) -> str | None:
        """Owners whose counters have gone wrong."""
        owners = self.catalog.inventory.miscounted(after, SLICE)
        for owner in owners:
            self._item(f"The counters of {owner}", self._recount, owner)
        return owners[-1] if owners else None

    def invariants(self, _: str) -> str | None:
        self.report.broken_invariants(*self.catalog.inventory.violations())
        return None

    def _item(self, what: str, deal: Callable[[*A], None], *item: *A) -> None:
        """Deal with one item: one that fails costs a line, never those behind it."""
        try:
            deal(*item)
        except Exception as error:
            self._blame(f"{what} could not be dealt with", error)

    def _blame(self, what: str, error: Exception) -> None:
        """Report what failed, unless it is that catalog or store do not answer at all: then that is raised."""
        for side in (self.store, self.catalog):
            (side.check if self.dry_run else side.check_writing)()
        if isinstance(error, RepositoryError):
            cause = error.message
        else:
            log.error("%s", what, exc_info=error)
            cause = f"a fault that the log tells of ({type(error).__name__})."
        self.report.problems.append(f"{what}: {cause}")

    def _expire(self, upload: Upload) -> None:
        if self.store.head(keys.incoming(upload.id)) is None:
            if not self.dry_run:
                self.catalog.inventory.expire(upload.id, self.clock())
            self.report.count("tickets expired")

    def _take_from_worker(self, upload: Upload) -> None:
        if self.store.head(keys.incoming(upload.id)):
            self._raise_event(upload.id)
            return
        if not self.dry_run:
            leased = self.catalog.uploads.lease(upload.id, self.clock(), self._stale_before())
            if not isinstance(leased, NoLease):
                self.catalog.uploads.release(leased.id, leased.attempt)
        self.report.count("leases without bytes released")

    def _take_in_or_note(self, item: StoredObject, orphans: list[str]) -> None:
        upload_id = keys.upload_of(item.key)
        upload = self.catalog.uploads.get(upload_id) if upload_id else None
        if upload and upload.status in ("pending", "expired"):
            self._raise_event(upload.id)
        elif (upload is None or upload.status != "processing") and item.modified < self.clock() - GRACE:
            orphans.append(item.key)

    def _unshare(self, sharer: Sharer) -> None:
        if not self.dry_run:
            give_own_copy(self.catalog, self.store, self.clock, sharer)
        self.report.count("files shared between owners copied")

    def _recount(self, owner: str) -> None:
        if not self.dry_run:
            self.catalog.inventory.recount(owner)
        self.report.count("owners counted anew")

    def _clear(self, tombstone: Tombstone) -> None:
        if not self.dry_run:
            remove_file(self.catalog, self.store, tombstone.original_id, tombstone.file)
        self.report.count("tombstones cleared")

    def _look_for_orphans(self, prefix: str, after: str) -> str | None:
        """Old objects that no row names. Each question comes after what it must not miss: the open uploads after the listing,
        the names after that, since an upload that has ended by then has named what it keeps."""
        objects = self._slice_of(prefix, after)
        storage_ids = {item.key: keys.storage_of(item.key) or "" for item in self._older(objects, self.clock() - GRACE)}
        uploads = {storage_id: storage_id.rpartition("-")[0] for storage_id in storage_ids.values()}
        still_open = self.catalog.inventory.open_uploads(set(uploads.values()))
        named = self.catalog.inventory.named_storage_ids(uploads.keys())
        kept = {storage_id for storage_id, upload_id in uploads.items() if storage_id in named or upload_id in still_open}
        orphans = [key for key, storage_id in storage_ids.items() if storage_id not in kept]
        self._set_aside(self.found.add(len(objects), orphans))
        return objects[-1].key if objects else None

    def _set_aside(self, orphans: Sequence[str]) -> None:
        for begin in range(0, len(orphans), SLICE):
            part = orphans[begin : begin + SLICE]
            try:
                if not self.dry_run:
                    self.store.set_aside(part, self.clock())
            except UnavailableError:  # one of them, or all: which ones is found out one by one
                for key in part:
                    self._item(f"The orphan {key}", self._set_one_aside, key)
            else:
                self.report.count("orphans set aside", len(part))

    def _set_one_aside(self, key: str) -> None:
        self.store.set_aside([key], self.clock())
        self.report.count("orphans set aside")

    def _raise_event(self, upload_id: str) -> None:
        if not self.dry_run:
            try:
                self.store.raise_event(keys.incoming(upload_id))
            except ObjectMissing:  # taken in meanwhile
                return
        self.report.count("events raised anew")

    def _slice_of(self, prefix: str, after: str) -> list[StoredObject]:
        return list(islice(self.store.list(prefix, after), SLICE))

    def _stale_before(self) -> datetime:
        return self.clock() - self.stale_after

    def _older(self, objects: Iterable[StoredObject], before: datetime) -> Iterator[StoredObject]:
        return (item for item in objects if item.modified < before)

    def _keys_between(self, prefix: str, after: str, last: str) -> set[str]:
        """The keys under `prefix` of the storage ids behind `after`, up to `last`."""
        found = set()
        for item in self.store.list(prefix, f"{prefix}{after}/~" if after else ""):
            storage_id = keys.storage_of(item.key)
            if storage_id is None or storage_id > last:
                break
            found.add(item.key)
        return found
