"""What the sweep asks of the catalog and does to it, in slices that end."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from chalicelib.catalog import invariants
from chalicelib.catalog.database import Database
from chalicelib.catalog.image_rows import FILE_COLUMNS, file_of, original_of
from chalicelib.catalog.images import doom_if_unused
from chalicelib.catalog.records import DoomedFile, Original, Place, Upload
from chalicelib.catalog.tables import images, originals, sweep_place, uploads
from chalicelib.catalog.uploads import upload_of


class Inventory:
    """Lists go by id: ask again with the last id seen until nothing comes. Raises `UnavailableError` throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, upload_id: str, now: datetime) -> bool:
        """End an upload as `expired` if it is still `pending`; returns whether it was."""
        statement = (
            update(uploads)
            .where(uploads.c.id == upload_id, uploads.c.status == "pending")
            .values(status="expired", ended_at=now)
        )
        return self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    def overdue(self, expired_before: datetime, after_id: str, limit: int) -> list[Upload]:
        """Uploads still `pending` though their tickets ran out before this time."""
        return self._uploads("pending", uploads.c.expires_at < expired_before, after_id, limit)

    def stale(self, claimed_before: datetime, after_id: str, limit: int) -> list[Upload]:
        """Uploads in `processing` under a claim older than this time."""
        return self._uploads("processing", uploads.c.claimed_at < claimed_before, after_id, limit)

    def forget_uploads(self, ended_before: datetime, limit: int, dry_run: bool) -> int:
        """Remove uploads that ended before this time, or with `dry_run` only count them; returns how many."""

        def transaction(connection: Connection) -> int:
            ended = uploads.c.ended_at < ended_before
            ids = connection.scalars(select(uploads.c.id).where(ended).order_by(uploads.c.ended_at).limit(limit)).all()
            if ids and not dry_run:
                return connection.execute(delete(uploads).where(uploads.c.id.in_(ids), ended)).rowcount
            return len(ids)

        return self._database.write(transaction)

    def doom_orphans(self, limit: int, dry_run: bool) -> list[DoomedFile]:
        """Doom live originals that no image refers to, or with `dry_run` only name them."""
        orphans = (
            select(originals.c.id, *FILE_COLUMNS)
            .outerjoin(images, images.c.original_id == originals.c.id)
            .where(originals.c.live == 1, images.c.id.is_(None))
            .order_by(originals.c.id)
            .limit(limit)
        )
        found = self._database.read(lambda connection: connection.execute(orphans).all())
        return [DoomedFile(row.id, file_of(row)) for row in found if dry_run or self._doom(row.id)]

    def doomed(self, after_id: int, limit: int) -> list[DoomedFile]:
        doomed = select(originals).where(originals.c.live.is_(None), originals.c.id > after_id).order_by(originals.c.id)
        return [DoomedFile(original.id, original.file) for original in self._originals(doomed.limit(limit))]

    def live_originals(self, after_storage_id: str, limit: int) -> list[Original]:
        """In the order of their storage ids, which is that of a store's listing."""
        live = select(originals).where(originals.c.live == 1, originals.c.storage_id > after_storage_id)
        return self._originals(live.order_by(originals.c.storage_id).limit(limit))

    def still_live(self, original: Original) -> bool:
        """Whether an original seen live before is so now."""
        statement = select(originals.c.id).where(originals.c.id == original.id, originals.c.live == 1)
        return self._database.read(lambda connection: connection.scalar(statement) is not None)

    def named_storage_ids(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that a row names, of a live original or a doomed one; decided in one query."""
        statement = select(originals.c.storage_id).where(originals.c.storage_id.in_(ids))
        return self._database.read(lambda connection: set(connection.scalars(statement)))

    def open_uploads(self, ids: Collection[str]) -> set[str]:
        """Those of these upload ids whose upload has not ended."""
        statement = select(uploads.c.id).where(uploads.c.id.in_(ids), uploads.c.status.in_(("pending", "processing")))
        return self._database.read(lambda connection: set(connection.scalars(statement)))

    def violations(self) -> list[str]:
        """A sentence for each invariant that does not hold; reads every row."""
        return self._database.read(invariants.violations)

    def keep_place(self, place: Place) -> None:
        """Remember where the next sweep is to go on, instead of what was remembered before."""

        def transaction(connection: Connection) -> None:
            connection.execute(delete(sweep_place))
            connection.execute(insert(sweep_place).values(step=place.step, after=place.after))

        self._database.write(transaction)

    def take_place(self) -> Place | None:
        """What `keep_place` was last told; from then on nothing is remembered."""

        def transaction(connection: Connection) -> Place | None:
            row = connection.execute(select(sweep_place)).first()
            connection.execute(delete(sweep_place))
            return None if row is None else Place(row.step, row.after)

        return self._database.write(transaction)

    def _uploads(self, status: str, due: ColumnElement[bool], after_id: str, limit: int) -> list[Upload]:
        statement = (
            select(uploads).where(uploads.c.status == status, due, uploads.c.id > after_id).order_by(uploads.c.id).limit(limit)
        )
        return self._database.read(lambda connection: [upload_of(row) for row in connection.execute(statement)])

    def _originals(self, statement: Select[*tuple[Any, ...]]) -> list[Original]:
        return self._database.read(lambda connection: [original_of(row) for row in connection.execute(statement)])

    def _doom(self, original_id: int) -> bool:
        def transaction(connection: Connection) -> bool:
            live = (originals.c.id == original_id, originals.c.live == 1)
            locked = connection.scalar(select(originals.c.id).where(*live).with_for_update())
            return locked is not None and doom_if_unused(connection, original_id)

        return self._database.write(transaction)
