"""Where pictures come from in a function that takes in without decoding: what `Decode` found lies in the store.

A finding counts for the one upload that it names, and only for the very bytes that lie there. One that is lost is asked for
again, one that is about other bytes is passed over, and none is believed that our own code would not give.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import RepositoryError
from chalicelib.model.pictures import Picture, Thumbnails
from chalicelib.model.records import Original, Upload
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore

#: More than any finding of ours: three thumbnails, and what a file says.
_MAX_BYTES = 16_000_000


class NotDecoded(Exception):
    """Nothing is known about these bytes yet; their event is under way."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads findings as if a file had taken their writer over; raises `ValueError` for what our own code does not write.

    Both take a finding and the SHA-256 of the file, `picture` the file between them. They answer with what was found, with the
    refusal that was found instead, or with `None` where the finding is about other bytes.
    """

    picture: Callable[[bytes, Path, bytes], Picture | RepositoryError | None]
    thumbnails: Callable[[bytes, bytes], Thumbnails | RepositoryError | None]


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Findings:
    catalog: Catalog
    store: ObjectStore
    reader: Reader

    def examine(self, path: Path, sha256: bytes, upload: Upload) -> Picture:
        """The picture in the file of this upload. Raises the refusal that was found, or `NotDecoded`."""
        data = self._data(upload.id)
        if data is None:  # the event came from a release that decoded here, or what was found is lost
            self._ask_again(upload.id)
            raise NotDecoded
        try:
            found = self.reader.picture(data, path, sha256)
        except ValueError as forgery:
            log.error("what was found in upload %s cannot be trusted: %s", upload.id, forgery)  # noqa: TRY400 - its text is told
            self.catalog.uploads.mark_strike(upload.id, upload.attempt)
            self._ask_again(upload.id)
            raise NotDecoded from None
        if found is None:
            raise NotDecoded
        if isinstance(found, RepositoryError):
            raise found
        return found

    def complete(self, storage_id: str) -> None:
        """Put the thumbnails of an original that lacked them, as a sweep has asked for."""
        data, original = self._data(storage_id), self.catalog.inventory.live_original(storage_id)
        if data is not None and original is not None:
            found = self.reader.thumbnails(data, original.sha256)
            if isinstance(found, Thumbnails):
                self._put(original, found)
            elif found is not None:
                log.error("the thumbnails of %s cannot be made: %s", storage_id, found)
        self.store.delete(keys.on_the_way(storage_id))

    def _put(self, original: Original, thumbnails: Thumbnails) -> None:
        storage_id, extension = original.file.storage_id, original.file.thumbnail_extension
        made = {keys.thumbnail(storage_id, size, extension): content for size, content in thumbnails.contents.items()}
        for key, content in made.items():
            self.store.put(key, content, thumbnails.content_type)
        if not self.catalog.inventory.still_live(original):  # deleted meanwhile: nothing of it may come back
            self.store.delete(made)

    def _data(self, subject: str) -> bytes | None:
        try:
            with self.store.open(keys.decoded(subject)) as reading:
                return b"".join(reading.chunks()) if reading.size <= _MAX_BYTES else b""
        except (ObjectMissing, ObjectChanged):
            return None

    def _ask_again(self, upload_id: str) -> None:
        self.store.raise_event(keys.incoming(upload_id))
