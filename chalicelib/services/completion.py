"""Putting right one original that lacks objects: thumbnails are made again, lost bytes are reported."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.model.pictures import THUMBNAIL_SIZES, Thumbnails
from chalicelib.model.records import Original, StoredFile
from chalicelib.services.sweep_report import Report
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore

#: Makes the thumbnails of an original, given a file with its bytes; raises `RepositoryError` where they cannot be made. `None`
#: where nothing is decoded here: then what decodes is asked, and what takes in puts what it finds.
MakeThumbnails = Callable[[Path], Thumbnails] | None


@dataclass(frozen=True, slots=True)
class Completion:
    """What is deleted while it is looked at is neither lost nor made again."""

    catalog: Catalog
    store: ObjectStore
    make_thumbnails: MakeThumbnails
    scratch: Callable[[], Path]
    report: Report
    dry_run: bool

    def complete(self, original: Original, held: set[str]) -> None:
        """`held` are the keys of its objects that the store has listed. Raises `UnavailableError`."""
        if keys.original(original.file.storage_id) not in held:
            self._report_lost(original)
        elif not held.issuperset(_thumbnail_keys(original.file)):
            try:
                self._make_thumbnails(original)
            except ObjectMissing:
                self._report_lost(original)

    def _report_lost(self, original: Original) -> None:
        """A file deleted since the rows were read is not lost."""
        if self.catalog.inventory.still_live(original):
            self.report.broken_invariants(f"The original {original.file.storage_id} has a live row but no object.")

    def _make_thumbnails(self, original: Original) -> None:
        if self.dry_run:
            self.report.count("sets of thumbnails made")
            return
        file = original.file
        if self.make_thumbnails is None:
            self._ask_for_thumbnails(file)
            return
        try:
            thumbnails = self._thumbnails_of(file, self.make_thumbnails)
        except UnavailableError:  # no decoder, no store: that says nothing about the picture
            raise
        except RepositoryError as error:
            self.report.broken_invariants(f"The thumbnails of {file.storage_id} cannot be made: {error}")
            return
        for size, content in thumbnails.contents.items():
            key = keys.thumbnail(file.storage_id, size, file.thumbnail_extension)
            self.store.put(key, content, thumbnails.content_type)
        if self.catalog.inventory.still_live(original):
            self.report.count("sets of thumbnails made")
        else:  # deleted meanwhile: nothing of it may come back
            self.store.delete(_thumbnail_keys(file))

    def _ask_for_thumbnails(self, file: StoredFile) -> None:
        """A copy that comes in like an upload is decoded like one."""
        with self.store.open(keys.original(file.storage_id)) as reading:
            etag = reading.etag
        try:
            self.store.copy(keys.original(file.storage_id), etag, keys.incoming(file.storage_id), file.content_type)
        except ObjectChanged as error:
            raise ObjectMissing from error
        self.report.count("sets of thumbnails asked for")

    def _thumbnails_of(self, file: StoredFile, make_thumbnails: Callable[[Path], Thumbnails]) -> Thumbnails:
        with (
            tempfile.NamedTemporaryFile(prefix="image-repo-", dir=self.scratch()) as copy,
            self.store.open(keys.original(file.storage_id)) as reading,
        ):
            try:
                copy.writelines(reading.chunks())
            except ObjectChanged as error:
                raise ObjectMissing from error
            copy.flush()
            return make_thumbnails(Path(copy.name))


def _thumbnail_keys(file: StoredFile) -> list[str]:
    return [keys.thumbnail(file.storage_id, size, file.thumbnail_extension) for size in THUMBNAIL_SIZES]
