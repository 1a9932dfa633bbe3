"""Folders for files that are being worked on, which a process that is killed does not leave behind for good."""

import fcntl
import os
import secrets
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

#: Where a lock cannot be asked for, and for files of the releases that had no locks: no writer is at work for so long.
_LEFTOVER_SECONDS = 86_400.0
#: What the name of a folder begins with while it is being made.
_UNLOCKED = "new-"


class Workspace:
    """A folder below `shared`, private and of this process alone: made when first asked for, locked as long as this lives.

    Raises `OSError` as the system does.
    """

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._let_go: Callable[[], object] = lambda: None

    @property
    def folder(self) -> Path:
        """The folder, made anew where somebody has removed it."""
        with self._lock:
            if self._folder is None or not self._folder.is_dir():
                self._folder = self._made()
            return self._folder

    def prepare(self) -> None:
        """Make `shared` if need be, and remove the folders in it whose process is gone, however young; spare all others."""
        self._shared.mkdir(0o700, parents=True, exist_ok=True)
        before = time.time() - _LEFTOVER_SECONDS
        for entry in list(os.scandir(self._shared)):
            with suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    if entry.stat(follow_symlinks=False).st_ctime < before:
                        os.unlink(entry)
                elif _is_abandoned(entry, before):
                    shutil.rmtree(entry, ignore_errors=True)

    def _made(self) -> Path:
        self._let_go()
        folder = self._shared / secrets.token_hex(16)
        # Until it is locked its name protects it. A lock on all of them would not do: who is stopped while holding it holds
        # up every start.
        unlocked = folder.with_name(_UNLOCKED + folder.name)
        unlocked.mkdir(0o700)
        held = _opened(unlocked)
        with suppress(OSError):  # a file system without locks: age protects it
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(folder)
        self._let_go = weakref.finalize(self, os.close, held)
        return folder


def _is_abandoned(entry: "os.DirEntry[str]", before: float) -> bool:
    if entry.name.startswith(_UNLOCKED):
        return entry.stat(follow_symlinks=False).st_mtime < before
    folder = _opened(entry)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return entry.stat(follow_symlinks=False).st_mtime < before
    finally:
        os.close(folder)
    return True


def _opened(folder: "Path | os.DirEntry[str]") -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
