"""What a file holds beside its picture."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import LongText

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """May be run again: MySQL keeps each change of a table at once, also of a migration that was cut short."""
    if any(column["name"] == "carries" for column in sa.inspect(op.get_bind()).get_columns("image_tags")):
        return
    op.add_column("image_tags", sa.Column("carries", LongText))


def downgrade() -> None:
    op.drop_column("image_tags", "carries")
