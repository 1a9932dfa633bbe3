"""What the sweep asks of the catalog and does to it, in slices that end."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from chalicelib.catalog import invariants, owners
from chalicelib.catalog.admission import insert_original
from chalicelib.catalog.conversion import FILE_COLUMNS, file_of, original_of
from chalicelib.catalog.database import Database
from chalicelib.catalog.images import tombstone_if_unused
from chalicelib.catalog.owners import count
from chalicelib.catalog.tables import images, originals, sweep_checkpoint, uploads
from chalicelib.catalog.uploads import upload_of
from chalicelib.model.records import OPEN, Checkpoint, Original, Sharer, StoredFile, Tombstone, Upload, Usage


class Inventory:
    """Lists go by id: ask again with the last id seen until nothing comes. Raises `UnavailableError` throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, upload_id: str, now: datetime) -> bool:
        """End an upload as `expired` if it is still `pending`; returns whether it was."""
        waiting = (uploads.c.id == upload_id, uploads.c.status == "pending")

        def transaction(connection: Connection) -> bool:
            if connection.execute(update(uploads).where(*waiting).values(status="expired", ended_at=now)).rowcount != 1:
                return False
            row = connection.execute(select(uploads.c.owner, uploads.c.size).where(uploads.c.id == upload_id)).one()
            count(connection, row.owner, Usage(open_uploads=-1, open_bytes=-row.size))
            return True

        return self._database.write(transaction)

    def overdue(self, expired_before: datetime, after_id: str, limit: int) -> list[Upload]:
        """Uploads still `pending` though their tickets ran out before this time."""
        return self._uploads("pending", uploads.c.expires_at < expired_before, after_id, limit)

    def stale(self, leased_before: datetime, after_id: str, limit: int) -> list[Upload]:
        """Uploads in `processing` under a lease older than this time."""
        return self._uploads("processing", uploads.c.leased_at < leased_before, after_id, limit)

    def forget_uploads(self, ended_before: datetime, limit: int, dry_run: bool) -> int:
        """Remove uploads that ended before this time, or with `dry_run` only count them; returns how many."""

        def transaction(connection: Connection) -> int:
            ended = uploads.c.ended_at < ended_before
            ids = connection.scalars(select(uploads.c.id).where(ended).order_by(uploads.c.ended_at).limit(limit)).all()
            if ids and not dry_run:
                return connection.execute(delete(uploads).where(uploads.c.id.in_(ids), ended)).rowcount
            return len(ids)

        return self._database.write(transaction)

    def tombstone_unreferenced(self, limit: int, dry_run: bool) -> list[Tombstone]:
        """Make tombstones of live originals that no image refers to, or with `dry_run` only name them."""
        orphans = (
            select(originals.c.id, *FILE_COLUMNS)
            .outerjoin(images, images.c.original_id == originals.c.id)
            .where(originals.c.live == 1, images.c.id.is_(None))
            .order_by(originals.c.id)
            .limit(limit)
        )
        found = self._database.read(lambda connection: connection.execute(orphans).all())
        return [Tombstone(row.id, file_of(row)) for row in found if dry_run or self._tombstone(row.id)]

    def tombstones(self, after_id: int, limit: int) -> list[Tombstone]:
        dead = select(originals).where(originals.c.live.is_(None), originals.c.id > after_id).order_by(originals.c.id)
        return [Tombstone(original.id, original.file) for original in self._originals(dead.limit(limit))]

    def live_originals(self, after_storage_id: str, limit: int) -> list[Original]:
        """In the order of their storage ids, which is that of a store's listing."""
        live = select(originals).where(originals.c.live == 1, originals.c.storage_id > after_storage_id)
        return self._originals(live.order_by(originals.c.storage_id).limit(limit))

    def live_original(self, storage_id: str) -> Original | None:
        found = self._originals(select(originals).where(originals.c.live == 1, originals.c.storage_id == storage_id))
        return found[0] if found else None

    def still_live(self, original: Original) -> bool:
        """Whether an original seen live before is so now."""
        statement = select(originals.c.id).where(originals.c.id == original.id, originals.c.live == 1)
        return self._database.read(lambda connection: connection.scalar(statement) is not None)

    def named_storage_ids(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that a row names: of an original, live or a tombstone, or of an upload that a worker holds.

        The workers are asked for first: one that has ended its upload by then has named what it keeps.
        """
        held = select(uploads.c.storage_id).where(uploads.c.storage_id.in_(ids), uploads.c.status == "processing")
        kept = select(originals.c.storage_id).where(originals.c.storage_id.in_(ids))

        def transaction(connection: Connection) -> set[str]:
            working = {storage_id for storage_id in connection.scalars(held) if storage_id is not None}
            return working | set(connection.scalars(kept))

        return self._database.read(transaction)

    def sharers(self, after_id: int, limit: int) -> list[Sharer]:
        """Images whose original is not their owner's: the release before stored equal files of several owners once."""
        statement = (
            select(originals, images.c.id.label("image_id"), images.c.owner.label("holder"))
            .join_from(originals, images, images.c.original_id == originals.c.id)
            .where(originals.c.owner != images.c.owner, images.c.id > after_id)
            .order_by(images.c.id)
            .limit(limit)
        )
        found = self._database.read(lambda connection: connection.execute(statement).all())
        return [Sharer(row.image_id, row.holder, original_of(row)) for row in found]

    def unshare(self, sharer: Sharer, own: StoredFile, in_time: Callable[[], bool]) -> bool:
        """Have the image refer to a copy of its own, which lies in the store; the last leaves a tombstone of the shared one.

        Returns whether it was done: not where the image has gone meanwhile, or where `in_time`, asked under the locks, says
        that the copy may have been taken for an orphan.
        """
        shared = sharer.original.id

        def transaction(connection: Connection) -> bool:
            image = (images.c.id == sharer.image_id, images.c.original_id == shared)
            if connection.scalar(select(images.c.id).where(*image).with_for_update()) is None or not in_time():
                return False
            connection.scalar(select(originals.c.id).where(originals.c.id == shared).with_for_update())
            original_id = insert_original(connection, sharer.owner, sharer.original.sha256, own)
            connection.execute(update(images).where(*image).values(original_id=original_id))
            tombstone_if_unused(connection, shared)
            return True

        return self._database.write(transaction)

    def miscounted(self, after_owner: str, limit: int) -> list[str]:
        """Owners whose counters are not what their rows say; reads every row."""
        return self._database.read(lambda connection: list(connection.scalars(invariants.miscounted(after_owner).limit(limit))))

    def recount(self, owner: str) -> None:
        """Set an owner's counters right."""
        self._database.write(lambda connection: owners.recount(connection, owner))

    def open_uploads(self, ids: Collection[str]) -> set[str]:
        """Those of these upload ids whose upload has not ended."""
        statement = select(uploads.c.id).where(uploads.c.id.in_(ids), uploads.c.status.in_(OPEN))
        return self._database.read(lambda connection: set(connection.scalars(statement)))

    def violations(self) -> list[str]:
        """A sentence for each invariant that does not hold; reads every row."""
        return self._database.read(invariants.violations)

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remember where the next sweep is to go on, instead of what was remembered before."""

        def transaction(connection: Connection) -> None:
            connection.execute(delete(sweep_checkpoint))
            connection.execute(insert(sweep_checkpoint).values(step=checkpoint.step, after=checkpoint.after))

        self._database.write(transaction)

    def take_checkpoint(self) -> Checkpoint | None:
        """What `keep_checkpoint` was last told; from then on nothing is remembered."""

        def transaction(connection: Connection) -> Checkpoint | None:
            row = connection.execute(select(sweep_checkpoint)).first()
            connection.execute(delete(sweep_checkpoint))
            return None if row is None else Checkpoint(row.step, row.after)

        return self._database.write(transaction)

    def _uploads(self, status: str, due: ColumnElement[bool], after_id: str, limit: int) -> list[Upload]:
        statement = (
            select(uploads).where(uploads.c.status == status, due, uploads.c.id > after_id).order_by(uploads.c.id).limit(limit)
        )
        return self._database.read(lambda connection: [upload_of(row) for row in connection.execute(statement)])

    def _originals(self, statement: Select[*tuple[Any, ...]]) -> list[Original]:
        return self._database.read(lambda connection: [original_of(row) for row in connection.execute(statement)])

    def _tombstone(self, original_id: int) -> bool:
        def transaction(connection: Connection) -> bool:
            live = (originals.c.id == original_id, originals.c.live == 1)
            locked = connection.scalar(select(originals.c.id).where(*live).with_for_update())
            return locked is not None and tombstone_if_unused(connection, original_id)

        return self._database.write(transaction)
