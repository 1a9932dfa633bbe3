"""The object store of a laptop: a folder that keeps what the port promises, and permits over HTTP what S3 would.

    incoming/<upload_id>                 originals/<5>/<2>/<storage_id>        thumbnails/<5>/<2>/<storage_id>/<size>.<ext>
    temporary/                           signing-key

`<5>/<2>` are the first characters of the id. Ids sort by time, so a listing runs through these folders in key order, one
at a time, and no folder outgrows what is stored in half a minute or so.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from chalicelib.errors import UnavailableError
from chalicelib.storage import files
from chalicelib.storage.keys import INCOMING, ORIGINALS, THUMBNAILS, is_key, upload_of
from chalicelib.storage.port import Disposition, ObjectMissing, StoredObject, Ticket
from chalicelib.storage.presign import BUCKET, Presigner

_SECTIONS = (INCOMING, ORIGINALS, THUMBNAILS)
#: Where the names of the two levels of folders end within an id.
_FIRST, _SECOND = 5, 7


class DiskStore:
    """An `ObjectStore` below `root`, which it makes private; safe for many threads and processes at once.

    `presigner` judges what comes to `url_base` over HTTP: a form post, when it is permitted, goes to `post`. `on_incoming`
    is handed each event, in the shape of S3's notification, by the thread that caused it.
    """

    def __init__(
        self,
        root: Path,
        url_base: str,
        clock: Callable[[], datetime],
        on_incoming: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        self._root = root
        #: For files that are being worked on: whatever a killed process leaves here is removed a day later.
        self.temporary = root / "temporary"
        self._clock = clock
        self._on_incoming = on_incoming
        with files.answering():
            root.mkdir(0o700, parents=True, exist_ok=True)
            root.chmod(0o700)
            for section in _SECTIONS:
                (root / section).mkdir(0o700, exist_ok=True)
            secret = files.shared_secret(root / "signing-key")
            self._publisher = files.Publisher(root, self.temporary, clock())
        self.presigner = Presigner(secret, url_base, clock)
        #: Scheme and host of every ticket and signed URL.
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(url_base))

    def put(self, key: str, content: bytes, content_type: str) -> None:  # noqa: ARG002 - the type is in the signed URL
        self._write(key, [content], "ObjectCreated:Put")

    def post(self, fields: Iterable[tuple[str, str]], content: Iterable[bytes]) -> None:
        """Store the file of a form post under the key it names, as it comes, or raise `StoreRefusal`: for all but a wrong
        size before the first byte of it is asked for. Nothing is kept where `content` raises."""
        fields = list(fields)
        key = self.presigner.check_post(fields, None)
        self._write(key, self._of_permitted_size(fields, content), "ObjectCreated:Post")

    def _of_permitted_size(self, fields: Iterable[tuple[str, str]], content: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in content:
            size += len(piece)
            yield piece
        self.presigner.check_post(fields, size)

    @contextmanager
    def open(self, key: str) -> Iterator[files.OpenFile]:
        with self._answering_for(key):
            file = files.OpenFile(self._path(key))
        with closing(file):
            yield file

    def copy(self, source: str, etag: str, target: str, content_type: str) -> None:  # noqa: ARG002 - as in `put`
        to = self._path(target)
        with self._answering_for(source):
            self._publisher.copy(self._path(source), etag, to)

    def head(self, key: str) -> StoredObject | None:
        try:
            with self._answering_for(key):
                return _stored(key, self._path(key).stat(follow_symlinks=False))
        except ObjectMissing:
            return None

    def delete(self, keys: Iterable[str]) -> None:
        for key in filter(is_key, keys):
            path = self._path(key)
            with files.answering():
                # Losing a removal with the power leaves an object that no row names: the sweep's daily bread.
                path.unlink(missing_ok=True)
            self._remove_empty(path.parent)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        if prefix not in _SECTIONS:
            raise ValueError(f"{prefix!r} is not one of {', '.join(_SECTIONS)}")
        self.check()
        for key in self._keys(prefix, after):
            # A file may vanish between its folder's listing and the look at it.
            if key > after and (found := self.head(key)):
                yield found

    def raise_event(self, key: str) -> None:
        with self._answering_for(key):
            status = self._path(key).stat()
        self._tell(key, status, "ObjectCreated:Copy")

    def ticket(self, key: str, size: int, expires_at: datetime) -> Ticket:
        return self.presigner.ticket(key, size, expires_at)

    def url(self, key: str, content_type: str, file_name: str, disposition: Disposition) -> str:
        return self.presigner.url(key, content_type, file_name, disposition)

    def check(self) -> None:
        if not os.access(self.temporary, os.W_OK | os.X_OK):
            raise UnavailableError("The store does not answer: its folder has gone or cannot be written.")

    def _write(self, key: str, content: Iterable[bytes], event: str) -> None:
        path = self._path(key)
        with files.answering():
            status = self._publisher.write(path, content)
        self._tell(key, status, event)

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise ValueError(f"{key!r} is not a key")
        section, _, rest = key.partition("/")
        folder = self._root / section
        return folder / rest if section + "/" == INCOMING else folder / rest[:_FIRST] / rest[_FIRST:_SECOND] / rest

    def _keys(self, section: str, after: str) -> Iterator[str]:
        """What is listed below a section, in order, leaving out folders that hold nothing greater than `after`."""
        for folder in self._leaves(section, after):
            for name in files.names(folder):
                if section != THUMBNAILS:
                    yield section + name
                elif not _all_passed(f"{section}{name}/", after):
                    yield from (f"{section}{name}/{file}" for file in files.names(folder / name))

    def _leaves(self, section: str, after: str) -> Iterator[Path]:
        top = self._root / section
        if section == INCOMING:
            yield top
            return
        for first in files.names(top):
            if not _all_passed(section + first, after):
                for second in files.names(top / first):
                    if not _all_passed(section + first + second, after):
                        yield top / first / second

    def _remove_empty(self, folder: Path) -> None:
        """Remove the folder and those above it, up to the section, that hold nothing any more."""
        while folder.parent != self._root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    @contextmanager
    def _answering_for(self, key: str) -> Iterator[None]:
        if not is_key(key):
            raise ObjectMissing(key)
        try:
            with files.answering():
                yield
        except UnavailableError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            self.check()
            raise ObjectMissing(key) from None

    def _tell(self, key: str, status: os.stat_result, event: str) -> None:
        if self._on_incoming is None or upload_of(key) is None:
            return
        named = {
            "key": quote_plus(key, safe="/"),
            "size": status.st_size,
            "eTag": files.etag(status),
            "sequencer": f"{time.time_ns():016X}",
        }
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventTime": self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "eventName": event,
            "s3": {"bucket": {"name": BUCKET}, "object": named},
        }
        self._on_incoming({"Records": [record]})


def _stored(key: str, status: os.stat_result) -> StoredObject:
    # A copy is a second name of the same file: it is as old as that name, which only the time of the last change tells.
    return StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_ctime, UTC))


def _all_passed(beginning: str, after: str) -> bool:
    """Whether every key that begins so comes before `after`."""
    return beginning < after[: len(beginning)]
