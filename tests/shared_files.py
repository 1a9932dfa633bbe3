"""What the release before did with equal files of several owners: it stored them once."""

from sqlalchemy import Connection, delete, update

from chalicelib.catalog.tables import images, originals
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.repository import Repository
from chalicelib.storage import keys

EARLIER = "0" * 36 + "-1"


def share(repository: Repository) -> None:
    """Have all images, which are of one file, share the first's, under a key of the release before."""
    first, *others = repository.catalog.inventory.live_originals("", 9)
    objects = [(keys.original(first.file.storage_id), keys.original(EARLIER), "image/png")] + [
        (keys.thumbnail(first.file.storage_id, size, "jpg"), keys.thumbnail(EARLIER, size, "jpg"), "image/jpeg")
        for size in THUMBNAIL_SIZES
    ]
    for source, target, content_type in objects:
        with repository.store.open(source) as reading:
            repository.store.copy(source, reading.etag, target, content_type)
    for original in (first, *others):
        repository.store.delete(keys.all_of(original.file.storage_id, THUMBNAIL_SIZES, "jpg"))

    def rows(connection: Connection) -> None:
        connection.execute(update(images).values(original_id=first.id))
        connection.execute(delete(originals).where(originals.c.id != first.id))
        connection.execute(update(originals).values(owner="", storage_id=EARLIER))

    repository.database.write(rows)
