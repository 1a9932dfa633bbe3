"""Short ways to say what a test puts into a catalog."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.catalog.catalog import Catalog
from chalicelib.model.facts import Facts
from chalicelib.model.records import Admission, Admitted, Entry, Filters, NewUpload, Sort, StoredFile, Upload

NOW = datetime(2026, 3, 1, 12, 30, 15, 123457, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)

_numbers = itertools.count(1)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def asked(owner: str = "local", name: str = "photo.jpg", at: datetime = NOW, upload_id: str | None = None) -> NewUpload:
    upload_id = upload_id or f"{next(_numbers):036}"
    return NewUpload(upload_id, owner, name, 5, None, at, at + timedelta(hours=1))


def pending(catalog: Catalog, **values: Any) -> str:
    """The id of an upload that was just asked for."""
    upload = asked(**values)
    catalog.uploads.add([upload])
    return upload.id


def leased(catalog: Catalog, **values: Any) -> Upload:
    """An upload that was asked for and leased once."""
    upload = catalog.uploads.lease(pending(catalog, **values), NOW, NOW)
    assert isinstance(upload, Upload)
    return upload


def stored_file(upload: Upload, byte_size: int = 5, format_name: str = "JPEG") -> StoredFile:
    return StoredFile(f"{upload.id}-{upload.attempt}", byte_size, format_name, "image/jpeg", "jpg")


def entry(picture: str, facts: Facts | None = None, width: int = 4, height: int = 3) -> Entry:
    pixels = hashlib.sha512(picture.encode()).digest()
    return Entry(digest(picture), width, height, "RGB", 1, pixels, facts or Facts())


def admission(
    upload: Upload, file: str, picture: Entry | None, written: bool = True, format_name: str = "JPEG", byte_size: int = 5
) -> Admission:
    return Admission(
        upload_id=upload.id,
        attempt=upload.attempt,
        owner=upload.owner,
        name=upload.name,
        sha256=digest(file),
        entry=picture,
        written=stored_file(upload, byte_size, format_name) if written else None,
    )


def admitted(
    catalog: Catalog,
    file: str,
    picture: Entry | None = None,
    *,
    owner: str = "local",
    name: str = "photo.jpg",
    at: datetime = NOW,
    **values: Any,
) -> Admitted:
    """Take a file in, from the request to the end; its picture is its own unless given."""
    upload = leased(catalog, owner=owner, name=name)
    return catalog.images.admit(admission(upload, file, picture or entry(file), **values), at)


def listed(catalog: Catalog, filters: Filters | None = None, sort: Sort = "-uploaded_at", owner: str = "local") -> list[int]:
    """The ids of the whole list, read in pages of three."""
    ids: list[int] = []
    page = catalog.images.page(owner, filters or Filters(), sort, 3, None)
    while True:
        ids += [image.id for image in page.images]
        if page.next is None:
            return ids
        page = catalog.images.page(owner, filters or Filters(), sort, 3, page.next)
