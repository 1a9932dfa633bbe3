"""Files that are whole or absent, and that survive a loss of power, in folders that come and go."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from chalicelib.errors import UnavailableError
from chalicelib.storage.port import ObjectChanged

_CHUNK = 1024 * 1024
#: No writer is at work for so long.
_LEFTOVER = timedelta(days=1)
_SECRET_BYTES = 32
#: How often a file is put into a folder that others, deleting, find empty and remove under it.
_TRIES = 100
#: The file system, or the two folders between them, cannot share one file under two names.
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def answering() -> Iterator[None]:
    """What the system refuses within (no space, no permission, no disk) is for the store's callers a store that is down."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"The store does not answer: {error.strerror}.") from error


def etag(status: os.stat_result) -> str:
    """Names one version of a file: every write makes a new inode, so no two that follow each other are alike."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def names(folder: Path) -> list[str]:
    """What the folder holds, in order; nothing if it has gone."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def shared_secret(path: Path) -> bytes:
    """Random bytes that all who ask for this path agree on, kept in a file that only its owner can read."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        secret = os.pread(descriptor, _SECRET_BYTES, 0)
        if len(secret) < _SECRET_BYTES:  # new, or its maker was interrupted and has signed nothing yet
            secret = secrets.token_bytes(_SECRET_BYTES)
            os.pwrite(descriptor, secret, 0)
            os.fsync(descriptor)
        return secret
    finally:
        os.close(descriptor)


class OpenFile:
    """One version of a file: the descriptor keeps it, whatever takes its name meanwhile."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        status = os.fstat(self._descriptor)
        self.etag = etag(status)
        self.size = status.st_size

    def close(self) -> None:
        os.close(self._descriptor)

    def chunks(self, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `first` to before `end`, or all that follow."""
        position, end = first, self.size if end is None else end
        while position < end:
            with answering():
                chunk = os.pread(self._descriptor, min(_CHUNK, end - position), position)
            if not chunk:
                raise ObjectChanged
            position += len(chunk)
            yield chunk


class Publisher:
    """Puts files into folders below `root` by way of a private folder beside them. Raises `OSError` as the system does."""

    def __init__(self, root: Path, temporary: Path, now: datetime) -> None:
        self._root = root
        self._temporary = temporary
        temporary.mkdir(0o700, exist_ok=True)
        self._sync(root)
        self._remove_leftovers((now - _LEFTOVER).timestamp())

    def write(self, path: Path, content: Iterable[bytes]) -> os.stat_result:
        """Put a new file with this content there, in place of any other."""
        temporary = self._new_name()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.writelines(content)
                file.flush()
                os.fsync(descriptor)
                status = os.fstat(descriptor)
            self._publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return status

    def copy(self, source: Path, wanted: str, target: Path) -> None:
        """Put the version of `source` that the ETag `wanted` names there as well; raises `ObjectChanged` if it is another."""
        temporary = self._new_name()
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy_bytes(source, wanted, target)
            return
        try:
            if etag(temporary.stat()) != wanted:
                raise ObjectChanged
            self._publish(temporary, target)
        finally:
            # Still there also where the target was the same file already: renaming one name of a file to another is nothing.
            temporary.unlink(missing_ok=True)

    def _copy_bytes(self, source: Path, wanted: str, target: Path) -> None:
        with closing(OpenFile(source)) as file:
            if file.etag != wanted:
                raise ObjectChanged
            self.write(target, file.chunks())

    def _publish(self, temporary: Path, path: Path) -> None:
        for _ in range(_TRIES):
            # A folder can be removed, found empty by a delete, between its making and its first file.
            with suppress(FileNotFoundError, FileExistsError):
                os.makedirs(path.parent, 0o700, exist_ok=True)
                os.replace(temporary, path)
                break
        else:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for folder in path.parents:  # a folder made on the way must not be lost either, whoever made it
            self._sync(folder)
            if folder.parent == self._root:  # whose folders have been there, and safe, since it was opened
                break

    def _sync(self, folder: Path) -> None:
        with suppress(FileNotFoundError):  # the file was deleted again already, and its folder with it
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _new_name(self) -> Path:
        return self._temporary / secrets.token_hex(16)

    def _remove_leftovers(self, before: float) -> None:
        """Remove what writers left behind that were killed, sparing those still at work."""
        for name in names(self._temporary):
            leftover = self._temporary / name
            with suppress(FileNotFoundError):
                if leftover.stat().st_ctime < before:
                    leftover.unlink()
