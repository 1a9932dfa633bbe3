"""The routes that bring pictures in."""

from codecs import BOM_UTF8
from contextlib import suppress

import msgspec
from chalice.app import Blueprint, Response

from chalicelib import runtime
from chalicelib.api import answers, schemas
from chalicelib.api.http import json_answer, public_url, raw_body
from chalicelib.api.multipart import parse_form
from chalicelib.api.routing import Asked, route
from chalicelib.errors import BadRequestError, NotFoundError, revived
from chalicelib.model.records import LED_TO_IMAGE, Upload
from chalicelib.services.uploads import Answer, ExistsAnswer, Offer, RejectAnswer

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/image/upload", ["write"], content_type="multipart/form-data")
def upload_image(asked: Asked) -> Response:
    parts = parse_form(asked.request.headers.get("content-type", ""), raw_body(asked.request))
    images = [part for part in parts if part.name == "image"]
    if len(images) != 1:
        raise BadRequestError(f"The form has {len(images)} fields named image: send one file in one field named image.")
    if images[0].file_name is None:
        raise BadRequestError("The field image has no file name: send it as a file, for example image@photo.jpg.")
    upload = runtime.current().uploads.receive(asked.owner, images[0].file_name, images[0].content)
    return _outcome(asked, upload)


def _outcome(asked: Asked, upload: Upload) -> Response:
    """The image where the upload led to one, its refusal as the error, and otherwise where to ask again."""
    if upload.status == "rejected":
        raise revived(upload.error_code or "", upload.error_message or "")
    if upload.status in LED_TO_IMAGE and upload.image_id is not None:
        with suppress(NotFoundError):  # it may have been deleted meanwhile: the upload's state is then all there is to tell
            details = answers.image_details(runtime.current().library.details(upload.owner, upload.image_id))
            return json_answer(answers.uploaded_image(details, upload), 200 if upload.status == "duplicate" else 201)
    return json_answer(answers.upload_state(upload), 202, {"Location": _status_url(asked, upload.id)})


@route(blueprint, "POST", "/image/uploads", ["write"])
def ask_to_upload(asked: Asked) -> Response:
    files = _upload_request(raw_body(asked.request)).files
    offers = [Offer(file.name, file.size, bytes.fromhex(file.sha256) if file.sha256 else None) for file in files]
    answers = runtime.current().uploads.ask(asked.owner, offers)
    return json_answer(schemas.UploadAnswers([_answer(asked, answer) for answer in answers]), 201)


def _upload_request(body: bytes) -> schemas.UploadRequest:
    try:
        return msgspec.json.decode(body.removeprefix(BOM_UTF8), type=schemas.UploadRequest)
    except msgspec.ValidationError as problem:
        raise BadRequestError(f"The request is not as described in /openapi.json: {problem}") from None
    except (ValueError, RecursionError):
        raise BadRequestError('The body is not JSON: send {"files": [{"name": "photo.jpg", "size": 12345}]}.') from None


def _answer(asked: Asked, answer: Answer) -> schemas.Answer:
    if isinstance(answer, ExistsAnswer):
        return schemas.ExistsAnswer(answer.name, answer.image_id)
    if isinstance(answer, RejectAnswer):
        return schemas.RejectAnswer(answer.name, answers.error(answer.error))
    return schemas.UploadAnswer(
        name=answer.upload.name,
        upload_id=answer.upload.id,
        method="POST",
        url=answer.ticket.url,
        fields=dict(answer.ticket.fields),
        file_field="file",
        expires_at=answer.upload.expires_at,
        status_url=_status_url(asked, answer.upload.id),
    )


@route(blueprint, "GET", "/image/uploads/{upload_id}", ["read", "write"])
def show_upload(asked: Asked, upload_id: str) -> Response:
    return json_answer(answers.upload_state(runtime.current().uploads.status(asked.owner, upload_id)))


def _status_url(asked: Asked, upload_id: str) -> str:
    return f"{public_url(asked.request)}/image/uploads/{upload_id}"
