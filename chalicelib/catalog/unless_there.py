"""What migrations add to a database, where it is not there yet.

MySQL keeps every change of a table at once, also those of a migration that was cut short before its last word. So a migration
looks before it adds, and can simply be run again.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


def create_table(name: str, *parts: Any, **options: Any) -> None:
    """As `op.create_table`. The table is there whole, or not at all."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *parts, **options)


def create_index(name: str, table: str, columns: Sequence[str]) -> None:
    if name not in indexes(table):
        op.create_index(name, table, columns)


def create_unique_constraint(name: str, table: str, columns: Sequence[str]) -> None:
    if name not in indexes(table):
        op.create_unique_constraint(name, table, columns)


def add_column(table: str, column: "sa.Column[Any]") -> None:
    if column.name not in columns(table):
        op.add_column(table, column)


def columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def indexes(table: str) -> set[str | None]:
    """The names of its indexes; on MySQL a unique constraint is one."""
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
