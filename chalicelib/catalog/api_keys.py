"""The rows of `api_keys`: who may come in, and what they may do."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, insert, select, update

from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import api_keys
from chalicelib.model.records import ApiKey, Scope


class ApiKeyRows:
    """Every method raises `UnavailableError` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, api_key: ApiKey) -> None:
        values = {
            "id": api_key.id,
            "owner": api_key.owner,
            "secret_sha256": api_key.secret_sha256,
            "scopes": " ".join(api_key.scopes),
            "created_at": api_key.created_at,
            "revoked_at": api_key.revoked_at,
        }
        self._database.write(lambda connection: connection.execute(insert(api_keys).values(values)))

    def get(self, api_key_id: str) -> ApiKey | None:
        """The key, revoked or not."""
        statement = select(api_keys).where(api_keys.c.id == api_key_id)
        row = self._database.read(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else _api_key_of(row)

    def all(self) -> list[ApiKey]:
        """Every key there ever was, by owner and age."""
        statement = select(api_keys).order_by(api_keys.c.owner, api_keys.c.created_at, api_keys.c.id)
        return self._database.read(lambda connection: [_api_key_of(row) for row in connection.execute(statement)])

    def revoke(self, api_key_id: str, now: datetime) -> bool:
        """Returns whether there was such a key that was still good."""
        good = (api_keys.c.id == api_key_id, api_keys.c.revoked_at.is_(None))
        statement = update(api_keys).where(*good).values(revoked_at=now)
        return self._database.write(lambda connection: connection.execute(statement).rowcount == 1)


def _api_key_of(row: Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(
        id=row.id,
        owner=row.owner,
        secret_sha256=row.secret_sha256,
        scopes=tuple(cast(Scope, scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
