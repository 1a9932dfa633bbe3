"""Column types that hold and compare the same on every engine."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.dialects.mysql import BINARY, DATETIME, LONGTEXT, VARBINARY
from sqlalchemy.types import TypeEngine

#: SQLite numbers rows by itself only where the key's type is spelled INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

#: JSON or prose of any length.
LongText = Text().with_variant(LONGTEXT, "mysql")


class Ascii(TypeDecorator[str]):
    """A short token of ours, compared byte by byte.

    MySQL's text columns compare by a collation, and even its binary ones ignore trailing spaces; VARBINARY does neither.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(VARBINARY(self.length) if dialect.name == "mysql" else String(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | bytes | None:
        if value is None:
            return None
        # A token from outside may hold what cannot be encoded; it must match nothing, not fail.
        encoded = value.encode("utf-8", "backslashreplace")
        return encoded if dialect.name == "mysql" else encoded.decode("utf-8")

    def process_result_value(self, value: str | bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (the base's signature)
        return value.decode("utf-8") if isinstance(value, bytes) else value


class Utc(TypeDecorator[datetime]):
    """A moment to the microsecond: with its zone in Python, UTC in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DATETIME(fsp=6) if dialect.name == "mysql" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (the base's signature)
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (the base's signature)
        return None if value is None else value.replace(tzinfo=UTC)


#: A camera's wall clock, which knows no zone.
WallClock = DateTime().with_variant(DATETIME(fsp=6), "mysql")


def digest(length: int) -> TypeEngine[bytes]:
    """Exactly `length` bytes."""
    return LargeBinary(length).with_variant(BINARY(length), "mysql")


def folded(length: int) -> TypeEngine[bytes]:
    """Up to `length` bytes, ordered and compared as bytes."""
    return LargeBinary(length).with_variant(VARBINARY(length), "mysql")
