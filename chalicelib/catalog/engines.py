"""How a connection to each engine is made and kept."""

import os
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from sqlite3 import SQLITE_BUSY
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError as SqliteError
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Dialect, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

if TYPE_CHECKING:
    from pymysql.connections import Connection as MysqlConnection

LOCK_WAIT, DEADLOCK = 1205, 1213

#: Execution option of the connections that will write.
WRITING = "catalog_writing"

#: How long a connection waits for another's lock, in seconds.
_SQLITE_BUSY_TIMEOUT = 30
_MYSQL_LOCK_WAIT = 5
#: After so many idle seconds the server ends a connection, and with it the locks of a worker that is frozen; more than the
#: pool keeps one unused.
_MYSQL_IDLE = 300


#: What MySQL says where a server no longer takes writes: it is the reader now, and another the writer.
READ_ONLY = frozenset({1036, 1290, 1792, 1836})
#: What it says of a statement, not of the connection or the server.
OF_THE_STATEMENT = frozenset({LOCK_WAIT, DEADLOCK})


def sqlite(url: URL) -> Engine:
    """A file in WAL mode, for many threads and several processes; a new one only its user can read."""
    engine = create_engine(
        url,
        # sqlite3 would begin transactions by itself, and late; `_begin` does it instead.
        connect_args={"timeout": _SQLITE_BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
        pool_size=8,
        max_overflow=-1,
    )
    if url.database:
        # No earlier: who only asks whether there is a catalog must not make one.
        event.listen(engine, "do_connect", _PrivateFile(url.database).make)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


class _PrivateFile:
    """A SQLite file that is to be its user's only from its first moment."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()

    def make(self, *_: object) -> None:
        """Make it where it is not there. One that is there is not touched, and no other connection is opened meanwhile:
        closing a file loses the locks that this process has on it."""
        with self._lock, suppress(OSError):  # where it cannot be made the connection says so
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def mysql(
    url: URL,
    pool_size: int,
    connect_timeout: int,
    read_timeout: int | None,
    recycle_after: int,
    tls: ssl.SSLContext | None,
    password: Callable[[], str] | None,
) -> Engine:
    """A server, over at most `pool_size` connections."""
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": connect_timeout,
        "read_timeout": read_timeout,
        "write_timeout": read_timeout,
        "init_command": f"SET SESSION time_zone='+00:00', sql_mode='TRADITIONAL', wait_timeout={_MYSQL_IDLE}",
    }
    # Left to itself PyMySQL builds an unverified context, at 25 ms, for every connection.
    arguments |= {"ssl": tls} if tls else {"ssl_disabled": True}
    engine = create_engine(
        url,
        connect_args=arguments,
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=read_timeout,
        pool_pre_ping=True,
        pool_recycle=recycle_after,
    )

    def give_password(_dialect: Dialect, _entry: ConnectionPoolEntry, _args: Any, parameters: dict[str, Any]) -> None:
        # PyMySQL would encode text as Latin-1; the server has hashed its UTF-8.
        parameters["password"] = (password() if password else url.password or "").encode()

    event.listen(engine, "do_connect", give_password)
    event.listen(engine, "connect", _limit_lock_waits)
    event.listen(engine, "handle_error", _throw_away)
    return engine


def _limit_lock_waits(connection: "MysqlConnection", _entry: ConnectionPoolEntry) -> None:
    """Only where the server does not do so by itself: of all that is set here this alone pins a session to one connection of
    RDS Proxy's. (Amazon Aurora User Guide, "Avoiding pinning an RDS Proxy")"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_lock_wait_timeout")
        if cursor.fetchone() != (_MYSQL_LOCK_WAIT,):
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout={_MYSQL_LOCK_WAIT}")


def _throw_away(context: ExceptionContext) -> None:
    """After an error that is not known to leave its connection as it was, the connection is not used again.

    Where the server has become read-only, none of them is: whatever the name leads to now is asked anew.
    """
    code, of_the_server = error_code(context.original_exception), (OperationalError, InternalError, InterfaceError)
    if context.connection is None or context.is_disconnect or not isinstance(context.sqlalchemy_exception, of_the_server):
        return  # there is none yet, or none any more, or the values were wrong
    if code not in OF_THE_STATEMENT:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = code in READ_ONLY


def error_code(problem: BaseException | None) -> object:
    """MySQL's number of an error; SQLite's name of one."""
    return getattr(problem, "sqlite_errorname", None) or next(iter(getattr(problem, "args", ())), None)


def _prepare_sqlite(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA foreign_keys=ON")
    # What is acknowledged must survive a power cut: the incoming bytes are deleted next.
    connection.execute("PRAGMA synchronous=FULL")


def _write_ahead(connection: SqliteConnection) -> None:
    """Where others are at work on a new file SQLite refuses this at once, whatever timeout it has been given."""
    deadline = time.monotonic() + _SQLITE_BUSY_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except SqliteError as error:
            if error.sqlite_errorcode != SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
