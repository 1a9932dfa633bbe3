"""Which store a catalog belongs to."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """May be run again: MySQL keeps each change of a table at once, also of a migration that was cut short."""
    if sa.inspect(op.get_bind()).has_table("repository"):
        return
    op.create_table(
        "repository",
        sa.Column("row", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("id", Ascii(32), nullable=False),
        sa.Column("agreed", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_repository"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    op.drop_table("repository")
