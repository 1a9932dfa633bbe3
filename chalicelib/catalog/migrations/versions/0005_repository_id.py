"""Which store a catalog belongs to."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii
from chalicelib.catalog.unless_there import create_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_table(
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
