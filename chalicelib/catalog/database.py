"""The catalog's database: connections, transactions, and what happens when the server does not answer."""

import random
import ssl
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chalicelib.catalog import engines
from chalicelib.errors import UnavailableError

T = TypeVar("T")

_LOCK_WAIT, _DEADLOCK = 1205, 1213
#: How often in all a transaction is run, by what MySQL says: a deadlock has cost no time, a lock waited for in vain has.
_ATTEMPTS: dict[object, int] = {_DEADLOCK: 8, _LOCK_WAIT: 2}
#: The same where the connection went away under a statement; what was not committed is gone with it.
_ATTEMPTS_LOST = 2


def sqlite_url(path: Path) -> URL:
    """The URL of a catalog in one file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path))


class Database:
    """A SQLite file or a MySQL server.

    `url` is `sqlite:///<path>` or `mysql+pymysql://…`; other databases raise `ValueError`. The settings are for MySQL:
    timeouts and ages in seconds, `tls` one context for all connections (`None`: no TLS), `password` a callable that is asked
    for the password at each new connection, for tokens that expire.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        pool_size: int = 8,
        connect_timeout: int = 5,
        read_timeout: int = 20,
        recycle_after: int = 240,
        tls: ssl.SSLContext | None = None,
        password: Callable[[], str] | None = None,
    ) -> None:
        url = make_url(url)
        if url.drivername in ("sqlite", "sqlite+pysqlite"):
            self.engine = engines.sqlite(url)
            # sqlite3 complains, from Python 3.13, of a connection that nobody closed; nobody else knows when the last use was.
            weakref.finalize(self, self.engine.dispose)
        elif url.drivername == "mysql+pymysql":
            self.engine = engines.mysql(url, pool_size, connect_timeout, read_timeout, recycle_after, tls, password)
        else:
            raise ValueError(f"The catalog runs on sqlite or mysql+pymysql, not on {url.drivername}.")
        self._writer = self.engine.execution_options(**{engines.WRITING: True})

    @property
    def name(self) -> str:
        """Which database this is, in words for an operator; a URL may hold passwords, in its query as well."""
        url = self.engine.url
        if url.drivername.startswith("sqlite"):
            return f"the SQLite file {url.database}"
        return f"the database {url.database} on {url.host}" + (f":{url.port}" if url.port else "")

    @property
    def is_missing(self) -> bool:
        """Whether this is a SQLite file that is not there: it would be made by the first look."""
        url = self.engine.url
        return url.drivername.startswith("sqlite") and not Path(url.database or "").is_file()

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction that is not committed. `fn` may run twice. Raises `UnavailableError`."""

        def transaction() -> T:
            with self.engine.connect() as connection:
                return fn(connection)

        return _repeating(transaction)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction and commit it. Raises `UnavailableError`.

        `fn` runs again where the database has certainly kept nothing of the run before, so it must have no effect but on
        the database. Where the connection is lost under the commit itself nobody knows the outcome, and it does not.
        """

        def transaction() -> T:
            with self._writer.connect() as connection:
                result = fn(connection)
                _commit(connection)
                return result

        return _repeating(transaction)

    def check(self) -> None:
        """Return when the database answers. Raises `UnavailableError`."""
        self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self.engine.dispose()


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as error:
        if _code(error) in _ATTEMPTS:
            raise
        raise _unavailable() from error


def _repeating(transaction: Callable[[], T]) -> T:
    attempt = 0
    while True:
        attempt += 1
        try:
            return transaction()
        except PoolTimeoutError as error:
            raise _unavailable() from error
        except DBAPIError as error:
            if not (isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated):
                raise
            if attempt >= _ATTEMPTS.get(_code(error), _ATTEMPTS_LOST if error.connection_invalidated else 1):
                raise _unavailable() from error
        # Two that met in a deadlock must not meet again in step.
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (jitter, no secret)


def _code(error: DBAPIError) -> object:
    """MySQL's number of the error; for SQLite its text."""
    return error.orig.args[0] if error.orig is not None and error.orig.args else None


def _unavailable() -> UnavailableError:
    return UnavailableError("The catalog does not answer at the moment; nothing was lost, try again shortly.")
