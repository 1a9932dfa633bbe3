"""What the services ask of an object store. There are two: a folder on a laptop, an S3 bucket on AWS."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

Disposition = Literal["inline", "attachment"]


class ObjectMissing(Exception):
    """The store holds no object under this key."""


class ObjectChanged(Exception):
    """The object is no longer the one whose ETag was given."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing names it. `modified` is UTC, with its zone."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A signed permission to post one file: send `fields`, then the file in the field `file`, as one multipart form."""

    url: str
    fields: Mapping[str, str]


class Reading(Protocol):
    """One version of an object, opened: whatever happens to the key meanwhile, the chunks are of that version."""

    @property
    def etag(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def modified(self) -> datetime:
        """When it was put: UTC, with its zone."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in order, in pieces of at most 1 MiB. Raises `ObjectChanged` if they can no longer be had whole."""


class ObjectStore(Protocol):
    """Every method raises `UnavailableError` when the store does not answer."""

    @property
    def name(self) -> str:
        """Which store this is, in words for an operator."""

    @property
    def origin(self) -> str:
        """Scheme and host of every ticket and signed URL, as a browser's policy names them."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store `content` durably; readers see all of it or none. A put under `incoming/` raises the event."""

    def open(self, key: str) -> AbstractContextManager[Reading]:
        """Raises `ObjectMissing`."""

    def copy(self, source: str, etag: str, target: str, content_type: str) -> None:
        """Copy within the store the version that `etag` names. Raises `ObjectMissing` or `ObjectChanged`."""

    def head(self, key: str) -> StoredObject | None: ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the objects; keys that name none are passed over."""

    def forget_earlier(self, key: str) -> None:
        """Destroy what was put under this key before it was put there last, in a store that keeps versions."""

    def set_aside(self, keys: Iterable[str], now: datetime) -> None:
        """Take the objects out of every listing, but keep their bytes where an operator finds them under the day of `now`.

        Keys that name no object are passed over.
        """

    def forget_aside(self, before: date, *, dry_run: bool) -> int:
        """Destroy what was set aside on an earlier day than `before`, or with `dry_run` only count it; returns how much.

        A bucket that keeps versions, and for how long, is left to its own rules.
        """

    def repository_id(self) -> str | None:
        """The id of the repository whose pictures lie here; `None` where nobody has left one yet."""

    def keep_repository_id(self, repository_id: str) -> None:
        """Leave this id, in place of any other; durable when this returns."""

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """The objects under `incoming/`, `originals/` or `thumbnails/` by key, in order, those greater than `after`."""

    def raise_event(self, key: str) -> None:
        """Raise the event of an `incoming/` object anew. Raises `ObjectMissing`."""

    def ticket(self, key: str, size: int, expires_at: datetime) -> Ticket:
        """A ticket for exactly `size` bytes under exactly this key."""

    def url(self, key: str, content_type: str, file_name: str, disposition: Disposition) -> str:
        """A signed absolute URL that serves the object under this type and name; the same for a while."""

    def check(self) -> None:
        """Return when the store answers: it is looked at, nothing is written."""

    def check_writing(self) -> None:
        """Return when the store can be written, as far as this can be told without leaving anything."""
