"""Bringing a database to the tables that this release needs.

Alembic is imported only where there is something to do: servers start with a look at one row.
"""

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, func, inspect, select, table
from sqlalchemy.exc import OperationalError

from chalicelib.catalog import causes
from chalicelib.catalog.database import Database
from chalicelib.catalog.engines import LOCK_WAIT, error_code
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_SCRIPTS = Path(__file__).with_name("migrations")

#: The newest of `migrations/versions`.
HEAD = "0006"

log = logging.getLogger(__name__)

# It announces each of its plugins as it is imported.
logging.getLogger("alembic").setLevel(logging.WARNING)

#: How often, for how many seconds each, to wait for another process that is migrating the same database: for an hour. Also of a
#: process that was killed the server carries its statement through, and keeps the lock until then. A function that waits for it
#: must be cut short by its quarter of an hour before it gives up: only what was cut short is invoked again.
_LOOKS, _LOOK = 720, 5
#: How long a change of a table waits for transactions that use it, in seconds: whoever asks for the table meanwhile waits
#: behind it. And how often it is tried, with a pause between that lets the others through: for ten minutes, so that a function
#: has the time to say what it waited for.
_METADATA_LOCK_WAIT, _PAUSE, _TRIES = 1, 2.0, 200


def migrate(database: Database) -> None:
    """Upgrade to the newest tables; returns at once when they are there. Several processes may do so at the same time.

    A database that a later release has upgraded further is left as it is. What was cut short is simply run again. A statement
    may take any time; one that waits for another's transaction lets go after a second, so that nobody has to wait behind it,
    and is tried again. Raises `UnavailableError`.
    """
    if database.read(_revision) == HEAD:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    def upgrade(config: "Config", connection: Connection) -> None:
        if _revision(connection) in _ours(ScriptDirectory.from_config(config)) | {None}:
            command.upgrade(config, "head")

    _alone(database, upgrade)


def is_due(database: Database) -> bool:
    """Whether `migrate` would change the database. Raises `UnavailableError`."""
    revision = database.read(_revision)
    if revision == HEAD:
        return False
    from alembic.script import ScriptDirectory

    return revision in _ours(ScriptDirectory(str(_SCRIPTS))) | {None}


def _ours(scripts: "ScriptDirectory") -> set[str | None]:
    """The revisions that this release knows."""
    return {script.revision for script in scripts.walk_revisions()}


def revert(database: Database, revision: str) -> None:
    """Go back to the tables of an earlier revision (`base`: none at all), with the data that they cannot hold gone."""
    from alembic import command

    _alone(database, lambda config, _connection: command.downgrade(config, revision))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(select(column("version_num")).select_from(table("alembic_version")))
    return revision


def _alone(database: Database, change: "Callable[[Config, Connection], None]") -> None:
    """Run `change` while no other process does so: under SQLite's write lock, or a named lock of MySQL's."""
    from alembic.config import Config

    def transaction(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = connection
        if connection.dialect.name == "sqlite":
            _without_foreign_keys(connection)
            change(config, connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("A migration has left references that lead nowhere.")
            return
        # The lock's name holds for the whole server, and may not be longer than 64 characters.
        name = "migrate " + sha256(str(database.engine.url.database).encode()).hexdigest()[:32]
        if not any(connection.scalar(select(func.get_lock(name, _LOOK))) for _ in range(_LOOKS)):
            raise UnavailableError("Another process has been migrating the catalog for too long.")
        try:
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout={_METADATA_LOCK_WAIT}")
            _insisting(lambda: change(config, connection), connection)
        finally:
            if not connection.invalidated:  # else the lock has gone with it
                connection.scalar(select(func.release_lock(name)))

    with database.without_haste() as patient:
        patient.write(transaction)


def _insisting(change: Callable[[], None], connection: Connection) -> None:
    """Run a change of tables again and again while others use them; each time it goes on where it had to stop.

    Raises `UnavailableError` after the last try: as an error of the database it would have the transaction repeated.
    """
    for left in reversed(range(_TRIES)):
        try:
            change()
        except OperationalError as error:
            if error_code(error.orig) != LOCK_WAIT:
                raise
            if not left:
                raise causes.unavailable(error) from error
            connection.rollback()
            log.info("the catalog is in use; the migration waits")
            time.sleep(_PAUSE)
        else:
            return


def _without_foreign_keys(connection: Connection) -> None:
    """For this connection, which is closed afterwards: SQLite alters a table by copying it, and to drop the table that others
    refer to, in favour of its copy, would break every reference. They are checked when all is done.
    """
    connection.detach()
    raw = connection.connection.dbapi_connection
    if raw is None:
        raise UnavailableError("The catalog does not answer at the moment; nothing was lost, try again shortly.")
    # Not by SQLAlchemy, which would begin the transaction first: within one it has no effect.
    raw.cursor().execute("PRAGMA foreign_keys=OFF")
