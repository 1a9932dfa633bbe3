"""The rows of `images`, with their originals and known files."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from chalicelib.catalog import admission as admissions
from chalicelib.catalog.conversion import FILE_COLUMNS, file_of, image_of, listed_of
from chalicelib.catalog.database import Database
from chalicelib.catalog.listing import count_query, page_parameters, page_query, position_behind
from chalicelib.catalog.owners import count
from chalicelib.catalog.tables import image_tags, images, known_files, originals
from chalicelib.model.records import (
    LARGEST_INTEGER,
    Admission,
    Admitted,
    Deletion,
    Filters,
    Image,
    Page,
    Position,
    Sort,
    Tombstone,
    Usage,
)


class ImageRows:
    """Every method is one transaction and raises `UnavailableError` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, owner: str, digests: Collection[bytes]) -> dict[bytes, int]:
        """Of these SHA-256 digests, those of files that this owner has sent and still holds, with the image each led to."""
        if not digests:
            return {}
        statement = select(known_files.c.sha256, known_files.c.image_id).where(
            known_files.c.owner == owner, known_files.c.sha256.in_(digests)
        )
        return self._database.read(lambda connection: {row.sha256: row.image_id for row in connection.execute(statement)})

    def holds(self, owner: str, identity: bytes) -> bool:
        """Whether the owner has an entry for this picture."""
        statement = select(images.c.id).where(images.c.owner == owner, images.c.identity == identity)
        return self._database.read(lambda connection: connection.scalar(statement) is not None)

    def admit(self, admission: Admission, now: datetime) -> Admitted:
        """End the upload as stored or duplicate. Raises `LeaseLost` or `Overtaken`; then nothing is changed."""
        return admissions.admit(self._database, admission, now)

    def get(self, owner: str, image_id: int) -> Image | None:
        statement = (
            select(images, *FILE_COLUMNS, originals.c.sha256, image_tags.c.exif, image_tags.c.carries)
            .join_from(images, originals, originals.c.id == images.c.original_id)
            .join(image_tags, image_tags.c.image_id == images.c.id)
            .where(images.c.id == image_id, images.c.owner == owner)
        )
        if not 0 < image_id <= LARGEST_INTEGER:
            return None
        row = self._database.read(lambda connection: connection.execute(statement).one_or_none())
        return image_of(row) if row is not None else None

    def delete(self, owner: str, image_id: int) -> Deletion | None:
        """Remove the owner's entry; `None` if there is none. Of its file a tombstone stays."""
        if not 0 < image_id <= LARGEST_INTEGER:
            return None
        return self._database.write(lambda connection: _delete(connection, owner, image_id), makes_room=True)

    def forget_tombstone(self, original_id: int) -> None:
        """Remove a tombstone whose objects are gone; a live original stays."""
        statement = delete(originals).where(originals.c.id == original_id, originals.c.live.is_(None))
        self._database.write(lambda connection: connection.execute(statement), makes_room=True)

    def page(self, owner: str, filters: Filters, sort: Sort, limit: int, after: Position | None) -> Page:
        """The first `limit` images that match, or the first behind `after`, which is the `next` of an earlier page."""
        # One more than is shown tells whether there is another page.
        statement, parameters = page_query(filters, sort, after), page_parameters(owner, limit + 1, after)
        rows = self._database.read(lambda connection: connection.execute(statement, parameters).all())
        return Page(
            images=tuple(listed_of(row) for row in rows[:limit]),
            next=position_behind(rows[limit - 1], sort) if len(rows) > limit else None,
        )

    def count(self, owner: str, filters: Filters) -> int:
        statement = count_query(owner, filters)
        return self._database.read(lambda connection: connection.execute(statement).scalar_one())


def _delete(connection: Connection, owner: str, image_id: int) -> Deletion | None:
    mine = (images.c.id == image_id, images.c.owner == owner)
    image = connection.execute(select(images.c.original_id, images.c.byte_size).where(*mine).with_for_update()).one_or_none()
    if image is None:
        return None
    original = connection.execute(
        select(originals.c.id, *FILE_COLUMNS).where(originals.c.id == image.original_id).with_for_update()
    ).one()
    connection.execute(delete(known_files).where(known_files.c.image_id == image_id))
    connection.execute(delete(image_tags).where(image_tags.c.image_id == image_id))
    connection.execute(delete(images).where(images.c.id == image_id))
    unused = tombstone_if_unused(connection, original.id)
    count(connection, owner, Usage(images=-1, image_bytes=-image.byte_size))
    return Deletion(Tombstone(original.id, file_of(original)) if unused else None)


def tombstone_if_unused(connection: Connection, original_id: int) -> bool:
    """Make an original, which the caller has locked, a tombstone if no image refers to it: of the release before, several may.

    Whoever takes a reference away has the lock, and nobody adds one.
    """
    if connection.scalar(select(images.c.id).where(images.c.original_id == original_id).limit(1)) is not None:
        return False
    connection.execute(update(originals).where(originals.c.id == original_id).values(live=None))
    return True
