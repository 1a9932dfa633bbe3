"""Why a database does not do what it is asked, in words for an operator, by the codes of its drivers.

What is known to pass by itself is told apart from what somebody has to mend; what is known as neither is told with its code.
No sentence holds a name, an address or a password: only what the settings are called.
"""

from sqlalchemy.exc import DBAPIError

from chalicelib.catalog.engines import DEADLOCK, LOCK_WAIT, READ_ONLY, error_code
from chalicelib.errors import DISK_FULL, MisconfiguredError, UnavailableError

_NO_ANSWER = "The catalog does not answer at the moment; nothing was lost, try again shortly."
_OUT_OF_ORDER = "The catalog cannot be used as it is set up; nothing was lost, but its operator has to mend it."

#: No room on the disk, as SQLite and MySQL say it. (The first file that SQLite makes is the memory its processes share.)
FULL: frozenset[object] = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", 1021, 1114})

_RIGHTS = "the user may not do this: grant it all rights on the database that DATABASE_URL names"
_TABLES = "its tables are not those of this release: run `python -m chalicelib.cli migrate`"
_CERTIFICATE = "the connection cannot be encrypted: see DATABASE_TLS, and that DATABASE_CA has the server's authority"
#: What SQLite says of tables that are not there, for which it has no code of their own; and what stands for one here.
_NO_SUCH, _NOT_THERE = ("no such table", "no such column", "has no column named"), "SQLITE_ERROR: not there"
_NO_WRITING = "the file cannot be written: see who owns the catalog's file and folder"
#: What somebody has to mend. MySQL's numbers are of https://dev.mysql.com/doc/mysql-errors/8.4/en/, SQLite's names of
#: https://www.sqlite.org/rescode.html; a name stands for those that begin with it, too.
_TO_MEND: dict[object, str] = {
    1045: "the user or the password is wrong: see DATABASE_URL, or MYSQL_IMAGE_REPO_ADMIN_PW",
    1698: "the user or the password is wrong: see DATABASE_URL, or MYSQL_IMAGE_REPO_ADMIN_PW",
    1049: "there is no such database: make it (CREATE DATABASE … CHARACTER SET utf8mb4), or see DATABASE_URL",
    1044: _RIGHTS,
    1142: _RIGHTS,
    1143: _RIGHTS,
    1227: _RIGHTS,
    1370: _RIGHTS,
    1054: _TABLES,
    1146: _TABLES,
    1364: _TABLES,
    1130: "the server takes no connections of this user from this machine: see the host in its CREATE USER",
    1251: "the server wants another kind of login than PyMySQL has: see DATABASE_TLS",
    2026: _CERTIFICATE,
    2059: "the server wants another kind of login than PyMySQL has: see DATABASE_TLS",
    3159: "the server takes encrypted connections only: set DATABASE_TLS=true",
    _NOT_THERE: _TABLES,
    "SQLITE_NOTADB": "the file is no SQLite database: see FILE_STORAGE_LOCATION or DATABASE_URL",
    "SQLITE_CORRUPT": "the file is damaged: keep it, and restore the copy made last",
    "SQLITE_CANTOPEN": "the file cannot be opened: see that its folder exists and who may use it",
    "SQLITE_READONLY": _NO_WRITING,
    "SQLITE_PERM": _NO_WRITING,
    "SQLITE_AUTH": _NO_WRITING,
}
#: What passes.
_PASSING: dict[object, str] = {
    **dict.fromkeys(READ_ONLY, "the server takes no writes at the moment: another one is the writer now"),
    DEADLOCK: "others were in the way, several times",
    LOCK_WAIT: "another transaction kept a lock for too long",
    1040: "it has too many connections",
    1053: "it is shutting down",
    1203: "the user has too many connections",
    1226: "the user has too many connections",
    1317: "it interrupted the query",
    1927: "it ended the connection",
    2003: "it cannot be reached: see that it runs, and the host and port in DATABASE_URL",
    2006: "the connection was lost",
    2013: "the connection was lost, or the answer took too long",
    3024: "the query took too long",
    "SQLITE_BUSY": "another process kept it locked for too long",
    "SQLITE_LOCKED": "another process kept it locked for too long",
    "SQLITE_IOERR": "the disk does not read or write it",
    "SQLITE_PROTOCOL": "another process kept it locked for too long",
}


def is_full(problem: BaseException | None) -> bool:
    """Whether this is that the disk has no room."""
    return isinstance(problem, DBAPIError) and error_code(problem.orig) in FULL


def is_known(error: DBAPIError) -> bool:
    """Whether it is the database that is at fault, not the statement."""
    return is_full(error) or _sentence(_TO_MEND, error) is not None or _sentence(_PASSING, error) is not None


def unavailable(error: DBAPIError) -> UnavailableError:
    """The refusal that it comes to, with its cause."""
    code = error_code(error.orig)
    told = f"[{'MySQL ' if isinstance(code, int) else ''}{code}]"
    if is_full(error):
        return UnavailableError(DISK_FULL, f"the disk is full {told}")
    to_mend = _sentence(_TO_MEND, error)
    if to_mend is not None:
        return MisconfiguredError(_OUT_OF_ORDER, f"{to_mend} {told}")
    passing = _sentence(_PASSING, error) or f"an error that is not known here ({type(error.orig).__name__})"
    return UnavailableError(_NO_ANSWER, f"{passing} {told}")


def no_connection() -> UnavailableError:
    """Where all connections of this process are taken for too long."""
    return UnavailableError(_NO_ANSWER, "all connections of this process are in use for too long")


def _sentence(known: dict[object, str], error: DBAPIError) -> str | None:
    code = error_code(error.orig)
    if code == "SQLITE_ERROR" and any(said in str(error.orig) for said in _NO_SUCH):
        code = _NOT_THERE
    if isinstance(code, str):  # SQLite tells more than one needs: SQLITE_READONLY_DIRECTORY
        return next((said for name, said in known.items() if isinstance(name, str) and _is(code, name)), None)
    return known.get(code)


def _is(code: str, name: str) -> bool:
    return code == name or code.startswith(f"{name}_")
