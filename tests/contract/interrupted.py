"""Runs one deed again and again, each time in a process of its own that is killed, or stopped, one step later.

    python -m tests.contract.interrupted DEED SIGNAL [DATABASE_URL]

Each line on standard input names a number of steps and a repository's folder. The deed is done there, and the process that
does it gets SIGNAL at the step after so many; the answer is a line that says whether it was `interrupted` or has `ended`. One
that is stopped goes on at the next line, whatever it says, and the answer to that one is `ended`. A step is a change to the
file system, a statement that changes the catalog, its commit, or the start of a decoding.
"""

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from chalicelib.repository import Repository
from chalicelib.server import startup
from chalicelib.services.uploads import Offer, UploadAnswer
from tests import pictures
from tests.repositories import DECODING, disk_of, repository_in

#: Two that are alike in size, so that one can be sent under the other's ticket.
NEW, OTHER = (pictures.encoded(pictures.image(number), "BMP") for number in (1, 3))
HELD = pictures.png(2)
SAME_PIXELS = pictures.encoded(pictures.image(2), "BMP")
DAMAGED = NEW[:60]
_STATEMENT, _COMMIT = "catalog statement", "catalog commit"
_CHANGES = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", DECODING, _STATEMENT, _COMMIT}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def send(repository: Repository, content: bytes) -> None:
    """By ticket, which is kept beside the repository before the bytes are sent."""
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", len(content), None)])
    assert isinstance(answer, UploadAnswer)
    ticket = {"upload_id": answer.upload.id, "fields": dict(answer.ticket.fields)}
    repository.settings.storage.joinpath("ticket").write_text(json.dumps(ticket))
    _armed.set()
    disk_of(repository).post(answer.ticket.fields.items(), [content])
    repository.queue.drain()


def delete(repository: Repository, _: bytes) -> None:
    _armed.set()
    repository.library.delete("local", 1)


def start(repository: Repository, _: bytes) -> None:
    _armed.set()
    startup.recover(repository)
    repository.queue.drain()


def sweep(repository: Repository, _: bytes) -> None:
    _armed.set()
    repository.sweep.run()


DEEDS: dict[str, tuple[Callable[[Repository, bytes], None], bytes]] = {
    "new": (send, NEW),
    "same file": (send, HELD),
    "same pixels": (send, SAME_PIXELS),
    "damaged": (send, DAMAGED),
    "delete": (delete, b""),
    "start": (start, b""),
    "sweep": (sweep, b""),
}

_armed = threading.Event()


def _interrupt_after(steps: int, number: signal.Signals) -> None:
    """Have this process killed or stopped at the step after so many."""
    taken = itertools.count()

    def watch(name: str, arguments: tuple[object, ...]) -> None:
        if not _armed.is_set():
            return
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if (writes or name in _CHANGES) and next(taken) == steps:
            # To this thread, which so cannot take another step before the whole process has stopped.
            signal.pthread_kill(threading.get_ident(), number)

    sys.addaudithook(watch)


def _announce_writes() -> None:
    def statement(_connection: Connection, _cursor: Any, text: str, *_: Any) -> None:
        if text.startswith(("INSERT", "UPDATE", "DELETE")):
            sys.audit(_STATEMENT)

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", lambda _connection: sys.audit(_COMMIT))


def _run(deed: str, folder: Path, database_url: str | None, steps: int, number: signal.Signals) -> None:
    do, content = DEEDS[deed]
    repository = repository_in(folder, database_url=database_url)
    # Whoever stops within a transaction on a SQLite file keeps all others from writing: it is one process's, or nobody's.
    if database_url or number != signal.SIGSTOP:
        _announce_writes()
    _interrupt_after(steps, number)
    do(repository, content)


def _wait(child: int) -> None:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        print("ended" if os.WIFEXITED(status) else "interrupted", flush=True)
        return
    print("interrupted", flush=True)
    sys.stdin.readline()
    os.kill(child, signal.SIGCONT)
    os.waitpid(child, 0)
    print("ended", flush=True)


def main(deed: str, number: signal.Signals, database_url: str | None) -> None:
    while line := sys.stdin.readline():
        steps, _, folder = line.rstrip("\n").partition(" ")
        child = os.fork()
        if child == 0:
            try:
                _run(deed, Path(folder), database_url, int(steps), number)
            finally:
                os._exit(0)
        _wait(child)


if __name__ == "__main__":
    main(sys.argv[1], signal.Signals[sys.argv[2]], sys.argv[3] if len(sys.argv) > 3 else None)
