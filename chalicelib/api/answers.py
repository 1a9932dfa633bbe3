"""The catalog's records in the words of the contract."""

import msgspec
from msgspec import UNSET

from chalicelib.api.schemas import (
    Camera,
    Carried,
    Error,
    Exposure,
    ImageDetails,
    ImageItem,
    Location,
    UploadedImage,
    UploadState,
)
from chalicelib.catalog.records import Image, ListedImage, Upload
from chalicelib.errors import RepositoryError
from chalicelib.facts import Facts, to_the_second
from chalicelib.imaging.picture import THUMBNAIL_SIZES
from chalicelib.services.library import Library


def error(refusal: RepositoryError) -> Error:
    return Error(refusal.code, refusal.message)


def upload_state(upload: Upload) -> UploadState:
    """The fields beyond the first five stand only where the status has them."""
    ended = upload.status in ("stored", "duplicate")
    return UploadState(
        upload_id=upload.id,
        name=upload.name,
        status=upload.status,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        image_id=upload.image_id if ended and upload.image_id is not None else UNSET,
        match=upload.match or UNSET,
        differs=list(upload.differs) if upload.status == "duplicate" else UNSET,
        error=Error(upload.error_code, upload.error_message or "") if upload.error_code else UNSET,
    )


def image_item(image: ListedImage, library: Library) -> ImageItem:
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
        thumbnail_url=library.thumbnail_url(image, THUMBNAIL_SIZES[0]),
    )


def image_details(image: Image, library: Library) -> ImageDetails:
    entry, facts = image.entry, image.entry.facts
    thumbnails = {str(size): library.thumbnail_url(image, size) for size in THUMBNAIL_SIZES}
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
        original_url=library.original_url(image, "inline"),
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
