"""The JSON of the contract as types: what requests are decoded into and answers are encoded from."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.model.facts import Facts, to_the_second
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.model.records import LARGEST_INTEGER, LED_TO_IMAGE, Match, Upload, UploadStatus
from chalicelib.services.library import Details, Item
from chalicelib.services.readiness import Look

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


def error(refusal: RepositoryError) -> Error:
    return Error(refusal.code, refusal.message)


def readiness(found: Look) -> Readiness:
    catalog, store, problem = _part(found.catalog), _part(found.store), found.problem
    if problem is None:
        return Readiness("ok", catalog, store)
    return Readiness("unavailable", catalog, store, Code=problem.code, Message=problem.message)


def _part(problem: UnavailableError | None) -> Part:
    return Part("unavailable", problem.cause or problem.message) if problem else Part("ok", None)


def upload_state(upload: Upload) -> UploadState:
    """The fields beyond the first five stand only where the status has them."""
    return UploadState(
        upload_id=upload.id,
        name=upload.name,
        status=upload.status,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        image_id=upload.image_id if upload.status in LED_TO_IMAGE and upload.image_id is not None else UNSET,
        match=upload.match or UNSET,
        differs=list(upload.differs) if upload.status == "duplicate" else UNSET,
        error=Error(upload.error_code, upload.error_message or "") if upload.error_code else UNSET,
    )


def image_item(item: Item) -> ImageItem:
    image = item.image
    return ImageItem(
        id=image.id,
        name=image.name,
        uploaded_at=image.uploaded_at,
        taken_at=to_the_second(image.taken_at),
        format=image.file.format,
        content_type=image.file.content_type,
        byte_size=image.file.byte_size,
        width=image.width,
        height=image.height,
        thumbnail_url=item.thumbnail_url,
    )


def image_details(details: Details) -> ImageDetails:
    image, entry, facts = details.image, details.image.entry, details.image.entry.facts
    thumbnails = {str(size): url for size, url in details.thumbnail_urls.items()}
    return ImageDetails(
        id=image.id,
        name=image.name,
        uploaded_at=image.uploaded_at,
        taken_at=to_the_second(facts.taken_at),
        format=image.file.format,
        content_type=image.file.content_type,
        byte_size=image.file.byte_size,
        width=entry.width,
        height=entry.height,
        thumbnail_url=thumbnails[str(THUMBNAIL_SIZES[0])],
        owner=image.owner,
        sha512=entry.pixel_sha512.hex(),
        sha256=image.sha256.hex(),
        mode=entry.mode,
        frames=entry.frames,
        taken_at_offset=facts.taken_at_offset,
        taken_at_source=facts.taken_at_source,
        camera=_camera(facts),
        exposure=_exposure(facts),
        location=_location(facts),
        exif=dict(facts.exif),
        carries=[Carried(part.kind, part.content_type, part.offset, part.length) for part in entry.carries],
        original_url=details.original_url,
        thumbnails=thumbnails,
    )


def uploaded_image(details: ImageDetails, upload: Upload) -> UploadedImage:
    duplicate = upload.status == "duplicate"
    match = upload.match if duplicate and upload.match else UNSET
    return UploadedImage(**msgspec.structs.asdict(details), duplicate=duplicate, match=match)


def _camera(facts: Facts) -> Camera | None:
    camera = Camera(facts.camera_make, facts.camera_model, facts.lens_model)
    return None if camera == Camera(None, None, None) else camera


def _exposure(facts: Facts) -> Exposure | None:
    exposure = Exposure(facts.exposure_time, facts.f_number, facts.iso, facts.focal_length)
    return None if exposure == Exposure(None, None, None, None) else exposure


def _location(facts: Facts) -> Location | None:
    location = Location(facts.latitude, facts.longitude, facts.altitude)
    return None if location == Location(None, None, None) else location
