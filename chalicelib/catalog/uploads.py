"""The rows of `uploads`: what was asked for, who is working on it, and how it ended."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, case, delete, insert, select, update

from chalicelib.catalog.database import Database
from chalicelib.catalog.owners import check_quota, count
from chalicelib.catalog.tables import uploads
from chalicelib.model.records import LeaseLost, Match, NewUpload, NoLease, Quota, Upload, UploadStatus, Usage

#: In one statement; SQLite, for one, takes no more than 32,766 in its usual build.
_MOST_IDS = 1000


class UploadRows:
    """Every method is one transaction and raises `UnavailableError` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Sequence[NewUpload], quota: Quota = Quota()) -> None:  # noqa: B008 (frozen)
        """Record uploads that are asked for, as `pending`: all of them or none.

        Raises `QuotaExceededError`, and then records nothing, where what an owner has would pass the quota.
        """
        if new:
            self._database.write(lambda connection: _add(connection, new, quota))

    def get(self, upload_id: str) -> Upload | None:
        return self._database.read(lambda connection: _get(connection, upload_id))

    def lease(self, upload_id: str, now: datetime, stale_before: datetime, storage_id: str | None = None) -> Upload | NoLease:
        """Take an upload in hand: `pending`, `expired`, or `processing` under a lease older than `stale_before`.

        Whoever gets it gets a new lease, under which every later write is made; of several at once, one does. What is put
        into the store under this lease is put under `storage_id`: nobody takes it for an orphan while the lease is held.
        """

        def transaction(connection: Connection) -> Upload | NoLease:
            upload = _get(connection, upload_id, lock=True)
            if upload is None:
                return NoLease.UNKNOWN
            if upload.status == "processing" and not (upload.leased_at and upload.leased_at < stale_before):
                return NoLease.BUSY
            if upload.status not in ("pending", "expired", "processing"):
                return NoLease.ENDED
            taken: dict[str, Any] = {"status": "processing", "attempt": upload.attempt + 1, "leased_at": now, "ended_at": None}
            taken["storage_id"] = storage_id
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(**taken))
            if upload.status == "expired":
                count(connection, upload.owner, Usage(open_uploads=1, open_bytes=upload.size))
            return replace(upload, **taken)

        return self._database.write(transaction)

    def release(self, upload_id: str, attempt: int) -> None:
        """Give an upload back, `pending` again, for a later attempt; nothing happens when the lease is lost."""
        self._change(upload_id, attempt, status="pending", leased_at=None)

    def give_back(self, upload_id: str, leased_at: datetime, strikes: int | None) -> None:
        """Release the upload that was leased at this very moment, with so many strikes (`None`: as many as it has).

        For a worker that may not know whether its lease, or its last strike, came through.
        """
        mine = and_(uploads.c.id == upload_id, uploads.c.status == "processing", uploads.c.leased_at == leased_at)
        values: dict[str, Any] = {"status": "pending", "leased_at": None}
        self._write(update(uploads).where(mine).values(**values, **({} if strikes is None else {"strikes": strikes})))

    def withdraw(self, new: Sequence[NewUpload]) -> None:
        """Forget uploads that nobody was told of, or whose bytes were never accepted; those that are in hand stay."""
        untouched = and_(uploads.c.id.in_([upload.id for upload in new]), uploads.c.status == "pending", uploads.c.attempt == 0)

        def transaction(connection: Connection) -> None:
            columns = (uploads.c.id, uploads.c.owner, uploads.c.size)
            gone = connection.execute(select(*columns).where(untouched).with_for_update()).all()
            connection.execute(delete(uploads).where(uploads.c.id.in_([row.id for row in gone])))
            for owner in sorted({row.owner for row in gone}):
                sizes = [row.size for row in gone if row.owner == owner]
                count(connection, owner, Usage(open_uploads=-len(sizes), open_bytes=-sum(sizes)))

        self._database.write(transaction, makes_room=True)

    def mark_strike(self, upload_id: str, attempt: int) -> None:
        """Count a decoder as lost, before it starts. Raises `LeaseLost`."""
        self._change_or_lose(upload_id, attempt, strikes=uploads.c.strikes + 1)

    def clear_strike(self, upload_id: str, attempt: int) -> None:
        """Take back the strike marked last: the decoder has answered. Raises `LeaseLost`."""
        self._change_or_lose(upload_id, attempt, strikes=uploads.c.strikes - 1)

    def reject(self, upload_id: str, attempt: int, code: str, message: str, now: datetime) -> None:
        """End an upload as `rejected`. Raises `LeaseLost`."""

        def transaction(connection: Connection) -> None:
            owner, change = end(
                connection, upload_id, attempt, status="rejected", error_code=code, error_message=message, ended_at=now
            )
            count(connection, owner, change)

        self._database.write(transaction)

    def recover_interrupted(self, upload_ids: Collection[str]) -> None:
        """Make those of these uploads that are in processing `pending` again; the strike of each was no decoder's fault.

        Only for a server that takes a folder over, when nobody can be working on any of them: on a full disk, too.
        """
        strikes = case((uploads.c.strikes > 0, uploads.c.strikes - 1), else_=0)
        recover = update(uploads).values(status="pending", leased_at=None, strikes=strikes)
        ids = list(upload_ids)
        for start in range(0, len(ids), _MOST_IDS):
            some = uploads.c.id.in_(ids[start : start + _MOST_IDS])
            self._write(recover.where(some, uploads.c.status == "processing"), makes_room=True)

    def _change(self, upload_id: str, attempt: int, **values: Any) -> bool:
        statement = update(uploads).where(leased_as(upload_id, attempt)).values(**values)
        return self._write(statement) == 1

    def _write(self, statement: Update, *, makes_room: bool = False) -> int:
        """How many rows were changed."""
        return self._database.write(lambda connection: connection.execute(statement).rowcount, makes_room=makes_room)

    def _change_or_lose(self, upload_id: str, attempt: int, **values: Any) -> None:
        if not self._change(upload_id, attempt, **values):
            raise LeaseLost(upload_id)


