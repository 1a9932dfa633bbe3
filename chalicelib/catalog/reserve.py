"""Room on the disk that a SQLite catalog keeps for deletes, so that a disk that is full can be emptied."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.errors import DISK_FULL, UnavailableError

#: As much as the log grows between two checkpoints: room for the deletes of a hundred pictures, whose files then make more.
_SIZE = 4 * 1024**2
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """A file of so many bytes beside the catalog, given up for deletes alone and taken back before any other write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()

    def hold(self) -> None:
        """Return when the room is held. Raises `UnavailableError` where the disk has no such room."""
        if self._is_whole():
            return
        with self._lock:
            if not self._is_whole():
                self._fill()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Within, the room is there to be used, and no other thread takes it back."""
        with self._lock:
            self._path.unlink(missing_ok=True)
            yield

    def _is_whole(self) -> bool:
        try:
            return self._path.stat().st_size >= _SIZE
        except OSError:
            return False

    def _fill(self) -> None:
        try:
            with open(self._path, "wb", opener=_private) as file:
                file.write(bytes(_SIZE))
        except OSError as error:
            if error.errno in _FULL:
                self._path.unlink(missing_ok=True)
                raise UnavailableError(DISK_FULL) from error
            # A folder that has gone or cannot be written: the database itself says so better.


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
