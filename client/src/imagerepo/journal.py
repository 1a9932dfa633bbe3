"""What uploads to one server have learned, kept across runs: digests of files, uploads not yet seen to end, refusals.

It only ever saves work: without it everything is hashed and asked about anew. It holds no key and no ticket. One SQLite file
per server, so that a process that is killed leaves it whole; several processes may use it at once.
"""

import contextlib
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from imagerepo.localfile import Snapshot
from imagerepo.models import Refusal

#: A file that changed this shortly before it was hashed may change again within the same tick of its clock.
_SETTLED_NS = 2_000_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, sha256 BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_uploads (sha256 BLOB PRIMARY KEY, upload_id TEXT NOT NULL,
    sent INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (sha256 BLOB PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload that has a ticket; `sent` where the store has taken its bytes."""

    id: str
    sent: bool


class Journal:
    """The journal in the file `path`, or one that is forgotten with the process. To be used by one thread.

    Where the file cannot be opened the journal is forgotten with the process, too, and `kept` is false.
    """

    def __init__(self, path: Path | None) -> None:
        try:
            self._database, self.kept = _opened(path), path is not None
        except (OSError, sqlite3.OperationalError):
            self._database, self.kept = _opened(None), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is written in one go."""
        self._write("BEGIN")
        try:
            yield
        finally:
            self._write("COMMIT")

    def digest(self, path: Path, snapshot: Snapshot) -> bytes | None:
        """The SHA-256 of a file that is still what it was when it was hashed."""
        found = self._database.execute(
            "SELECT sha256 FROM files WHERE path = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ? AND inode = ?",
            (_key(path), snapshot.size, snapshot.mtime_ns, snapshot.ctime_ns, _signed(snapshot.inode)),
        ).fetchone()
        return found[0] if found else None

    def add_digest(self, path: Path, snapshot: Snapshot, sha256: bytes) -> None:
        """Remember a digest, unless the file changed so shortly before that it may not have settled."""
        if time.time_ns() - max(snapshot.mtime_ns, snapshot.ctime_ns) > _SETTLED_NS:
            self._write(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (_key(path), snapshot.size, snapshot.mtime_ns, snapshot.ctime_ns, _signed(snapshot.inode), sha256),
            )

    def open_upload(self, sha256: bytes) -> OpenUpload | None:
        """The upload of this file that has not been seen to end."""
        query = "SELECT upload_id, sent FROM open_uploads WHERE sha256 = ?"
        found = self._database.execute(query, (sha256,)).fetchone()
        return OpenUpload(found[0], bool(found[1])) if found else None

    def add_open_upload(self, sha256: bytes, upload_id: str) -> None:
        self._write("INSERT OR REPLACE INTO open_uploads VALUES (?, ?, 0)", (sha256, upload_id))

    def mark_sent(self, sha256: bytes) -> None:
        """The store has taken all the bytes of the open upload."""
        self._write("UPDATE open_uploads SET sent = 1 WHERE sha256 = ?", (sha256,))

    def close_upload(self, sha256: bytes) -> None:
        self._write("DELETE FROM open_uploads WHERE sha256 = ?", (sha256,))

    def open_count(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM open_uploads").fetchone()[0]
        return count

    def refusal(self, sha256: bytes) -> Refusal | None:
        """Why this file was refused before."""
        found = self._database.execute("SELECT code, message FROM refusals WHERE sha256 = ?", (sha256,)).fetchone()
        return Refusal(*found) if found else None

    def add_refusal(self, sha256: bytes, refusal: Refusal) -> None:
        self._write("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", (sha256, refusal.Code, refusal.Message))

    def forget_refusal(self, sha256: bytes) -> None:
        self._write("DELETE FROM refusals WHERE sha256 = ?", (sha256,))

    def _write(self, statement: str, values: Sequence[object] = ()) -> None:
        """What cannot be written (a full disk, another process that keeps the file locked) will be found out anew."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._database.execute(statement, values)


def file_name(server: str) -> str:
    """The name of the journal of a server: readable, and different for every address."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", server.partition("://")[2])[:60]
    return f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:8]}.sqlite3"


def _opened(path: Path | None) -> sqlite3.Connection:
    """A file that is no journal, or a damaged one, is put aside: nothing in it is worth failing for."""
    if path is None:
        return _connected(":memory:")
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    try:
        return _connected(str(path))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.replace(path.with_suffix(".damaged"))
        return _connected(str(path))


def _connected(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=30.0, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _key(path: Path) -> bytes:
    return os.fsencode(os.path.abspath(path))


def _signed(number: int) -> int:
    """SQLite's numbers have a sign; inodes have none."""
    return number - (1 << 64) if number >= 1 << 63 else number
