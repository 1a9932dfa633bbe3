"""Keys that let owners in, and an index for what an owner has under way."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii, Utc, digest
from chalicelib.catalog.unless_there import create_index, create_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_table(
        "api_keys",
        sa.Column("id", Ascii(32), nullable=False),
        sa.Column("owner", Ascii(64), nullable=False),
        sa.Column("secret_sha256", digest(32), nullable=False),
        sa.Column("scopes", Ascii(64), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("revoked_at", Utc),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    create_index("ix_uploads_owner_status", "uploads", ["owner", "status"])


def downgrade() -> None:
    op.drop_index("ix_uploads_owner_status", "uploads")
    op.drop_table("api_keys")
