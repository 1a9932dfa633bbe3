"""Migrates a database again and again, each time in a process of its own that is killed after one more change of the tables.

    python -m tests.contract.cut_short DATABASE_URL

Prints a line for each change after which it was killed, and ends when a migration comes to its end.
"""

import os
import signal
import sys
from typing import Any

from alembic import command, op, script  # noqa: F401 - loaded here once, not in each process
from sqlalchemy import Connection, Engine, event

from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate

_CHANGES = ("CREATE", "ALTER", "DROP")


def _die_after_a_change(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if statement.lstrip().upper().startswith(_CHANGES):
        print(" ".join(statement.split())[:60], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


def main(url: str) -> None:
    while True:
        child = os.fork()
        if child == 0:
            event.listen(Engine, "after_cursor_execute", _die_after_a_change)
            try:
                migrate(Database(url))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main(sys.argv[1])
