"""The server's answers as frozen values.

Times are `datetime`: in UTC, but for `taken_at`, which is the camera's wall clock and has no zone. Sizes are pixels, lengths
bytes. `None` stands for what the file does not say. Signed URLs are left out of representations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: The statuses of an upload that will not change any more.
ENDED = frozenset({"stored", "duplicate", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image as a list shows it."""

    id: int
    name: str
    uploaded_at: datetime
    taken_at: datetime | None
    format: str
    content_type: str
    byte_size: int
    width: int
    height: int
    thumbnail_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Camera:
    make: str | None = None
    model: str | None = None
    lens: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """Seconds, f-number, ISO speed, millimetres."""

    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Degrees, and metres above sea level."""

    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file holds beside its picture, a film or a sound among others: the `length` bytes from `offset`."""

    kind: str
    content_type: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Details(Image):
    """Everything that is known of an image. `sha256` is of the file, `sha512` of the pixels, both in hexadecimal."""

    owner: str
    sha512: str
    sha256: str
    mode: str
    frames: int
    taken_at_offset: str | None
    taken_at_source: str | None
    camera: Camera | None
    exposure: Exposure | None
    location: Location | None
    exif: Mapping[str, Any]
    original_url: str = field(repr=False)
    thumbnails: Mapping[str, str] = field(repr=False)
    carries: tuple[Carried, ...] = ()
    download_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedImage(Details):
    """The image that an upload in one request led to; `match` says by what a duplicate was known."""

    duplicate: bool
    match: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next_cursor` is `None` on the last. `total` is there where it was asked for."""

    images: tuple[Image, ...]
    next_cursor: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was refused: the stable name and a sentence, under the names they have in the server's JSON."""

    Code: str
    Message: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A file to be uploaded: `size` is exact, `sha256` hexadecimal."""

    name: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadAnswer:
    """The permission to send one file: a form of `fields`, then the file in `file_field`, posted to `url`."""

    name: str
    upload_id: str
    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)
    file_field: str
    expires_at: datetime
    status_url: str


@dataclass(frozen=True, slots=True)
class ExistsAnswer:
    """The owner has sent this very file before, and holds the image it led to: nothing needs to be sent."""

    name: str
    image_id: int


@dataclass(frozen=True, slots=True)
class RejectAnswer:
    """The file would be refused."""

    name: str
    error: Refusal


Answer = UploadAnswer | ExistsAnswer | RejectAnswer


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of an upload. What it ended with is there by its `status`, which is one of `pending`, `processing`, `stored`,
    `duplicate`, `rejected` and `expired`, or a word of a later server; `differs` names groups of facts."""

    upload_id: str
    name: str
    status: str
    created_at: datetime
    expires_at: datetime
    image_id: int | None = None
    match: str | None = None
    differs: tuple[str, ...] = ()
    error: Refusal | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Limits:
    max_bytes: int
    max_pixels: int
    max_frames: int
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself; nothing else is asked for it."""

    status: str
    version: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Part:
    """Whether the catalog or the store answers and can be written, and why not: `status` is `ok` or `unavailable`."""

    status: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    status: str
    catalog: Part
    store: Part
