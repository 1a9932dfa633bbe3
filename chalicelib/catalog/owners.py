"""What each owner has, in counters: kept by every transaction that changes what they count, so that nobody sums a library.

A transaction counts last. So it holds the owner's row for a moment only, and who holds it sees every change that is counted
and none that is not.
"""

from sqlalchemy import Connection, and_, func, insert, select, update

from chalicelib.catalog.tables import images, owners, uploads
from chalicelib.errors import QuotaExceededError
from chalicelib.model.records import OPEN, NewUpload, Quota, Usage

_COUNTERS = (owners.c.images, owners.c.image_bytes, owners.c.open_uploads, owners.c.open_bytes)


def count(connection: Connection, owner: str, change: Usage) -> None:
    """Add `change`, whose rows have been written, to the owner's counters; from here on they are locked."""
    if _add(connection, owner, change):
        return
    # The first of this owner's. Where another transaction inserts the row meanwhile, it has not counted ours.
    new = insert(owners).prefix_with("IGNORE", dialect="mysql").prefix_with("OR IGNORE", dialect="sqlite")
    if connection.execute(new.values(owner=owner, **_values(truth(connection, owner)))).rowcount != 1:
        _add(connection, owner, change)


def recount(connection: Connection, owner: str) -> None:
    """Set the owner's counters to what the rows say."""
    count(connection, owner, Usage())
    connection.execute(update(owners).where(owners.c.owner == owner).values(**_values(truth(connection, owner))))


def truth(connection: Connection, owner: str) -> Usage:
    """What the counters should say, by reading all the owner's rows."""
    held = select(func.count(), func.coalesce(func.sum(images.c.byte_size), 0)).where(images.c.owner == owner)
    under_way = select(func.count(), func.coalesce(func.sum(uploads.c.size), 0)).where(
        uploads.c.owner == owner, uploads.c.status.in_(OPEN)
    )
    (count_held, size), (count_open, open_size) = (connection.execute(query).one() for query in (held, under_way))
    return Usage(count_held, int(size), count_open, int(open_size))


def check_quota(connection: Connection, quota: Quota, new: list[NewUpload]) -> None:
    """Raises `QuotaExceededError` where these uploads of one owner, just counted, do not fit the owner's limits.

    Every ask of the owner's waits for the counters' lock until this transaction has ended, so no two pass a limit together.
    """
    if quota == Quota():
        return
    owner, now = new[0].owner, new[0].created_at
    row = connection.execute(select(*_COUNTERS).where(owners.c.owner == owner)).one()
    usage = Usage(row.images, row.image_bytes, row.open_uploads, row.open_bytes)
    if _excess(quota, usage, new) is None:
        return
    # A ticket that has run out no longer counts, though its row waits for the sweep.
    run_out = and_(uploads.c.owner == owner, uploads.c.status == "pending", uploads.c.expires_at <= now)
    count_out, size_out = connection.execute(
        select(func.count(), func.coalesce(func.sum(uploads.c.size), 0)).where(run_out)
    ).one()
    usage = Usage(usage.images, usage.image_bytes, usage.open_uploads - count_out, usage.open_bytes - int(size_out))
    excess = _excess(quota, usage, new)
    if excess is not None:
        raise QuotaExceededError(excess)


def _excess(quota: Quota, usage: Usage, new: list[NewUpload]) -> str | None:
    """Which limit the counters pass, the new uploads among them, in a sentence."""
    for what, limit, total, wanted in (
        ("uploads under way", quota.max_open_uploads, usage.open_uploads, len(new)),
        ("images", quota.max_images, usage.images + usage.open_uploads, len(new)),
        ("bytes", quota.max_bytes, usage.image_bytes + usage.open_bytes, sum(upload.size for upload in new)),
    ):
        if limit is not None and total > limit:
            return f"Your limit is {limit} {what}: {total - wanted} are taken, and {wanted} more do not fit."
    return None


def _add(connection: Connection, owner: str, change: Usage) -> bool:
    values = {column.name: column + value for column, value in zip(_COUNTERS, _values(change).values(), strict=True)}
    return connection.execute(update(owners).where(owners.c.owner == owner).values(**values)).rowcount == 1


def _values(usage: Usage) -> dict[str, int]:
    """In the order of the counters."""
    return {column.name: getattr(usage, column.name) for column in _COUNTERS}
