"""Ending what the release before did: it stored equal files of several owners once, which each of them could tell."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.catalog.catalog import Catalog
from chalicelib.model.pictures import THUMBNAIL_CONTENT_TYPES, THUMBNAIL_SIZES
from chalicelib.model.records import Sharer
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore

#: Well before objects that no row names are taken for orphans.
_IN_TIME = timedelta(hours=1)


def give_own_copy(catalog: Catalog, store: ObjectStore, clock: Callable[[], datetime], sharer: Sharer) -> None:
    """Copy the shared file for this image, objects first, and have the image refer to the copy.

    Every sharer gets one, so that no key is left that another owner has seen. What cannot be copied stays as it is: a lost
    original is reported elsewhere, and missing thumbnails are made again for the copy.
    """
    file, began = sharer.original.file, clock()
    own = replace(file, storage_id=keys.new_storage_id())
    adopted = False
    with suppress(ObjectMissing, ObjectChanged):
        _copy(store, keys.original(file.storage_id), keys.original(own.storage_id), file.content_type)
        content_type = THUMBNAIL_CONTENT_TYPES[file.thumbnail_extension]
        for size in THUMBNAIL_SIZES:
            source, target = (
                keys.thumbnail(storage_id, size, file.thumbnail_extension) for storage_id in (file.storage_id, own.storage_id)
            )
            with suppress(ObjectMissing):
                _copy(store, source, target, content_type)
        adopted = catalog.inventory.unshare(sharer, own, lambda: clock() - began < _IN_TIME)
    if not adopted:
        store.delete(keys.all_of(own.storage_id, THUMBNAIL_SIZES, own.thumbnail_extension))


def _copy(store: ObjectStore, source: str, target: str, content_type: str) -> None:
    with store.open(source) as reading:
        etag = reading.etag
    store.copy(source, etag, target, content_type)
