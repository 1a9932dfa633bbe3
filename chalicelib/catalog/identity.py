"""The catalog's half of the repository's id: the other half lies in the store that the catalog belongs to."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import images, originals, repository

_ROW = 1


@dataclass(frozen=True, slots=True)
class CatalogId:
    """`agreed` tells whether a store was seen with this id; until then it is only what the store is to be given."""

    id: str
    agreed: bool


class IdentityRows:
    """Every method is one transaction and raises `UnavailableError` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self) -> CatalogId | None:
        return self._database.read(_get)

    def propose(self, fresh: str, instead_of: CatalogId | None) -> str:
        """Make `fresh` the id that the store is to be given, unless `instead_of` is no longer what stands here.

        Returns what stands here then, so that processes that propose at the same time all go on with one id.
        """

        def transaction(connection: Connection) -> str:
            standing = _get(connection, locking=True)
            if standing is None:
                connection.execute(insert(repository).values(row=_ROW, id=fresh, agreed=0))
                return fresh
            if standing != instead_of:
                return standing.id
            connection.execute(update(repository).values(id=fresh, agreed=0))
            return fresh

        try:
            return self._database.write(transaction)
        except IntegrityError:  # another process was first: its row stands there now
            return self._database.write(transaction)

    def agree(self, agreed_id: str) -> None:
        """The store has been seen with this id. Nothing changes where another stands here by now."""
        statement = update(repository).where(repository.c.id == agreed_id).values(agreed=1)
        self._database.write(lambda connection: connection.execute(statement))

    def has_images(self) -> bool:
        statement = select(images.c.id).limit(1)
        return self._database.read(lambda connection: connection.scalar(statement) is not None)

    def count_live(self) -> int:
        """How many files the catalog keeps in its store."""
        statement = select(func.count()).select_from(originals).where(originals.c.live == 1)
        return self._database.read(lambda connection: connection.execute(statement).scalar_one())


def _get(connection: Connection, *, locking: bool = False) -> CatalogId | None:
    statement = select(repository.c.id, repository.c.agreed)
    row = connection.execute(statement.with_for_update() if locking else statement).one_or_none()
    return None if row is None else CatalogId(row.id, bool(row.agreed))
