"""The object store of a laptop: a folder that keeps what the port promises, and permits over HTTP what S3 would.

    incoming/<upload_id>                 originals/<2>/<storage_id>            thumbnails/<2>/<storage_id>/<size>.<ext>
    temporary/<process>/                 signing-key                           repository-id
    aside/<date>/…                       what the sweep took for orphans, below the same folders as before

`<2>` are the first characters of the id (`disk_listing` tells why, and where the release before put things).
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from chalicelib.errors import UnavailableError
from chalicelib.storage import disk_listing, files
from chalicelib.storage.disk_presign import BUCKET, Presigner
from chalicelib.storage.keys import (
    ASIDE,
    INCOMING,
    REPOSITORY_ID,
    SECTIONS,
    aside,
    day_aside,
    is_key,
    storage_of,
    upload_of,
)
from chalicelib.storage.port import Disposition, ObjectMissing, StoredObject, Ticket
from chalicelib.storage.workspace import Workspace

#: The folder of the folders that processes work in.
TEMPORARY = "temporary"


class DiskStore:
    """An `ObjectStore` below `root`, in folders that it makes private; safe for many threads and processes at once.

    `presigner` judges what comes to `url_base` over HTTP: a form post, when it is permitted, goes to `post`. `on_incoming`
    is handed each event, in the shape of S3's notification, by the thread that caused it. With `look_only` the folder is
    left exactly as it is, and what is signed is good for nobody.
    """

    def __init__(
        self,
        root: Path,
        url_base: str,
        clock: Callable[[], datetime],
        on_incoming: Callable[[dict[str, Any]], None] | None,
        *,
        look_only: bool = False,
    ) -> None:
        self._root = root
        #: For files that are being worked on.
        self.workspace = Workspace(root / TEMPORARY)
        self._publisher = files.Publisher(root, self.workspace)
        self._clock = clock
        self._on_incoming = on_incoming
        secret = secrets.token_bytes(files.SECRET_BYTES) if look_only else self._prepare()
        self._etags = files.Etags(secret)
        self.presigner = Presigner(secret, url_base, clock)
        #: Scheme and host of every ticket and signed URL.
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(url_base))
        self.name = f"the folder {root}"

    def _prepare(self) -> bytes:
        """Make what is not there yet; returns the secret that signs."""
        with files.answering():
            self._root.mkdir(0o700, parents=True, exist_ok=True)
            for section in SECTIONS:
                (self._root / section).mkdir(0o700, exist_ok=True)
            secret = files.shared_secret(self._root / "signing-key")
            self.workspace.prepare()
            self._publisher.prepare()
        return secret

    def put(self, key: str, content: bytes, content_type: str) -> None:  # noqa: ARG002 - the type is in the signed URL
        self._write(key, [content], "ObjectCreated:Put")

    def post(self, fields: Iterable[tuple[str, str]], content: Iterable[bytes]) -> None:
        """Store the file of a form post under the key it names, as it comes, or raise `StoreError`: for all but a wrong
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
            file = files.OpenFile(self._path(key), partial(self._etags.of, key))
        with closing(file):
            yield file

    def copy(self, source: str, etag: str, target: str, content_type: str) -> None:  # noqa: ARG002 - as in `put`
        to = self._path(target)
        with self._answering_for(source):
            self._publisher.copy(self._path(source), partial(self._etags.of, source), etag, to)

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

    def forget_earlier(self, key: str) -> None:
        """A file that is put again takes the place of the one before."""

    def set_aside(self, keys: Iterable[str], now: datetime) -> None:
        for key in filter(is_key, keys):
            path = self._path(key)
            target = self._root / aside(now.date(), str(path.relative_to(self._root)))
            with files.answering():
                files.make_private(self._root, target.parent)
                # Losing a move with the power leaves the object where it was: the sweep's daily bread.
                with suppress(FileNotFoundError):
                    path.replace(target)
            self._remove_empty(path.parent)

    def forget_aside(self, before: date, *, dry_run: bool) -> int:
        removed, failed = 0, None
        for name in files.names(self._root / ASIDE):
            day = day_aside(name)
            if day is not None and day < before:
                try:
                    removed += files.remove_tree(self._root / ASIDE / name, dry_run=dry_run)
                except OSError as error:  # the days behind it must not wait for it
                    failed = error
        with files.answering():
            if failed:
                raise failed
        return removed

    def repository_id(self) -> str | None:
        with files.answering():
            try:
                return (self._root / REPOSITORY_ID).read_text("ascii", "replace").strip()
            except FileNotFoundError:
                return None

    def keep_repository_id(self, repository_id: str) -> None:
        with files.answering():
            self._publisher.write(self._root / REPOSITORY_ID, [repository_id.encode("ascii")])

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        if prefix not in SECTIONS:
            raise ValueError(f"{prefix!r} is not one of {', '.join(SECTIONS)}")
        self._check_folder()
        for key in disk_listing.keys_below(self._root, prefix, after):
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
        with files.answering():
            os.scandir(self._root / INCOMING).close()

    def check_writing(self) -> None:
        self._check_folder()
        with files.answering():
            self._publisher.check()

    def _check_folder(self) -> None:
        if not os.access(self._root / TEMPORARY, os.W_OK | os.X_OK):
            raise UnavailableError("The store does not answer: its folder has gone or cannot be written.")

    def _write(self, key: str, content: Iterable[bytes], event: str) -> None:
        path = self._path(key)
        with files.answering():
            status = self._publisher.write(path, self._leaving_room(content, to_be_copied=upload_of(key) is not None))
        self._tell(key, status, event)

    def _leaving_room(self, content: Iterable[bytes], to_be_copied: bool) -> Iterator[bytes]:
        """The content, as long as there is room for it, and for the copy that will be worked on."""
        written = 0
        for piece in content:
            self._publisher.need_room(len(piece) + (written + len(piece) if to_be_copied else 0))
            written += len(piece)
            yield piece

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise ValueError(f"{key!r} is not a key")
        section, _, rest = key.partition("/")
        return Path(self._root, section, *disk_listing.folders(storage_of(key)), rest)

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
            self._check_folder()
            raise ObjectMissing(key) from None

    def _tell(self, key: str, status: os.stat_result, event: str) -> None:
        if self._on_incoming is None or upload_of(key) is None:
            return
        named = {
            "key": quote_plus(key, safe="/"),
            "size": status.st_size,
            "eTag": self._etags.of(key, status),
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
