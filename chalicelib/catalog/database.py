"""The catalog's database: connections, transactions, and what happens when the server does not answer."""

import random
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chalicelib.catalog import causes, engines
from chalicelib.catalog.engines import DEADLOCK, LOCK_WAIT, READ_ONLY, error_code
from chalicelib.catalog.reserve import Reserve
from chalicelib.errors import UnavailableError

T = TypeVar("T")

#: How often in all a transaction is run, by what MySQL says: a deadlock has cost no time, a lock waited for in vain has.
_ATTEMPTS: dict[object, int] = {DEADLOCK: 8, LOCK_WAIT: 2}
#: The same where the connection went away under a statement; what was not committed is gone with it.
_ATTEMPTS_LOST = 2
#: After these a commit has certainly kept nothing.
_NOTHING_KEPT = causes.FULL | _ATTEMPTS.keys() | READ_ONLY
#: What is refused where nothing can be written. SQLite has to write a page to find out; MySQL need not find a row.
_TOUCH = {"sqlite": text("PRAGMA user_version = 0"), "mysql": text("UPDATE uploads SET claim = claim WHERE id = ''")}


def sqlite_url(path: Path) -> URL:
    """The URL of a catalog in one file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path))


class Database:
    """A SQLite file or a MySQL server.

    `url` is `sqlite:///<path>` or `mysql+pymysql://…`; other databases raise `ValueError`. The settings are for MySQL:
    timeouts and ages in seconds (a `read_timeout` of `None` waits for ever), `tls` one context for all connections (`None`: no
    TLS), `password` a callable that is asked for the password at each new connection, for tokens that expire.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        pool_size: int = 8,
        connect_timeout: int = 5,
        read_timeout: int | None = 20,
        recycle_after: int = 240,
        tls: ssl.SSLContext | None = None,
        password: Callable[[], str] | None = None,
    ) -> None:
        url = make_url(url)
        if url.drivername in ("sqlite", "sqlite+pysqlite"):
            self.engine = engines.sqlite(url)
            # sqlite3 complains, from Python 3.13, of a connection that nobody closed; nobody else knows when the last use was.
            weakref.finalize(self, self.engine.dispose)
            self._reserve = Reserve(Path(f"{url.database}-reserve")) if url.database else None
        elif url.drivername == "mysql+pymysql":
            self.engine = engines.mysql(url, pool_size, connect_timeout, read_timeout, recycle_after, tls, password)
            self._reserve = None
        else:
            raise ValueError(f"The catalog runs on sqlite or mysql+pymysql, not on {url.drivername}.")
        self._writer = self.engine.execution_options(**{engines.WRITING: True})
        self._patient: Callable[[], Database] = lambda: Database(
            url,
            pool_size=1,
            connect_timeout=connect_timeout,
            read_timeout=None,
            recycle_after=recycle_after,
            tls=tls,
            password=password,
        )

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

    @contextmanager
    def without_haste(self) -> Iterator["Database"]:
        """The same database, for statements that may take any time, over a connection of its own; a SQLite file as it is."""
        if self.engine.dialect.name == "sqlite":
            yield self
        else:
            patient = self._patient()
            try:
                yield patient
            finally:
                patient.dispose()

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction that is not committed. `fn` may run twice. Raises `UnavailableError`."""

        def transaction() -> T:
            with self.engine.connect() as connection:
                return fn(connection)

        return self._run(transaction, may_use_reserve=True)  # the first of all makes a file

    def write(self, fn: Callable[[Connection], T], *, makes_room: bool = False) -> T:
        """Run `fn` in a transaction and commit it. Raises `UnavailableError`.

        `fn` runs again where the database has certainly kept nothing of the run before, so it must have no effect but on
        the database. Where the connection is lost under the commit itself nobody knows the outcome, and it does not.
        What `makes_room` by deleting works on a full disk too.
        """

        def transaction() -> T:
            with self._writer.connect() as connection:
                result = fn(connection)
                _commit(connection)
                return result

        if self._reserve and not makes_room:
            self._reserve.hold()
        return self._run(transaction, may_use_reserve=makes_room)

    def check(self) -> None:
        """Return when the database answers. Raises `UnavailableError`."""
        self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def check_writing(self) -> None:
        """Return when the database can be written. Raises `UnavailableError`."""
        self.write(lambda connection: connection.execute(_TOUCH[connection.dialect.name]))

    def _run(self, transaction: Callable[[], T], may_use_reserve: bool) -> T:
        try:
            return _repeating(transaction)
        except UnavailableError as problem:
            if not (self._reserve and may_use_reserve and causes.is_full(problem.__cause__)):
                raise
        with self._reserve.given_up():
            return _repeating(transaction)

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self.engine.dispose()


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as error:
        if error_code(error.orig) in _NOTHING_KEPT:
            raise
        raise causes.unavailable(error) from error


def _repeating(transaction: Callable[[], T]) -> T:
    attempt = 0
    while True:
        attempt += 1
        try:
            return transaction()
        except PoolTimeoutError as error:
            raise causes.no_connection() from error
        except DBAPIError as error:
            of_the_database = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
            if not (of_the_database or causes.is_known(error)):
                raise
            if attempt >= _ATTEMPTS.get(error_code(error.orig), _ATTEMPTS_LOST if error.connection_invalidated else 1):
                raise causes.unavailable(error) from error
        # Two that met in a deadlock must not meet again in step.
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (jitter, no secret)
