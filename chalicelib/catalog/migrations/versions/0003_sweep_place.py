"""Where the sweep goes on that had no more time."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii
from chalicelib.catalog.unless_there import create_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create_table(
        "sweep_place",
        sa.Column("step", Ascii(32), nullable=False),
        sa.Column("after", Ascii(255), nullable=False),
        sa.PrimaryKeyConstraint("step", name="pk_sweep_place"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    op.drop_table("sweep_place")
