"""From what the services hand out to the JSON of the contract."""

import msgspec
from msgspec import UNSET

from chalicelib.api import schemas
from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.model.facts import Facts, to_the_second
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.model.records import LED_TO_IMAGE, Upload
from chalicelib.services.library import Details, Item
from chalicelib.services.readiness import Look


def error(refusal: RepositoryError) -> schemas.Error:
    return schemas.Error(refusal.code, refusal.message)


def readiness(found: Look) -> schemas.Readiness:
    catalog, store, problem = _part(found.catalog), _part(found.store), found.problem
    if problem is None:
        return schemas.Readiness("ok", catalog, store)
    return schemas.Readiness("unavailable", catalog, store, Code=problem.code, Message=problem.message)


def _part(problem: UnavailableError | None) -> schemas.Part:
    return schemas.Part("unavailable", problem.cause or problem.message) if problem else schemas.Part("ok", None)


def upload_state(upload: Upload) -> schemas.UploadState:
    """The fields beyond the first five stand only where the status has them."""
    return schemas.UploadState(
        upload_id=upload.id,
        name=upload.name,
        status=upload.status,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        image_id=upload.image_id if upload.status in LED_TO_IMAGE and upload.image_id is not None else UNSET,
        match=upload.match or UNSET,
        differs=list(upload.differs) if upload.status == "duplicate" else UNSET,
        error=schemas.Error(upload.error_code, upload.error_message or "") if upload.error_code else UNSET,
    )


def image_item(item: Item) -> schemas.ImageItem:
    image = item.image
    return schemas.ImageItem(
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


def image_details(details: Details) -> schemas.ImageDetails:
    image, entry, facts = details.image, details.image.entry, details.image.entry.facts
    thumbnails = {str(size): url for size, url in details.thumbnail_urls.items()}
    return schemas.ImageDetails(
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
        carries=[schemas.Carried(part.kind, part.content_type, part.offset, part.length) for part in entry.carries],
        original_url=details.original_url,
        download_url=details.download_url,
        thumbnails=thumbnails,
    )


def uploaded_image(details: schemas.ImageDetails, upload: Upload) -> schemas.UploadedImage:
    duplicate = upload.status == "duplicate"
    match = upload.match if duplicate and upload.match else UNSET
    return schemas.UploadedImage(**msgspec.structs.asdict(details), duplicate=duplicate, match=match)


def _camera(facts: Facts) -> schemas.Camera | None:
    camera = schemas.Camera(facts.camera_make, facts.camera_model, facts.lens_model)
    return None if camera == schemas.Camera(None, None, None) else camera


def _exposure(facts: Facts) -> schemas.Exposure | None:
    exposure = schemas.Exposure(facts.exposure_time, facts.f_number, facts.iso, facts.focal_length)
    return None if exposure == schemas.Exposure(None, None, None, None) else exposure


def _location(facts: Facts) -> schemas.Location | None:
    location = schemas.Location(facts.latitude, facts.longitude, facts.altitude)
    return None if location == schemas.Location(None, None, None) else location
