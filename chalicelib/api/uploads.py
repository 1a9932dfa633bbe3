"""The routes that bring pictures in."""

from codecs import BOM_UTF8
from contextlib import suppress

import msgspec
from chalice.app import Blueprint, Response

from chalicelib import runtime
from chalicelib.api import auth, schemas
from chalicelib.api.http import answering, json_answer, public_url, query_of, raw_body
from chalicelib.api.multipart import parse_form
from chalicelib.errors import BadRequestError, NotFoundError, revived
from chalicelib.model.records import LED_TO_IMAGE, Upload
from chalicelib.services.uploads import Held, Offer, Refused, Send

_NO_PARAMETERS: frozenset[str] = frozenset()

blueprint = Blueprint(__name__)


@blueprint.route("/image/upload", methods=["POST"], content_types=["multipart/form-data"], authorizer=auth.authorizer)
@answering
def upload_image() -> Response:
    request = blueprint.current_request
    query_of(request, _NO_PARAMETERS)
    owner = auth.owner_for(request, "write")
    parts = parse_form(request.headers.get("content-type", ""), raw_body(request))
    images = [part for part in parts if part.name == "image"]
    if len(images) != 1:
        raise BadRequestError(f"The form has {len(images)} fields named image: send one file in one field named image.")
    if images[0].file_name is None:
        raise BadRequestError("The field image has no file name: send it as a file, for example image@photo.jpg.")
    uploads = runtime.current().uploads
    upload = uploads.receive(owner, images[0].file_name, images[0].content)
    return _outcome(upload)


def _outcome(upload: Upload) -> Response:
    """The image where the upload led to one, its refusal as the error, and otherwise where to ask again."""
    current = runtime.current()
    if upload.status == "rejected":
        raise revived(upload.error_code or "", upload.error_message or "")
    if upload.status in LED_TO_IMAGE and upload.image_id is not None:
        with suppress(NotFoundError):  # it may have been deleted meanwhile: the upload's state is then all there is to tell
            image = current.library.image(upload.owner, upload.image_id)
            details = schemas.image_details(image, current.library)
            return json_answer(schemas.uploaded_image(details, upload), 200 if upload.status == "duplicate" else 201)
    return json_answer(schemas.upload_state(upload), 202, {"Location": _status_url(upload.id)})


@blueprint.route("/image/uploads", methods=["POST"], content_types=["application/json"], authorizer=auth.authorizer)
@answering
def ask_to_upload() -> Response:
    request = blueprint.current_request
    query_of(request, _NO_PARAMETERS)
    owner = auth.owner_for(request, "write")
    asked = _upload_request(raw_body(request))
    offers = [Offer(file.name, file.size, bytes.fromhex(file.sha256) if file.sha256 else None) for file in asked.files]
    answers = runtime.current().uploads.ask(owner, offers)
    return json_answer(schemas.UploadAnswers([_answer(answer) for answer in answers]), 201)


def _upload_request(body: bytes) -> schemas.UploadRequest:
    try:
        return msgspec.json.decode(body.removeprefix(BOM_UTF8), type=schemas.UploadRequest)
    except msgspec.ValidationError as problem:
        raise BadRequestError(f"The request is not as described in /openapi.json: {problem}") from None
    except (ValueError, RecursionError):
        raise BadRequestError('The body is not JSON: send {"files": [{"name": "photo.jpg", "size": 12345}]}.') from None


def _answer(answer: Send | Held | Refused) -> schemas.UploadTicket | schemas.AlreadyHeld | schemas.RefusedOffer:
    if isinstance(answer, Held):
        return schemas.AlreadyHeld(answer.name, answer.image_id)
    if isinstance(answer, Refused):
        return schemas.RefusedOffer(answer.name, schemas.error(answer.error))
    return schemas.UploadTicket(
        name=answer.upload.name,
        upload_id=answer.upload.id,
        method="POST",
        url=answer.ticket.url,
        fields=dict(answer.ticket.fields),
        file_field="file",
        expires_at=answer.upload.expires_at,
        status_url=_status_url(answer.upload.id),
    )


@blueprint.route("/image/uploads/{upload_id}", methods=["GET"], authorizer=auth.authorizer)
@answering
def show_upload(upload_id: str) -> Response:
    request = blueprint.current_request
    query_of(request, _NO_PARAMETERS)
    owner = auth.owner_for(request, "read", "write")
    return json_answer(schemas.upload_state(runtime.current().uploads.status(owner, upload_id)))


def _status_url(upload_id: str) -> str:
    return f"{public_url(blueprint.current_request)}/image/uploads/{upload_id}"
