"""The JSON of the contract as types: what requests are decoded into and answers are encoded from."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.model.records import LARGEST_INTEGER, Match, UploadStatus

MOST_FILES = 100

#: The lengths are not idle: `$` alone would let a line break through.
Sha256 = Annotated[
    str, Meta(pattern="^[0-9a-fA-F]{64}$", min_length=64, max_length=64, description="SHA-256 of the file, in hexadecimal")
]


class Error(msgspec.Struct):
    """What is wrong and what would be right."""

    Code: str
    Message: str


class FileOffer(msgspec.Struct):
    """A file that the client would send; `size` is its exact length in bytes."""

    name: str
    size: Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
    sha256: Sha256 | None = None


class UploadRequest(msgspec.Struct):
    files: Annotated[list[FileOffer], Meta(min_length=1, max_length=MOST_FILES)]


class UploadAnswer(msgspec.Struct, tag="upload", tag_field="action"):
    """Post `fields`, then the file in the field `file_field`, as one multipart form to `url`."""

    name: str
    upload_id: str
    method: Literal["POST"]
    url: str
    fields: dict[str, str]
    file_field: Literal["file"]
    expires_at: datetime
    status_url: str


class ExistsAnswer(msgspec.Struct, tag="exists", tag_field="action"):
    """This owner has sent this file before and still holds it."""

    name: str
    image_id: int


class RejectAnswer(msgspec.Struct, tag="reject", tag_field="action"):
    """The file would be refused."""

    name: str
    error: Error


Answer = UploadAnswer | ExistsAnswer | RejectAnswer


class UploadAnswers(msgspec.Struct):
    """One answer per file, in order."""

    uploads: list[Answer]


class UploadState(msgspec.Struct):
    """What became of an upload."""

    upload_id: str
    name: str
    status: UploadStatus
    created_at: datetime
    expires_at: datetime
    image_id: int | UnsetType = UNSET
    match: Match | UnsetType = UNSET
    differs: list[str] | UnsetType = UNSET
    error: Error | UnsetType = UNSET


class ImageItem(msgspec.Struct):
    """An image as the list shows it; `taken_at` is the camera's wall clock, without an offset."""

    id: int
    name: str
    uploaded_at: datetime
    taken_at: datetime | None
    format: str
    content_type: str
    byte_size: int
    width: int
    height: int
    thumbnail_url: str


class ImageList(msgspec.Struct):
    images: list[ImageItem]
    next_cursor: str | None
    total: int | UnsetType = UNSET


class Camera(msgspec.Struct):
    make: str | None
    model: str | None
    lens: str | None


class Exposure(msgspec.Struct):
    """Seconds, f-number, ISO speed, millimetres."""

    exposure_time: float | None
    f_number: float | None
    iso: int | None
    focal_length: float | None


class Location(msgspec.Struct):
    """Degrees, and metres above sea level."""

    latitude: float | None
    longitude: float | None
    altitude: float | None


class Carried(msgspec.Struct):
    """What the file holds beside its picture: the `length` bytes from `offset`, such as a film or a sound."""

    kind: str
    content_type: str
    offset: int
    length: int


class ImageDetails(ImageItem):
    """Everything that is known of an image."""

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
    exif: dict[str, Any]
    carries: list[Carried]
    original_url: str
    thumbnails: dict[str, str]


class UploadedImage(ImageDetails):
    """The image that an upload led to; `match` says by what a duplicate was known."""

    duplicate: bool
    match: Match | UnsetType = UNSET


class Limits(msgspec.Struct):
    max_bytes: int
    max_pixels: int
    max_frames: int
    formats: list[str]


class Health(msgspec.Struct):
    """That the server answers, and what it takes; neither catalog nor store is asked."""

    status: Literal["ok"]
    version: str
    limits: Limits


Condition = Literal["ok", "unavailable"]


class Part(msgspec.Struct):
    """Whether it answers and can be written, and why not."""

    status: Condition
    cause: str | None


class Readiness(msgspec.Struct):
    """Whether pictures can be taken in and handed out; `Code` and `Message` stand where the status of the answer is 503."""

    status: Condition
    catalog: Part
    store: Part
    Code: str | UnsetType = UNSET
    Message: str | UnsetType = UNSET
