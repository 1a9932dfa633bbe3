"""Which files an upload is about: those that are named, and in folders those that look like pictures."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imagerepo.localfile import Snapshot

#: The extensions, in lower case, by which a file in a folder is taken for a picture.
EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".apng", ".gif", ".webp", ".tif", ".tiff", ".bmp"}) | frozenset(
    {".avif", ".heic", ".heif", ".heifs", ".hif", ".mpo"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file to upload, as it was when it was found."""

    path: Path
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that cannot be looked at, with the reason in a few words."""

    path: Path
    reason: str


def walk(paths: Iterable[Path], *, every_file: bool = False) -> Iterator[Found | Unreadable]:
    """The files at `paths`, each once: a file that is named itself, and what lies below a folder, in the order of names.

    In folders hidden names are passed over, and so is what does not look like a picture unless `every_file` is set. Links
    to files are followed, links to folders only where they are named: they may lead anywhere, and in circles.
    """
    seen: set[tuple[int, int, str]] = set()
    waiting = [(Path(path), True) for path in reversed(list(paths))]
    while waiting:
        path, named = waiting.pop()
        try:
            status = path.stat()
            identity = (status.st_dev, status.st_ino, "")
            if stat.S_ISDIR(status.st_mode):
                if identity not in seen and (named or not path.is_symlink()):
                    seen.add(identity)
                    waiting.extend((Path(entry), False) for entry in reversed(_entries(path)))
            elif named or _wanted(path, status, every_file):
                if not stat.S_ISREG(status.st_mode):
                    yield Unreadable(path, "it is not a regular file")
                elif (place := _place(path)) not in seen:
                    seen.add(place)
                    yield Found(path, Snapshot.of(status))
        except OSError as problem:
            yield Unreadable(path, reason(problem))


def reason(problem: OSError) -> str:
    """What the system says, without the path."""
    return (problem.strerror or str(problem)).lower()


def _entries(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if not entry.name.startswith("."))


def _wanted(path: Path, status: os.stat_result, every_file: bool) -> bool:
    return stat.S_ISREG(status.st_mode) and (every_file or path.suffix.lower() in EXTENSIONS)


def _place(path: Path) -> tuple[int, int, str]:
    """Where the file's name stands: a hard link under another name is a file of its own."""
    parent = path.parent.stat()
    return (parent.st_dev, parent.st_ino, path.name)
