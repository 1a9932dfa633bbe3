"""The client: one method per route of the server's contract, and the two errands that take several, upload and download."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from imagerepo import fetching
from imagerepo.errors import StoreError, UnavailableError
from imagerepo.filters import Filters, Sort
from imagerepo.localfile import ExactReader, OnBytes, ignore_bytes, open_regular, sendable_name, sha256_of
from imagerepo.models import (
    Answer,
    Details,
    ExistsAnswer,
    Health,
    Image,
    Offer,
    Page,
    Readiness,
    RejectAnswer,
    Upload,
    UploadAnswer,
    UploadedImage,
)
from imagerepo.transport import Transport

DEFAULT_SERVER = "http://127.0.0.1:8000"
#: The most files that the server takes in one question.
MOST_OFFERS = 100
LARGEST_PAGE = 200

_FIRST_LOOK = 0.05
_SLOWEST_LOOK = 2.0


class Client:
    """An image repository at `server`. One client serves many threads; use it as a context manager, or `close` it.

    `key` is sent to the server alone. `owner` asks about another owner's images, which takes an admin key. Every call is
    tried again for up to `patience` seconds when server or store are busy, failing or out of reach; setting `stop` ends
    whatever is under way with `StoppedError`.

    Every method may raise `ApiError` (the server refused), `UnavailableError` (no usable answer came) or another
    `ImageRepoError`. Raises `ValueError` for an address or a key that cannot be used.
    """

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        key: str | None = None,
        *,
        owner: str | None = None,
        patience: float = 60.0,
        stop: threading.Event | None = None,
    ) -> None:
        self._stop = stop or threading.Event()
        self._transport = Transport(server, key, patience, self._stop)
        self._owner = [("owner", owner)] if owner is not None else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def server(self) -> str:
        """The server's address, without a trailing slash."""
        return self._transport.base

    def health(self) -> Health:
        return self._transport.ask(Health, "GET", "/health")

    def ready(self) -> Readiness:
        """Whether its catalog and its store answer and can be written; asked once, however long the client's patience is."""
        return self._transport.ask_once(Readiness, "GET", "/health/ready", {200, 503})

    def openapi(self) -> dict[str, object]:
        """The server's description of itself."""
        document: dict[str, object] = self._transport.ask(dict, "GET", "/openapi.json")
        return document

    def list_page(
        self,
        filters: Filters | None = None,
        *,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        include_total: bool = False,
    ) -> Page:
        """One page, newest first unless `sort` says otherwise; `cursor` is the `next_cursor` of the page before."""
        extra = {"sort": sort, "limit": limit, "cursor": cursor, "include_total": "true" if include_total else None}
        given = [(name, str(value)) for name, value in extra.items() if value is not None]
        parameters = [*(filters or Filters()).parameters(), *given, *self._owner]
        return self._transport.ask(Page, "GET", "/image/list", parameters)

    def images(self, filters: Filters | None = None, *, sort: Sort | None = None) -> Iterator[Image]:
        """Every image that matches, page by page as they are taken."""
        cursor, known = None, set[str | None]()
        while True:
            known.add(cursor)
            page = self.list_page(filters, sort=sort, limit=LARGEST_PAGE, cursor=cursor)
            yield from page.images
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in known or not page.images:
                raise self._transport.strange("its list does not go on")

    def details(self, image_id: int) -> Details:
        """Raises `NotFoundError`."""
        return self._transport.ask(Details, "GET", f"/image/{image_id}/details", self._owner)

    def original(self, image_id: int) -> bytes:
        """The whole file as it was uploaded, in memory. Raises `NotFoundError`."""
        return self._redirected(f"/image/{image_id}", [])

    def thumbnail(self, image_id: int, size: int = 256) -> bytes:
        """A thumbnail whose longest side is at most `size`: 256, 512 or 1280. Raises `NotFoundError`."""
        return self._redirected(f"/image/{image_id}/thumbnail", [("size", str(size))])

    def _redirected(self, path: str, parameters: Sequence[tuple[str, str]]) -> bytes:
        response = self._transport.request("GET", path, [*parameters, *self._owner])
        location = response.headers.get("location")
        if response.status_code != 302 or not location:
            raise self._transport.strange("it does not say where the file is")

        def fetch() -> bytes:
            with self._transport.open(location, {}) as stored:
                if "content-length" not in stored.headers:  # with one, no more than it says is ever read
                    raise self._transport.strange("the store does not announce how long the file is")
                return b"".join(stored.iter_raw())

        return self._transport.retrying.run(fetch)

    def delete(self, image_id: int) -> None:
        """Raises `NotFoundError`, also where an answer was lost and the image is gone by the second try."""
        self._transport.request("DELETE", f"/image/{image_id}", self._owner)

    def send(self, content: bytes | BinaryIO, name: str) -> UploadedImage | Upload:
        """Upload a small file in one request; behind API Gateway at most some 4.5 MB.

        Returns the image, or the upload where the server has not finished with it within 20 seconds.
        """
        files = {"image": (name, content, "application/octet-stream")}
        response = self._transport.request("POST", "/image/upload", files=files)
        if response.status_code == 202:
            return self._transport.decoded(Upload, response)
        return self._transport.decoded(UploadedImage, response)

    def ask(self, offers: Sequence[Offer]) -> list[Answer]:
        """Ask to upload up to 100 files: one answer per file, in order."""
        files = [
            {"name": offer.name, "size": offer.size, **({"sha256": offer.sha256} if offer.sha256 else {})} for offer in offers
        ]
        answer = self._transport.ask(dict, "POST", "/image/uploads", json={"files": files})
        try:
            answers = [msgspec.convert(item, _KINDS[str(item["action"])]) for item in answer["uploads"]]
        except (KeyError, TypeError, ValueError) as problem:
            raise self._transport.strange(f"{problem!r}") from None
        if len(answers) != len(offers):
            raise self._transport.strange(f"{len(answers)} answers about {len(offers)} files")
        return answers

    def post(self, ticket: UploadAnswer, file: BinaryIO, size: int, on_bytes: OnBytes = ignore_bytes) -> None:
        """Send the `size` bytes of a seekable file to the store. Raises `StoreError`: with status 403, ask for a new ticket."""
        files = {ticket.file_field: ("file", ExactReader(file, size, on_bytes), "application/octet-stream")}
        self._transport.post_form(ticket.url, ticket.fields, files, lambda: datetime.now(UTC) < ticket.expires_at)

    def upload_status(self, upload_id: str) -> Upload:
        """What became of an upload. Raises `NotFoundError`; ended uploads are forgotten after 30 days."""
        return self._transport.ask(Upload, "GET", f"/image/uploads/{upload_id}")

    def wait(self, upload_id: str, timeout: float = 600.0) -> Upload:
        """Ask now and then until the upload has ended. Raises `UnavailableError` after `timeout` seconds."""
        deadline, pause = time.monotonic() + timeout, _FIRST_LOOK
        while True:
            upload = self.upload_status(upload_id)
            if upload.ended:
                return upload
            if time.monotonic() >= deadline:
                raise UnavailableError(f"The upload is still {upload.status} after {timeout:g} seconds.")
            self._stop.wait(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK)

    def upload(
        self, path: str | Path, on_bytes: OnBytes = ignore_bytes, *, timeout: float = 600.0
    ) -> ExistsAnswer | RejectAnswer | Upload:
        """Upload one file of any size, straight to the store and only if it is not held, and wait for the end of it.

        `timeout` is that of `wait`. Raises `OSError` or `FileChangedError` for a file that cannot be read.
        """
        path = Path(path)
        snapshot, sha256 = sha256_of(path)
        answer = self.ask([Offer(sendable_name(path), snapshot.size, sha256.hex())])[0]
        if not isinstance(answer, UploadAnswer):
            return answer
        with open_regular(path) as file:
            self.post(answer, file, snapshot.size, on_bytes)
        return self.wait(answer.upload_id, timeout)

    def download(self, image: int | Details, partial: Path, on_bytes: OnBytes = ignore_bytes) -> Details:
        """Fetch an original into the file `partial`, going on where one that is there ends, and verify its SHA-256.

        Raises `DigestError`, having removed the file.
        """
        details = self.details(image) if isinstance(image, int) else image
        try:
            fetching.fetch(self._transport, details.original_url, details, partial, on_bytes)
        except StoreError as refusal:
            if refusal.status != 403:
                raise
            details = self.details(details.id)  # the signature has run out
            fetching.fetch(self._transport, details.original_url, details, partial, on_bytes)
        return details


#: What each `action` of an answer comes with.
_KINDS: dict[str, type[Answer]] = {
    "upload": UploadAnswer,
    "exists": ExistsAnswer,
    "reject": RejectAnswer,
}
