"""Local files as they are read for the server: exactly what was measured, or an error that says that they changed."""

import hashlib
import io
import os
import stat
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imagerepo.errors import FileChangedError, StoppedError

_CHUNK = 1 << 20
_LONGEST_NAME = 255

#: Told of every piece that went through, in bytes, and of a negative number where they are to go through once more.
#: Whatever it raises ends the work.
OnBytes = Callable[[int], None]


def ignore_bytes(count: int) -> None:
    """For who does not want to be told."""


def until_stopped(stop: threading.Event, tell: OnBytes) -> OnBytes:
    """Tells, and once `stop` is set breaks the work off with `StoppedError`."""

    def told(count: int) -> None:
        if stop.is_set():
            raise StoppedError("The work was called off.")
        tell(count)

    return told


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What tells a file from what it was before: size in bytes, times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Snapshot":
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading. Raises `OSError`, also for what is no regular file; a pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def open_partial(path: Path) -> BinaryIO:
    """Open a file to add to its end, made where there is none. Raises `OSError`, also for a link and for no regular file."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if path.is_symlink():  # where the system knows no flag for it
        raise OSError(f"{path.name} is a link")
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is not a regular file")
    file = os.fdopen(descriptor, "ab")
    file.seek(0, os.SEEK_END)
    return file


def open_unchanged(path: Path, snapshot: Snapshot) -> BinaryIO:
    """Open a file that is still what it was. Raises `OSError`, or `FileChangedError`."""
    file = open_regular(path)
    if Snapshot.of(os.fstat(file.fileno())) != snapshot:
        file.close()
        raise FileChangedError("The file changed before it was sent.")
    return file


def sha256_of(path: Path, on_bytes: OnBytes = ignore_bytes) -> tuple[Snapshot, bytes]:
    """What the file is and its SHA-256. Raises `OSError`, or `FileChangedError` when it changes meanwhile."""
    digest, buffer = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    with open_regular(path) as file:
        before = Snapshot.of(os.fstat(file.fileno()))
        while count := file.readinto(buffer):  # type: ignore[attr-defined] # a FileIO, as nothing buffers it
            digest.update(buffer[:count])
            on_bytes(count)
        after = Snapshot.of(os.fstat(file.fileno()))
    if before != after:
        raise FileChangedError("The file changed while it was read.")
    return before, digest.digest()


class ExactReader(io.RawIOBase):
    """The first `size` bytes of a file as a stream for a form, never more and never fewer.

    Raises `FileChangedError` where the file has become another length.
    """

    def __init__(self, file: BinaryIO, size: int, on_bytes: OnBytes) -> None:
        self._file = file
        self._size = size
        self._on_bytes = on_bytes
        self._position = 0
        self._told = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To the end, as measuring does, or back to the start; what is read again is told of again, after it was taken back."""
        self._position = self._size if whence == os.SEEK_END else self._file.seek(offset)
        if self._told:
            self._on_bytes(-self._told)
            self._told = 0
        return self._position

    def read(self, size: int = -1) -> bytes:
        if os.fstat(self._file.fileno()).st_size != self._size:
            raise FileChangedError("The file changed while it was sent.")
        left = self._size - self._position
        piece = self._file.read(left if size < 0 else min(size, left))
        if left and not piece:
            raise FileChangedError("The file changed while it was sent.")
        self._position += len(piece)
        self._told += len(piece)
        self._on_bytes(len(piece))
        return piece


def sendable_name(path: Path) -> str:
    """The file's name as the server can take it: UTF-8, printable, at most 255 characters, its extension kept."""
    raw = os.fsencode(path.name).decode("utf-8", "replace")
    name = unicodedata.normalize("NFC", "".join("_" if _unusable(sign) else sign for sign in raw)).strip() or "_"
    if len(name) > _LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        name = name[:_LONGEST_NAME] if len(extension) > 20 else stem[: _LONGEST_NAME - 1 - len(extension)] + dot + extension
    return name


def _unusable(sign: str) -> bool:
    return sign == "\\" or unicodedata.category(sign) in ("Cc", "Zl", "Zp")
