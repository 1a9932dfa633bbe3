"""Migrates a database again and again, each time in a process of its own that is killed after one more write.

    python -m tests.contract.cut_short DATABASE_URL

Prints each write after which it was killed, and ends when a migration comes to its end. Fails where one fails.
"""

import os
import signal
import sys
import traceback
from typing import Any

from alembic import command, op, script  # noqa: F401 - loaded here once, not in each process
from sqlalchemy import Connection, Engine, event

from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate

_WRITES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")


def main(url: str) -> None:
    # Rows that were not committed are written again the next time, and to die of them again would lead nowhere.
    survived: set[str] = set()
    while write := _killed_after_another_write(url, survived):
        print(write[:100], flush=True)
        survived.add(write)


def _killed_after_another_write(url: str, survived: set[str]) -> str:
    """The write, none of `survived`, after which a process that migrates was killed; empty where there was no other."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _migrate_and_die(url, survived, writing)
    os.close(writing)
    with os.fdopen(reading) as last_words:
        write = last_words.read()
    _, status = os.waitpid(child, 0)
    if status != (signal.SIGKILL if write else 0):
        raise RuntimeError(f"A migration that was taken up again has failed: {status}.")
    return write


def _migrate_and_die(url: str, survived: set[str], last_words: int) -> None:
    """Never returns."""

    def die(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        write = f"{' '.join(statement.split())} {parameters}"
        if write.upper().startswith(_WRITES) and write not in survived:
            os.write(last_words, write.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", die)
    try:
        migrate(Database(url))
        os._exit(0)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
