"""What a file holds beside its picture."""

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import LongText
from chalicelib.catalog.unless_there import add_column

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    add_column("image_tags", sa.Column("carries", LongText))


def downgrade() -> None:
    op.drop_column("image_tags", "carries")
