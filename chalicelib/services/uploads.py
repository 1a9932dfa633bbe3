"""Asking to upload, sending in one request, and asking what became of it."""

import base64
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import (
    BadImageError,
    NotFoundError,
    PayloadTooLargeError,
    RepositoryError,
    UnavailableError,
)
from chalicelib.model.records import ENDED, NewUpload, Quota, Upload
from chalicelib.services.later import Later
from chalicelib.services.names import clean_name
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectStore, Ticket

TICKET_LIFETIME = timedelta(hours=1)

#: How long `receive` waits for the end of an upload, in seconds: well within API Gateway's 29.
PATIENCE = 20.0

_FIRST_LOOK = 0.005
_SLOWEST_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that a client would send: its exact size in bytes and, if known, its SHA-256."""

    name: str
    size: int
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """The file is wanted: post it with this ticket."""

    upload: NewUpload
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class ExistsAnswer:
    """This owner has sent exactly this file before, and still holds the image it led to."""

    name: str
    image_id: int


@dataclass(frozen=True, slots=True)
class RejectAnswer:
    """The file would be refused whatever its bytes are."""

    name: str
    error: RepositoryError


Answer = UploadAnswer | ExistsAnswer | RejectAnswer


@dataclass(frozen=True, slots=True)
class Uploads:
    """Uploads of every owner; `max_bytes` is the largest file taken, `patience` how many seconds `receive` waits.

    `later` is what this process owes the catalog.
    """

    catalog: Catalog
    store: ObjectStore
    max_bytes: int
    quota: Quota
    clock: Callable[[], datetime]
    later: Later
    patience: float = PATIENCE

    def ask(self, owner: str, offers: Sequence[Offer]) -> list[Answer]:
        """One answer per offer, in order. Nothing is entered for a file that is held or refused.

        Raises `QuotaExceededError`, and then enters nothing, where the files that are wanted would not fit the owner's limits.
        """
        digests = {offer.sha256 for offer in offers if offer.sha256}
        known = self.catalog.images.known(owner, digests) if digests else {}
        answers = [self._answer(owner, offer, known) for offer in offers]
        self._enter([answer.upload for answer in answers if isinstance(answer, UploadAnswer)])
        return answers

    def _answer(self, owner: str, offer: Offer, known: dict[bytes, int]) -> Answer:
        try:
            name = clean_name(offer.name)
            self._check_size(offer.size)
        except RepositoryError as error:
            return RejectAnswer(offer.name, error)
        if offer.sha256 in known:
            return ExistsAnswer(name, known[offer.sha256])
        upload = self._new(owner, name, offer.size, offer.sha256)
        return UploadAnswer(upload, self.store.ticket(keys.incoming(upload.id), upload.size, upload.expires_at))

    def receive(self, owner: str, name: str, content: bytes) -> Upload:
        """Take one file by the same road as any other, and wait for the end of it, but not for ever.

        Returns the upload as it then stands. Raises what `clean_name` raises, `PayloadTooLargeError`, `BadImageError` (an
        empty file) or `QuotaExceededError` before anything is entered.
        """
        name = clean_name(name)
        self._check_size(len(content))
        upload = self._new(owner, name, len(content), None)
        self._enter([upload])
        try:
            self.store.put(keys.incoming(upload.id), content, "application/octet-stream")
        except Exception:  # the client sends it again as another upload: this one must not count for the owner's limits
            self.later.do(lambda: self.catalog.uploads.withdraw([upload]))
            raise
        return self._wait(owner, upload.id)

    def status(self, owner: str, upload_id: str) -> Upload:
        """Raises `NotFoundError` for an upload that is not this owner's, or is not known (any more)."""
        upload = self.catalog.uploads.get(upload_id) if keys.is_upload_id(upload_id) else None
        if upload is None or upload.owner != owner:
            raise NotFoundError("There is no such upload: check the id, and that it ended less than 30 days ago.")
        return upload

    def _enter(self, wanted: Sequence[NewUpload]) -> None:
        """What is under way counts as if it were held already, so that many tickets at once do not pass a limit together."""
        self.later.catch_up()
        try:
            self.catalog.uploads.add(wanted, self.quota)
        except UnavailableError:  # they may be there all the same, and nobody is told of them
            self.later.owe(lambda: self.catalog.uploads.withdraw(wanted))
            raise

    def _check_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise PayloadTooLargeError(f"The file has {size} bytes: at most {self.max_bytes} are taken.")
        if size == 0:
            raise BadImageError("The file is empty: send the bytes of an image.")

    def _new(self, owner: str, name: str, size: int, sha256: bytes | None) -> NewUpload:
        now = self.clock()
        return NewUpload(_new_upload_id(now), owner, name, size, sha256, now, now + TICKET_LIFETIME)

    def _wait(self, owner: str, upload_id: str) -> Upload:
        deadline = time.monotonic() + self.patience
        pause = _FIRST_LOOK
        while True:
            upload = self.status(owner, upload_id)
            if upload.status in ENDED or time.monotonic() >= deadline:
                return upload
            time.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK)


def _new_upload_id(now: datetime) -> str:
    """36 characters that sort by time (48 bits of milliseconds) and cannot be guessed (128 random bits).

    The alphabet is base32hex (RFC 4648, section 7), which keeps the order of the bytes, in lower case.
    """
    milliseconds = int(now.timestamp() * 1000).to_bytes(6, "big")
    return base64.b32hexencode(milliseconds + secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()
