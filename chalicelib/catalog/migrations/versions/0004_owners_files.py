"""Files belong to owners, what each owner has is counted, and what earlier rules merged away is taken when it comes again.

An original of one image becomes its owner's. One that several owners share keeps an empty owner, so that the release before
goes on using it as it always did, and no bytes are touched here: the sweep gives each of them a copy.

Rows are changed some thousands at a time.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii, digest
from chalicelib.catalog.unless_there import add_column, create_index, create_table, create_unique_constraint, indexes

revision = "0004"
down_revision = "0003"

_OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_BATCH = 5000
_EARLIER, _NEW = "uq_originals_sha256_live", "uq_originals_sha256_owner_live"

_TYPES: dict[str, Any] = {"owner": Ascii(64), "sha256": digest(32), "status": Ascii(16)}


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, _TYPES.get(column)) for column in columns))


_originals = _table("originals", "id", "owner", "sha256", "live")
_images = _table("images", "id", "owner", "original_id", "byte_size")
_known_files = _table("known_files", "sha256", "image_id")
_uploads = _table("uploads", "owner", "status", "size")
_owners = _table("owners", "owner", "images", "image_bytes", "open_uploads", "open_bytes")


def upgrade() -> None:
    _give_originals_an_owner()
    _name_attempts()
    _forget_merged_files()
    _count_what_owners_have()


def downgrade() -> None:
    _share_again()
    with op.batch_alter_table("originals", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.create_unique_constraint(_EARLIER, ["sha256", "live"])
        batch.drop_constraint(_NEW, type_="unique")
        batch.drop_column("owner")
    op.drop_index("ix_uploads_storage_id", "uploads")
    op.drop_column("uploads", "storage_id")
    op.drop_table("owners")


def _give_originals_an_owner() -> None:
    owner: sa.Column[str] = sa.Column("owner", Ascii(64), nullable=False, server_default=sa.text("''"))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("originals", table_kwargs={"sqlite_autoincrement": True}) as batch:
            batch.add_column(owner)
            batch.create_unique_constraint(_NEW, ["sha256", "owner", "live"])
            batch.drop_constraint(_EARLIER, type_="unique")
    else:
        add_column("originals", owner)
        # At no time may a file be stored twice.
        create_unique_constraint(_NEW, "originals", ["sha256", "owner", "live"])
        if _EARLIER in indexes("originals"):
            op.drop_constraint(_EARLIER, "originals", type_="unique")
    of_original = _images.c.original_id == _originals.c.id
    # Of one image, this is its owner; of none or of several there is no row, and so nothing to set.
    only = sa.select(sa.func.min(_images.c.owner)).where(of_original).scalar_subquery()
    single = sa.select(sa.func.count()).select_from(_images).where(of_original).scalar_subquery()
    for first, last in _ranges(_originals):
        these = (_originals.c.id.between(first, last), _originals.c.owner == "", single == 1)
        op.execute(sa.update(_originals).where(*these).values(owner=only))


def _name_attempts() -> None:
    add_column("uploads", sa.Column("storage_id", Ascii(64)))
    create_index("ix_uploads_storage_id", "uploads", ["storage_id"])


def _forget_merged_files() -> None:
    """A known file that is not the one stored was merged by rules that may have been wrong: its bytes are gone."""
    stored = (
        sa.select(_originals.c.sha256)
        .join_from(_images, _originals, _originals.c.id == _images.c.original_id)
        .where(_images.c.id == _known_files.c.image_id)
        .scalar_subquery()
    )
    for first, last in _ranges(_images):
        these = _known_files.c.image_id.between(first, last)
        op.execute(sa.delete(_known_files).where(these, _known_files.c.sha256 != stored))


def _count_what_owners_have() -> None:
    create_table(
        "owners",
        sa.Column("owner", Ascii(64), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("images", "image_bytes", "open_uploads", "open_bytes")),
        sa.PrimaryKeyConstraint("owner", name="pk_owners"),
        **_OPTIONS,
    )
    op.execute(sa.delete(_owners))
    for owner in _all_owners():
        held = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_images.c.byte_size), 0)).where(_images.c.owner == owner)
        under_way = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_uploads.c.size), 0)).where(
            _uploads.c.owner == owner, _uploads.c.status.in_(("pending", "processing"))
        )
        (images, size), (uploads, open_size) = (op.get_bind().execute(query).one() for query in (held, under_way))
        counted = {"images": images, "image_bytes": size, "open_uploads": uploads, "open_bytes": open_size}
        op.execute(sa.insert(_owners).values(owner=owner, **counted))
        _commit()


def _share_again() -> None:
    """The tables before hold a file once: all its images refer to the first row of it, and the sweep removes the others."""
    same = _originals.alias("same")
    first = (
        sa.select(sa.func.min(same.c.id))
        .join_from(_originals, same, (same.c.sha256 == _originals.c.sha256) & (same.c.live == 1))
        .where(_originals.c.id == _images.c.original_id)
        .scalar_subquery()
    )
    for begin, end in _ranges(_images):
        op.execute(sa.update(_images).where(_images.c.id.between(begin, end)).values(original_id=first))
    used = sa.exists().where(_images.c.original_id == _originals.c.id)
    for begin, end in _ranges(_originals):
        op.execute(sa.update(_originals).where(_originals.c.id.between(begin, end), ~used).values(live=None))


def _ranges(table: sa.TableClause) -> Iterator[tuple[int, int]]:
    """Ids from, and up to and with, for some thousands of rows at a time; what was done with those before is kept."""
    last = 0
    while True:
        ids = sa.select(table.c.id).where(table.c.id > last).order_by(table.c.id).limit(_BATCH).subquery()
        first, end = op.get_bind().execute(sa.select(sa.func.min(ids.c.id), sa.func.max(ids.c.id))).one()
        if end is None:
            return
        yield first, end
        last = end
        _commit()


def _all_owners() -> Iterator[str]:
    """One after the other, in order: each look reads the index at one place."""
    after = ""
    while True:
        found = [
            op.get_bind().scalar(sa.select(sa.func.min(table.c.owner)).where(table.c.owner > after))
            for table in (_images, _uploads)
        ]
        named = [owner for owner in found if owner is not None]
        if not named:
            return
        after = min(named)
        yield after


def _commit() -> None:
    """On MySQL, where nothing holds the migration together anyway, and rows must not stay locked until its end."""
    if op.get_bind().dialect.name != "sqlite":
        op.get_bind().commit()
