"""The first leg of an upload: from paths to contents."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from imagerepo.crew import Crew
from imagerepo.errors import FileChangedError
from imagerepo.journal import Journal
from imagerepo.localfile import OnBytes, Snapshot, sha256_of
from imagerepo.outcomes import Watcher
from imagerepo.walking import Found

#: How often a file is hashed that turns out to have changed.
_MOST_TRIES = 3


class Hashing:
    """Hashes files in `crew`, or takes the digest from the journal where the file is what it was.

    Calls `identified` with each file's digest, or `failed` with what is wrong. Reading calls `on_bytes`, which may break it
    off.
    """

    def __init__(
        self,
        journal: Journal,
        watcher: Watcher,
        crew: Crew,
        on_bytes: OnBytes,
        identified: Callable[[Path, Snapshot, bytes], None],
        failed: Callable[[Path, Exception], None],
    ) -> None:
        self._journal = journal
        self._watcher = watcher
        self._crew = crew
        self._on_bytes = on_bytes
        self._identified = identified
        self._failed = failed
        self._tries: Counter[Path] = Counter()

    def begin(self, file: Found) -> None:
        if sha256 := self._journal.digest(file.path, file.snapshot):
            self._watcher.hashed(file.snapshot.size)
            self._identified(file.path, file.snapshot, sha256)
        else:
            self._hash(file.path)

    def again(self, path: Path, snapshot: Snapshot) -> None:
        """The file is no longer what it was when it was hashed."""
        self._watcher.hashed(-snapshot.size)
        if self._tries[path] < _MOST_TRIES:
            self._hash(path)
        else:
            self._failed(path, FileChangedError("The file keeps changing."))

    def _hash(self, path: Path) -> None:
        self._tries[path] += 1
        self._crew.do(lambda: sha256_of(path, self._on_bytes), lambda result: self._hashed(path, result))

    def _hashed(self, path: Path, result: tuple[Snapshot, bytes] | Exception) -> None:
        if not isinstance(result, Exception):
            self._journal.add_digest(path, *result)
            self._identified(path, *result)
        elif isinstance(result, FileChangedError) and self._tries[path] < _MOST_TRIES:
            self._hash(path)
        else:
            self._failed(path, result)
