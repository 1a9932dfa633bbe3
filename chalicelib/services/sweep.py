"""Putting right what faults have left behind, and saying where an invariant does not hold.

Works in slices, so that a run that is cut off, or that has only minutes, is taken up where it stopped.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.records import Original, Place, Refusal, StoredFile
from chalicelib.errors import RepositoryError
from chalicelib.imaging.picture import THUMBNAIL_SIZES, Thumbnails
from chalicelib.services.library import remove_file
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectMissing, ObjectStore, StoredObject

#: How long after its time a ticket is given up, and how old an object must be before it can be taken for left over.
GRACE = timedelta(hours=24)
#: How long it can be asked what became of an upload.
MEMORY = timedelta(days=30)
SLICE = 500

#: Makes the thumbnails of an original, given a file with its bytes; raises `RepositoryError` where they cannot be made.
MakeThumbnails = Callable[[Path], Thumbnails]


@dataclass(slots=True)
class Report:
    """What a run did (or, as a dry run, would do), by kind, and the invariants it found broken, each as a sentence."""

    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    stopped_at: Place | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over catalog and store."""

    catalog: Catalog
    store: ObjectStore
    make_thumbnails: MakeThumbnails
    stale_after: timedelta
    clock: Callable[[], datetime]
    scratch: Callable[[], Path]

    def run(
        self, *, dry_run: bool = False, start: Place | None = None, time_is_up: Callable[[], bool] = lambda: False
    ) -> Report:
        """Do every step from `start` on; stops between two slices when `time_is_up`, and says where."""
        report = Report()
        steps = _Steps(self, report, dry_run).in_order()
        names = list(steps)
        place = start or Place(names[0])
        for name in names[names.index(place.step) :]:
            after: str | None = place.after if name == place.step else ""
            while after is not None:
                if time_is_up():
                    report.stopped_at = Place(name, after)
                    return report
                after = steps[name](after)
        return report

    def go_on(self, time_is_up: Callable[[], bool]) -> Report:
        """Run from where the last such run had no more time, else from the beginning.

        After a run that failed the next one begins anew: what holds up one step never keeps the others from their turn.
        """
        start = self.catalog.inventory.take_place()
        if start and start.step not in _Steps(self, Report(), dry_run=True).in_order():
            start = None  # another release kept it
        report = self.run(start=start, time_is_up=time_is_up)
        if report.stopped_at:
            self.catalog.inventory.keep_place(report.stopped_at)
        return report


