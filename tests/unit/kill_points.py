"""Runs one deed over many copies of a repository, each time in a process that is killed (`kill -9`) one step later.

    python -m tests.unit.kill_points DEED TEMPLATE FOLDER

`TEMPLATE` is a repository's folder, and FOLDER/0, FOLDER/1, … become copies of it in which DEED got that many steps far: a
step is a change to the file system, or the start of a decoding. The last copy is the one in which the deed came to its end.
"""

import itertools
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from chalicelib.local import startup
from chalicelib.runtime import Runtime
from chalicelib.services.uploads import Offer, Send
from tests import pictures
from tests.repositories import DECODING, disk_of, repository_in

NEW, HELD = pictures.png(1), pictures.png(2)
SAME_PIXELS = pictures.encoded(pictures.image(2), "BMP")
DAMAGED = NEW[:60]
_CHANGES = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", DECODING}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def send(repository: Runtime, content: bytes) -> None:
    """By ticket, which is kept beside the repository before the bytes are sent."""
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", len(content), None)])
    assert isinstance(answer, Send)
    ticket = {"upload_id": answer.upload.id, "fields": dict(answer.ticket.fields)}
    repository.settings.storage.joinpath("ticket").write_text(json.dumps(ticket))
    _armed.set()
    disk_of(repository).post(answer.ticket.fields.items(), content)
    repository.queue.drain()


def delete(repository: Runtime, _: bytes) -> None:
    _armed.set()
    repository.library.delete("local", 1)


def start(repository: Runtime, _: bytes) -> None:
    _armed.set()
    startup.recover(repository)
    repository.queue.drain()


DEEDS: dict[str, tuple[Callable[[Runtime, bytes], None], bytes]] = {
    "new": (send, NEW),
    "same file": (send, HELD),
    "same pixels": (send, SAME_PIXELS),
    "damaged": (send, DAMAGED),
    "delete": (delete, b""),
    "start": (start, b""),
}

_armed = threading.Event()


def _kill_after(steps: int) -> None:
    """Have this process killed at the step after so many."""
    taken = itertools.count()

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not _armed.is_set():
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if (writes or event in _CHANGES) and next(taken) >= steps:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _run(deed: str, folder: Path, steps: int) -> None:
    do, content = DEEDS[deed]
    repository = repository_in(folder)
    _kill_after(steps)
    do(repository, content)


def main(deed: str, template: Path, folder: Path) -> None:
    for steps in itertools.count():
        shutil.copytree(template, folder / str(steps))
        child = os.fork()
        if child == 0:
            try:
                _run(deed, folder / str(steps), steps)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
