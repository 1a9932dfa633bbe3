"""Taking a file in: from the event that its bytes have arrived to a row that says what became of them.

The order of the writes is the design; docs/architecture.md tells the life of an upload step by step. Killed, paused or
delivered twice at any point, it ends in one and the same state.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import BadDigestError, BadImageError, RepositoryError, UnavailableError
from chalicelib.model.pictures import THUMBNAIL_SIZES, Picture
from chalicelib.model.records import Admission, Admitted, Entry, LeaseLost, NoLease, Overtaken, StoredFile, Upload
from chalicelib.services.arriving import copy_and_hash, created_objects
from chalicelib.services.findings import NotDecoded
from chalicelib.services.later import Later
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore

#: How many decoders an upload may take down before it is refused.
MAX_STRIKES = 3
#: How often one attempt begins again because the bytes or the catalog changed under it, before it is left to a redelivery.
MAX_RESTARTS = 5

#: What an upload's file shows, given a copy of it and its SHA-256. Raises `UnsupportedImageError` or `BadImageError` for one
#: that is refused, and `NotDecoded` where that is not known yet.
Examine = Callable[[Path, bytes, Upload], Picture]

log = logging.getLogger(__name__)


class Busy(UnavailableError):
    """Another worker has the upload's lease: the event must be delivered again later."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """What runs behind the event queue. `stale_after` is the age at which another worker's lease may be taken over.

    `scratch` names the folder of files that are being worked on, `later` what this process owes the catalog. `complete` puts
    the thumbnails that a sweep has asked for, by storage id; `None` where a sweep makes them itself.
    """

    catalog: Catalog
    store: ObjectStore
    examine: Examine
    stale_after: timedelta
    clock: Callable[[], datetime]
    scratch: Callable[[], Path]
    later: Later
    complete: Callable[[str], None] | None = None

    def handle(self, notification: Mapping[str, Any]) -> None:
        """Take in every object that an S3 notification names. Raises on a fault, so that the queue delivers it again."""
        for key, created in created_objects(notification):
            subject = keys.subject_of(key)
            if subject is None:
                log.warning("an event names an object that is no upload")
            elif keys.is_upload_id(subject):
                self.take_in(subject, created)
            elif self.complete:
                self.complete(subject)

    def take_in(self, upload_id: str, event_time: datetime | None = None) -> None:
        """Bring one upload to its end. Raises `Busy` while another worker holds it, and any fault that may pass."""
        self.later.catch_up()
        now = self.clock()
        try:
            upload = self.catalog.uploads.lease(upload_id, now, now - self.stale_after, keys.new_storage_id())
        except UnavailableError:  # it may have come through, its answer lost: then nobody else would work on the upload
            self.later.owe(lambda: self.catalog.uploads.give_back(upload_id, now, None))
            raise
        if upload is NoLease.UNKNOWN:
            log.warning("upload %s is not known; its object is left to the sweep", upload_id)
            self.store.delete([keys.decoded(upload_id)])
        elif upload is NoLease.ENDED:  # or it was sent again: a ticket that is used for an hour on end must not fill the bucket
            self.store.forget_earlier(keys.incoming(upload_id))
            self.store.delete(keys.on_the_way(upload_id))
        elif upload is NoLease.BUSY:
            raise Busy(f"upload {upload_id} is leased to another worker")
        else:
            self._work_on(upload, now, (now - event_time).total_seconds() if event_time else None)

    def _work_on(self, upload: Upload, leased_at: datetime, waited: float | None) -> None:
        began = time.monotonic()
        try:
            outcome, arrived = self._attempt(upload)
        except LeaseLost:
            log.info("upload %s was taken over by another worker", upload.id)
        except NotDecoded:
            log.info("upload %s is still to be decoded", upload.id)
            self.later.do(lambda: self.catalog.uploads.give_back(upload.id, leased_at, None))
        except ObjectMissing:
            log.info("upload %s has no bytes", upload.id)
            self.later.do(lambda: self.catalog.uploads.give_back(upload.id, leased_at, upload.strikes))
        except BaseException as fault:
            # Of a catalog or a disk that fails nobody knows whether the strike of this attempt stands: it is not deserved.
            strikes = upload.strikes if isinstance(fault, RepositoryError | OSError) else None
            self.later.do(lambda: self.catalog.uploads.give_back(upload.id, leased_at, strikes))
            raise
        else:
            taken = round((time.monotonic() - began) * 1000)
            fields = {"upload_id": upload.id, "outcome": outcome.partition(",")[0], "uploads": 1, "bytes": upload.size}
            fields |= {"ingest_ms": taken} | ({} if waited is None else {"queue_delay_ms": round(waited * 1000)})
            if arrived:
                fields["stored_after_ms"] = round((self.clock() - arrived).total_seconds() * 1000)
            log.info("upload %s: %s", upload.id, outcome, extra={"fields": fields})

    def _attempt(self, upload: Upload) -> tuple[str, datetime | None]:
        """Bring the leased upload to its end and return its outcome in a word, and when the bytes had come that were kept."""
        for _ in range(MAX_RESTARTS):
            arrived = None
            try:
                outcome, arrived = self._take_bytes(upload)
            except (ObjectChanged, Overtaken):
                continue
            except UnavailableError:
                raise
            except RepositoryError as refusal:
                self.catalog.uploads.reject(upload.id, upload.attempt, refusal.code, refusal.message, self.clock())
                outcome = f"rejected, {refusal.code}"
            self.store.delete(keys.on_the_way(upload.id))
            return outcome, arrived
        raise UnavailableError("The upload kept changing while it was taken in; it will be tried again.")

    def _take_bytes(self, upload: Upload) -> tuple[str, datetime]:
        """One pass over one version of the bytes: what became of them, and when they came. Raises a `RepositoryError` that says
        why the file is refused."""
        with tempfile.NamedTemporaryFile(prefix="image-repo-", dir=self.scratch()) as file:
            with self.store.open(keys.incoming(upload.id)) as reading:
                sha256 = copy_and_hash(reading, file)
                etag, arrived = reading.etag, reading.modified
            _check_declared(upload, reading.size, sha256)
            if self.catalog.images.known(upload.owner, [sha256]):
                return self._admit(upload, sha256, None, None).status, arrived
            if upload.strikes >= MAX_STRIKES:
                raise BadImageError(f"The file brought the decoder down {upload.strikes} times: it cannot be read as an image.")
            picture = self.examine(Path(file.name), sha256, upload)
        entry = _entry(picture)
        if self.catalog.images.holds(upload.owner, entry.identity):
            return self._admit(upload, sha256, entry, None).status, arrived
        written = self._write(upload, picture, etag, reading.size)
        return self._admit(upload, sha256, entry, written).status, arrived

    def _write(self, upload: Upload, picture: Picture, etag: str, size: int) -> StoredFile:
        """Put the objects first: a row never names bytes that are not there."""
        thumbnails = picture.thumbnails
        storage_id = upload.storage_id
        if storage_id is None:
            raise ValueError("an upload is leased with a name for its objects")
        self.store.copy(keys.incoming(upload.id), etag, keys.original(storage_id), picture.content_type)
        for side, content in thumbnails.contents.items():
            self.store.put(keys.thumbnail(storage_id, side, thumbnails.extension), content, thumbnails.content_type)
        return StoredFile(storage_id, size, picture.format, picture.content_type, thumbnails.extension)

    def _admit(self, upload: Upload, sha256: bytes, entry: Entry | None, written: StoredFile | None) -> Admitted:
        admission = Admission(upload.id, upload.attempt, upload.owner, upload.name, sha256, entry, written)
        try:
            admitted = self.catalog.images.admit(admission, self.clock())
        except (LeaseLost, Overtaken):
            self._discard(written)
            raise
        except RepositoryError:
            raise
        except Exception:
            # A picture of which the catalog can make nothing is as bad as one that brings a decoder down: it is not tried
            # for ever.
            if entry is not None:
                self.catalog.uploads.mark_strike(upload.id, upload.attempt)
            raise
        if not admitted.adopted:
            self._discard(written)
        return admitted

    def _discard(self, written: StoredFile | None) -> None:
        """Delete what this attempt wrote. Only for a transaction that has certainly not adopted it.

        A commit whose acknowledgement was lost is none such: it raises `UnavailableError`, and the objects stay.
        """
        if written:
            self.store.delete(keys.all_of(written.storage_id, THUMBNAIL_SIZES, written.thumbnail_extension))


def _check_declared(upload: Upload, size: int, sha256: bytes) -> None:
    if size != upload.size:
        raise BadDigestError(f"The file has {size} bytes where {upload.size} were declared.")
    if upload.sha256 is not None and sha256 != upload.sha256:
        raise BadDigestError("The file's SHA-256 is not the one that was declared: send the file again.")


def _entry(picture: Picture) -> Entry:
    return Entry(
        identity=picture.identity,
        width=picture.width,
        height=picture.height,
        mode=picture.mode,
        frames=picture.frames,
        pixel_sha512=picture.pixel_sha512,
        facts=picture.facts,
        carries=picture.carries,
    )