def leased_as(upload_id: str, attempt: int) -> ColumnElement[bool]:
    """That the upload is in processing under this very lease: the condition of every write to it."""
    return and_(uploads.c.id == upload_id, uploads.c.status == "processing", uploads.c.attempt == attempt)


def has_lease(connection: Connection, upload_id: str, attempt: int) -> bool:
    return connection.scalar(select(uploads.c.id).where(leased_as(upload_id, attempt))) is not None


def end(connection: Connection, upload_id: str, attempt: int, **values: Any) -> tuple[str, Usage]:
    """End the upload that is held under this lease; returns its owner, and what the caller is to count. Raises `LeaseLost`."""
    if connection.execute(update(uploads).where(leased_as(upload_id, attempt)).values(**values)).rowcount != 1:
        raise LeaseLost(upload_id)
    row = connection.execute(select(uploads.c.owner, uploads.c.size).where(uploads.c.id == upload_id)).one()
    return row.owner, Usage(open_uploads=-1, open_bytes=-row.size)


def _add(connection: Connection, new: Sequence[NewUpload], quota: Quota) -> None:
    rows = [
        {
            "id": upload.id,
            "owner": upload.owner,
            "name": upload.name,
            "size": upload.size,
            "sha256": upload.sha256,
            "status": "pending",
            "attempt": 0,
            "strikes": 0,
            "differs": "",
            "created_at": upload.created_at,
            "expires_at": upload.expires_at,
        }
        for upload in new
    ]
    connection.execute(insert(uploads), rows)
    for owner in sorted({upload.owner for upload in new}):
        theirs = [upload for upload in new if upload.owner == owner]
        count(connection, owner, Usage(open_uploads=len(theirs), open_bytes=sum(upload.size for upload in theirs)))
        check_quota(connection, quota, theirs)


def upload_of(row: Row[*tuple[Any, ...]]) -> Upload:
    return Upload(
        id=row.id,
        owner=row.owner,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        status=cast(UploadStatus, row.status),
        attempt=row.claim,
        leased_at=row.claimed_at,
        strikes=row.strikes,
        storage_id=row.storage_id,
        image_id=row.image_id,
        match=cast(Match | None, row.match),
        differs=tuple(row.differs.split()),
        error_code=row.error_code,
        error_message=row.error_message,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _get(connection: Connection, upload_id: str, *, lock: bool = False) -> Upload | None:
    statement = select(uploads).where(uploads.c.id == upload_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    return upload_of(row) if row is not None else None
