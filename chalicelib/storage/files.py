"""Files that are whole or absent, and that survive a loss of power, in folders that come and go."""

import errno
import fcntl
import hmac
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.errors import DISK_FULL, MisconfiguredError, UnavailableError
from chalicelib.storage.port import ObjectChanged
from chalicelib.storage.workspace import Workspace

_CHUNK = 1024 * 1024
#: The disk's last bytes are not the store's: they let a catalog that shares the disk write what deletes write. Twice what
#: that catalog itself keeps in reserve.
ROOM = 8 * 1024**2
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_OURS = "the folder, or something in it, may not be used by the user that this runs as"
#: What somebody has to mend, not the time.
_TO_MEND = {
    errno.EACCES: _NOT_OURS,
    errno.EPERM: _NOT_OURS,
    errno.EROFS: "the folder is on a disk that is mounted read-only",
    errno.ENOTDIR: "something is in the folder's place that is no folder",
}
SECRET_BYTES = 32
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
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> UnavailableError:
    code, message = errno.errorcode.get(error.errno or 0, "no code"), f"The store does not answer: {error.strerror}."
    if error.errno in _FULL:
        return UnavailableError(DISK_FULL, f"the disk is full [{code}]")
    if error.errno in _TO_MEND:
        return MisconfiguredError(message, f"{_TO_MEND[error.errno]}: see FILE_STORAGE_LOCATION [{code}]")
    return UnavailableError(message, f"the system refuses [{code}]")


class Etags:
    """Names one version of one object: every write makes a new inode, so no two that follow each other are alike.

    Keyed, because inodes and times would tell whoever holds a URL when a file came, and how many others did; and of the
    object's own key, because one file may be linked under two.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, key: str, status: os.stat_result) -> str:
        version = f"{key} {status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
        return hmac.digest(self._secret, version.encode("ascii"), "sha256")[:16].hex()


def names(folder: Path) -> list[str]:
    """What the folder holds, in order; nothing if it has gone."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def within(root: Path, path: Path) -> list[Path]:
    """The folders that a path below `root` is in, innermost first, up to one of the root's own."""
    return [folder for folder in path.parents if folder.is_relative_to(root) and folder != root]


def make_private(root: Path, folder: Path) -> None:
    """Make a folder below `root`, and those it is in, for their user only: `mkdir(parents=True)` opens those to others."""
    for missing in (*reversed(within(root, folder)), folder):
        missing.mkdir(0o700, exist_ok=True)


def remove_tree(folder: Path, *, dry_run: bool) -> int:
    """Remove a folder with all that is in it, or with `dry_run` only count its files; returns how many."""
    count = sum(len(found) for _, _, found in os.walk(folder))
    if not dry_run:
        shutil.rmtree(folder)
    return count


def shared_secret(path: Path) -> bytes:
    """Random bytes that all who ask for this path agree on, kept in a file that only its owner can read."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        secret = os.pread(descriptor, SECRET_BYTES, 0)
        if len(secret) < SECRET_BYTES:  # new, or its maker was interrupted and has signed nothing yet
            secret = secrets.token_bytes(SECRET_BYTES)
            os.pwrite(descriptor, secret, 0)
            os.fsync(descriptor)
        return secret
    finally:
        os.close(descriptor)


#: The ETag of the version of an object that a file with this status is.
NameVersion = Callable[[os.stat_result], str]


class OpenFile:
    """One version of a file: the descriptor keeps it, whatever takes its name meanwhile. `name` makes its ETag."""

    def __init__(self, path: Path, name: NameVersion) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        status = os.fstat(self._descriptor)
        self.etag = name(status)
        self.size = status.st_size
        self.modified = datetime.fromtimestamp(status.st_ctime, UTC)  # as in a listing

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
    """Puts files into folders below `root` by way of a workspace there. Raises `OSError` as the system does."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self._root = root
        self._workspace = workspace

    def prepare(self) -> None:
        """Make sure of the folders of `root`."""
        self._sync(self._root)

    def need_room(self, size: int) -> None:
        """Raises `OSError` where so many bytes more would leave too little room on the disk."""
        disk = os.statvfs(self._root)
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < size + ROOM:  # some file systems do not say how large they are
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def check(self) -> None:
        """Write a file, and remove it."""
        self.need_room(0)
        temporary = self._new_name()
        try:
            temporary.touch(0o600)
        finally:
            temporary.unlink(missing_ok=True)

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

    def copy(self, source: Path, name: NameVersion, wanted: str, target: Path) -> None:
        """Put the version of `source` that `name` calls `wanted` there as well; raises `ObjectChanged` if it is another."""
        temporary = self._new_name()
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy_bytes(source, name, wanted, target)
            return
        try:
            if name(temporary.stat()) != wanted:
                raise ObjectChanged
            self._publish(temporary, target)
        finally:
            # Still there also where the target was the same file already: renaming one name of a file to another is nothing.
            temporary.unlink(missing_ok=True)

    def _copy_bytes(self, source: Path, name: NameVersion, wanted: str, target: Path) -> None:
        with closing(OpenFile(source, name)) as file:
            if file.etag != wanted:
                raise ObjectChanged
            self.write(target, file.chunks())

    def _publish(self, temporary: Path, path: Path) -> None:
        for _ in range(_TRIES):
            # A folder can be removed, found empty by a delete, between its making and its first file.
            with suppress(FileNotFoundError, FileExistsError):
                make_private(self._root, path.parent)
                os.replace(temporary, path)
                break
        else:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for folder in within(self._root, path):  # one made on the way must not be lost either, whoever made it
            self._sync(folder)

    def _sync(self, folder: Path) -> None:
        with suppress(FileNotFoundError):  # the file was deleted again already, and its folder with it
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _new_name(self) -> Path:
        return self._workspace.folder / secrets.token_hex(16)