@dataclass(frozen=True, slots=True)
class _Steps:
    """Each step deals with one slice behind `after` and returns where the next one begins, or `None` at the end."""

    sweep: Sweep
    report: Report
    dry_run: bool

    def in_order(self) -> dict[str, Callable[[str], str | None]]:
        return {
            "tickets": self.tickets,
            "claims": self.claims,
            "incoming": self.incoming,
            "orphans": self.orphans,
            "doomed": self.doomed,
            "originals": lambda after: self.left_over(keys.ORIGINALS, after),
            "thumbnails": lambda after: self.left_over(keys.THUMBNAILS, after),
            "missing": self.missing,
            "forgotten": self.forgotten,
            "invariants": self.invariants,
        }

    def tickets(self, after: str) -> str | None:
        """Tickets long past their time: expired where no bytes came, taken in where their event was lost."""
        catalog, now = self.sweep.catalog, self.sweep.clock()
        uploads = catalog.inventory.overdue(now - GRACE, after, SLICE)
        for upload in uploads:
            if self.sweep.store.head(keys.incoming(upload.id)):
                self._raise_event(upload.id)
            else:
                self._count("tickets expired")
                if not self.dry_run:
                    catalog.inventory.expire(upload.id, now)
        return uploads[-1].id if uploads else None

    def claims(self, after: str) -> str | None:
        """Uploads whose worker has not been heard of: their event again, or, without bytes, back to waiting for them."""
        catalog, now = self.sweep.catalog, self.sweep.clock()
        stale_before = now - self.sweep.stale_after
        uploads = catalog.inventory.stale(stale_before, after, SLICE)
        for upload in uploads:
            if self.sweep.store.head(keys.incoming(upload.id)):
                self._raise_event(upload.id)
                continue
            self._count("claims without bytes released")
            if not self.dry_run:
                claimed = catalog.uploads.claim(upload.id, now, stale_before)
                if not isinstance(claimed, Refusal):
                    catalog.uploads.release(claimed.id, claimed.claim)
        return uploads[-1].id if uploads else None

    def incoming(self, after: str) -> str | None:
        """Old objects in `incoming/`: removed where their upload has ended or is not known, else their event again."""
        objects = self._slice_of(keys.INCOMING, after)
        for item in self._old(objects):
            upload_id = keys.upload_of(item.key)
            upload = self.sweep.catalog.uploads.get(upload_id) if upload_id else None
            if upload is None or upload.status in ("stored", "duplicate", "rejected"):
                self._remove([item.key])
            elif upload.status == "expired":
                self._raise_event(upload.id)
        return objects[-1].key if objects else None

    def orphans(self, _: str) -> str | None:
        """Live originals that no image refers to."""
        doomed = len(self.sweep.catalog.inventory.doom_orphans(SLICE, dry_run=self.dry_run))
        self._count("originals without an image doomed", doomed)
        return "" if doomed == SLICE and not self.dry_run else None

    def doomed(self, after: str) -> str | None:
        """Doomed originals whose objects or row are still there."""
        files = self.sweep.catalog.inventory.doomed(int(after or 0), SLICE)
        for doomed in files:
            self._count("doomed originals finished")
            if not self.dry_run:
                remove_file(self.sweep.catalog, self.sweep.store, doomed.original_id, doomed.file)
        return str(files[-1].original_id) if files else None

    def left_over(self, prefix: str, after: str) -> str | None:
        """Old objects that no row names. Each question comes after what it must not miss: the open uploads after the listing,
        the names after that, since an upload that has ended by then has named what it keeps."""
        objects = self._slice_of(prefix, after)
        storage_ids = {item.key: keys.storage_of(item.key) or "" for item in self._old(objects)}
        uploads = {storage_id: storage_id.rpartition("-")[0] for storage_id in storage_ids.values()}
        still_open = self.sweep.catalog.inventory.open_uploads(set(uploads.values()))
        named = self.sweep.catalog.inventory.named_storage_ids(uploads.keys())
        kept = {storage_id for storage_id, upload_id in uploads.items() if storage_id in named or upload_id in still_open}
        self._remove([key for key, storage_id in storage_ids.items() if storage_id not in kept])
        return objects[-1].key if objects else None

    def missing(self, after: str) -> str | None:
        """Live originals without their objects: thumbnails are made again, a lost original is a problem to report."""
        originals = self.sweep.catalog.inventory.live_originals(after, SLICE)
        if not originals:
            return None
        last = originals[-1].file.storage_id
        held = self._keys_between(keys.ORIGINALS, after, last) | self._keys_between(keys.THUMBNAILS, after, last)
        for original in originals:
            if keys.original(original.file.storage_id) not in held:
                self._report_lost(original)
            elif not held.issuperset(_thumbnail_keys(original.file)):
                self._make_thumbnails(original)
        return last

    def forgotten(self, _: str) -> str | None:
        """Uploads that ended long ago."""
        before = self.sweep.clock() - MEMORY
        count = self.sweep.catalog.inventory.forget_uploads(before, SLICE, dry_run=self.dry_run)
        self._count("ended uploads forgotten", count)
        return "" if count == SLICE and not self.dry_run else None

    def invariants(self, _: str) -> str | None:
        self.report.problems.extend(self.sweep.catalog.inventory.violations())
        return None

    def _report_lost(self, original: Original) -> None:
        """A file deleted since the rows were read is not lost."""
        if self.sweep.catalog.images.live_original(original.sha256) == original:
            self.report.problems.append(f"The original {original.file.storage_id} has a live row but no object.")

    def _make_thumbnails(self, original: Original) -> None:
        self._count("sets of thumbnails made")
        if self.dry_run:
            return
        file = original.file
        try:
            with (
                tempfile.NamedTemporaryFile(prefix="image-repo-", dir=self.sweep.scratch()) as copy,
                self.sweep.store.open(keys.original(file.storage_id)) as reading,
            ):
                copy.writelines(reading.chunks())
                copy.flush()
                thumbnails = self.sweep.make_thumbnails(Path(copy.name))
        except (ObjectMissing, RepositoryError) as error:
            self.report.problems.append(f"The thumbnails of {file.storage_id} cannot be made: {error}")
            return
        for size, content in thumbnails.contents.items():
            key = keys.thumbnail(file.storage_id, size, file.thumbnail_extension)
            self.sweep.store.put(key, content, thumbnails.content_type)

    def _raise_event(self, upload_id: str) -> None:
        self._count("events raised anew")
        if not self.dry_run:
            self.sweep.store.raise_event(keys.incoming(upload_id))

    def _remove(self, left_over: Collection[str]) -> None:
        self._count("left-over objects removed", len(left_over))
        if left_over and not self.dry_run:
            self.sweep.store.delete(left_over)

    def _count(self, kind: str, count: int = 1) -> None:
        if count:
            self.report.done[kind] += count

    def _slice_of(self, prefix: str, after: str) -> list[StoredObject]:
        return list(islice(self.sweep.store.list(prefix, after), SLICE))

    def _old(self, objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
        before = self.sweep.clock() - GRACE
        return (item for item in objects if item.modified < before)

    def _keys_between(self, prefix: str, after: str, last: str) -> set[str]:
        """The keys under `prefix` of the storage ids behind `after`, up to `last`."""
        found = set()
        for item in self.sweep.store.list(prefix, f"{prefix}{after}/~" if after else ""):
            storage_id = keys.storage_of(item.key)
            if storage_id is None or storage_id > last:
                break
            found.add(item.key)
        return found


def _thumbnail_keys(file: StoredFile) -> list[str]:
    return [keys.thumbnail(file.storage_id, size, file.thumbnail_extension) for size in THUMBNAIL_SIZES]
