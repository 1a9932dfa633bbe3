"""The OpenAPI 3.1 description of the contract, put together from the very types that the views use."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.api import query, schemas
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.settings import VERSION

Json = dict[str, Any]

_TYPES = (
    schemas.Error,
    schemas.UploadRequest,
    schemas.UploadAnswers,
    schemas.UploadState,
    schemas.UploadedImage,
    schemas.ImageList,
    schemas.ImageDetails,
    schemas.Health,
    schemas.Readiness,
)
_ERRORS = {
    400: "`BadRequestError`: the request, a parameter or the cursor cannot be read",
    401: "`UnauthorizedError`: a key is asked for, and there is none",
    403: "`ForbiddenError`: not for this key; `QuotaExceededError`: a limit of the owner is reached",
    404: "`NotFoundError`: there is no such thing for this owner",
    413: "`PayloadTooLargeError`: more bytes than are taken",
    415: "`UnsupportedMediaType`: another content type; `UnsupportedImageError`: not one of the image formats",
    422: "`BadImageError`: empty, damaged or beyond the limits; `BadDigestError`: not the bytes that were declared",
    503: "`UnavailableError`: the database or the store does not answer; nothing was lost",
}
_NUMBERS = {"type": "number"}
_TIME = {"type": "string", "examples": ["2024-05-31", "2024-05-31T18:30:00"]}


def describe(public_url: str) -> Json:
    """The whole description; `public_url` is the server it names."""
    _, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image repository",
            "version": VERSION,
            "description": "Stores each distinct picture once, knows what is in its EXIF, and hands it out again.",
        },
        "servers": [{"url": public_url}],
        "paths": {**_uploads(), **_images(), **_about()},
        "security": [{"key": []}, {}],
        "components": {"schemas": components, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _uploads() -> Json:
    form = {"type": "object", "properties": {"image": {"type": "string", "format": "binary"}}, "required": ["image"]}
    return {
        "/image/upload": {
            "post": _operation(
                "uploadImage",
                "Upload one file in one request",
                {
                    201: _json("The image, newly stored", "UploadedImage"),
                    200: _json("The image that is held already", "UploadedImage"),
                    202: _json("Still on its way: ask again at the Location", "UploadState", headers=("Location",)),
                },
                errors=(400, 413, 415, 422),
                body={"multipart/form-data": {"schema": form}},
            )
        },
        "/image/uploads": {
            "post": _operation(
                "askToUpload",
                "Ask to send files directly to the store",
                {201: _json("One answer per file, in order", "UploadAnswers")},
                errors=(400, 415),
                body={"application/json": {"schema": _ref("UploadRequest")}},
            )
        },
        "/image/uploads/{upload_id}": {
            "get": _operation(
                "showUpload",
                "What became of an upload",
                {200: _json("The upload", "UploadState")},
                errors=(400, 404),
                parameters=[_in_path("upload_id", {"type": "string"})],
            )
        },
    }


def _images() -> Json:
    image_id = _in_path("image_id", {"type": "integer", "minimum": 1})
    found = {302: {"description": "Where the store serves it", "headers": _headers("Location")}}
    disposition = _in_query("disposition", {"enum": ["inline", "attachment"], "default": "inline"})
    size = _in_query("size", {"enum": list(THUMBNAIL_SIZES), "default": THUMBNAIL_SIZES[0]})
    return {
        "/image/list": {
            "get": _operation(
                "listImages",
                "List images, filtered and sorted, a page at a time",
                {200: _json("A page", "ImageList")},
                errors=(400,),
                parameters=_list_parameters(),
            )
        },
        "/image/{image_id}": {
            "get": _operation(
                "fetchOriginal", "The original", found, errors=(400, 404), parameters=[image_id, _OWNER, disposition]
            ),
            "delete": _operation(
                "deleteImage",
                "Delete the image",
                {204: {"description": "It is gone"}},
                errors=(400, 404),
                parameters=[image_id, _OWNER],
            ),
        },
        "/image/{image_id}/thumbnail": {
            "get": _operation("fetchThumbnail", "A thumbnail", found, errors=(400, 404), parameters=[image_id, _OWNER, size])
        },
        "/image/{image_id}/details": {
            "get": _operation(
                "showDetails",
                "Everything that is known of the image",
                {200: _json("The image", "ImageDetails")},
                errors=(400, 404),
                parameters=[image_id, _OWNER],
            )
        },
    }


def _about() -> Json:
    page = {200: {"description": "The page", "content": {"text/html": {"schema": {"type": "string"}}}}}
    description = {200: {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {
        "/": {"get": _operation("showPage", "A page for people", page, errors=(400,), keyed=False)},
        "/openapi.json": {"get": _operation("describe", "This description", description, errors=(400,), keyed=False)},
        "/health": {
            "get": _operation(
                "checkHealth", "That the server answers", {200: _json("It does", "Health")}, errors=(400,), keyed=False
            )
        },
        "/health/ready": {
            "get": _operation(
                "checkReadiness",
                "Whether catalog and store can be used",
                {
                    200: _json("Both can", "Readiness"),
                    503: _json("`UnavailableError`: one cannot, and why", "Readiness", headers=("Retry-After",)),
                },
                errors=(400,),
            )
        },
    }


def _list_parameters() -> list[Json]:
    text = {"type": "string", "minLength": 1, "maxLength": 255}
    texts = {"type": "array", "items": text, "maxItems": 50}
    boolean = {"enum": ["true", "false"]}
    limit = {"type": "integer", "minimum": 1, "maximum": query.LARGEST_LIMIT, "default": query.DEFAULT_LIMIT}
    single: Mapping[str, Json] = {
        "limit": limit,
        "cursor": {"type": "string"},
        "sort": {"enum": list(query.SORTS), "default": query.DEFAULT_SORT},
        "name": text,
        "has_location": boolean,
        "bbox": {"type": "string", "examples": ["11.8,43.4,11.9,43.5"]},
        "include_total": boolean,
    }
    return [
        _OWNER,
        *(
            _in_query(name, single.get(name, _TIME if name.endswith(("after", "before")) else _NUMBERS))
            for name in sorted(query.SINGLE)
        ),
        *(_in_query(name, texts) for name in query.CHOICES),
    ]


def _operation(
    operation_id: str,
    summary: str,
    answers: Mapping[int, Json],
    *,
    errors: tuple[int, ...] = (),
    parameters: list[Json] | None = None,
    body: Json | None = None,
    keyed: bool = True,
) -> Json:
    responses = {str(status): answer for status, answer in answers.items()}
    for status in sorted({*errors, 503, *((401, 403) if keyed else ())} - answers.keys()):
        headers = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}.get(status, ())
        responses[str(status)] = _json(_ERRORS[status], "Error", headers=headers)
    operation: Json = {"operationId": operation_id, "summary": summary, "responses": responses}
    if not keyed:
        operation["security"] = []
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _json(description: str, type_name: str, headers: tuple[str, ...] = ()) -> Json:
    answer: Json = {"description": description, "content": {"application/json": {"schema": _ref(type_name)}}}
    if headers:
        answer["headers"] = _headers(*headers)
    return answer


def _headers(*names: str) -> Json:
    return {name: {"schema": {"type": "string"}} for name in names}


def _ref(type_name: str) -> Json:
    return {"$ref": f"#/components/schemas/{type_name}"}


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


#: Only for an admin key: whose images the request is about.
_OWNER = _in_query("owner", {"type": "string"})
