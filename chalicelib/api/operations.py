"""Every operation of the contract: what it does, its responses, how it refuses, and which scopes it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Annotated, Any

import msgspec

from chalicelib.api import parameters, schemas
from chalicelib.api.meaning import Int32, Uri, means
from chalicelib.errors import (
    BadDigestError,
    BadImageError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    PayloadTooLargeError,
    QuotaExceededError,
    RepositoryError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedImageError,
)
from chalicelib.model.records import Scope
from chalicelib.services.access import SCOPES

#: In the order in which a reader meets them.
TAGS: Mapping[str, str] = {
    "Uploads": "Bring pictures in: small files in one request, any file by a ticket for the store.",
    "Images": "List, look at, fetch and delete what is held.",
    "Service": "The page, this description, and whether all is well.",
}

HEADERS: Mapping[str, Any] = {
    "Location": Annotated[Uri, means("Where to go on.", "http://127.0.0.1:8000/store?key=originals%2Fq3v0k71e4o8sa2cp")],
    "Retry-After": Annotated[Int32, means("After how many seconds to try again.", 5)],
    "WWW-Authenticate": Annotated[str, means("How to send a key.", "Bearer")],
    "Allow": Annotated[str, means("The methods that there are; not behind API Gateway.", "GET, HEAD")],
}


@dataclass(frozen=True)
class Code:
    """What the contract calls one kind of refusal."""

    status: int
    name: str
    meaning: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Response:
    """What a request gets, refusals with the usual body aside. `body` is a type that msgspec knows, `None` for none;
    `example` is what its example has that the type's own has not."""

    meaning: str
    body: Any = None
    content_type: str = "application/json"
    headers: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestBody:
    """What a request sends."""

    content_type: str
    form: Any


@dataclass(frozen=True)
class Operation:
    """One method of one path. Where `scopes` is empty nobody is asked for a key; else one of them is enough."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str
    responses: Mapping[int, Response]
    codes: tuple[Code, ...] = ()
    parameters: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    body: RequestBody | None = None


class UploadForm(msgspec.Struct):
    """A form with one file."""

    image: Annotated[str, means("The file, with its name.", format="binary")]


def code_of(kind: type[RepositoryError], *headers: str) -> Code:
    meaning = (getdoc(kind) or "").partition("\n\n")[0]
    return Code(kind.status, kind.__name__, meaning, headers)


BAD_REQUEST, FORBIDDEN, FULL = map(code_of, (BadRequestError, ForbiddenError, QuotaExceededError))
UNAUTHORIZED = code_of(UnauthorizedError, "WWW-Authenticate")
NOT_FOUND, TOO_LARGE = map(code_of, (NotFoundError, PayloadTooLargeError))
NO_SUCH_METHOD = Code(405, "MethodNotAllowedError", "The path is there, the method is not.", ("Allow",))
OTHER_TYPE = Code(415, "UnsupportedMediaType", "The body has another content type than the route takes.")
THROTTLED = Code(429, "TooManyRequestsError", "Too many requests; only behind API Gateway.", ("Retry-After",))
UNAVAILABLE = code_of(UnavailableError, "Retry-After")
NO_IMAGE = tuple(map(code_of, (UnsupportedImageError, BadImageError)))

#: How every route may refuse; how every route may that asks for a key; and every one that takes a body.
ALWAYS = (BAD_REQUEST, FORBIDDEN, NO_SUCH_METHOD, THROTTLED, UNAVAILABLE)
KEYED = (UNAUTHORIZED,)
WITH_BODY = (TOO_LARGE, OTHER_TYPE)
#: What `error` says of an upload that was rejected: what no request is refused for stands here alone.
OF_UPLOADS = (*NO_IMAGE, code_of(BadDigestError))

_IMAGE = ("image_id", parameters.OWNER)
_FILE = Response("Whoever follows the redirect gets the file from the store.", bytes, "image/*")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        *("POST", "/image/upload", "uploadImage", "Uploads"),
        "Upload one file in one request",
        "For small files: behind API Gateway a body tops out near 4.5 MB. The answer comes when the picture was looked at, "
        "after 20 seconds at the latest.",
        {
            201: Response("The image, newly stored.", schemas.UploadedImage),
            200: Response("The image that was held already.", schemas.UploadedImage),
            202: Response(
                "It is still being looked at, or was deleted at once: ask again.",
                schemas.UploadState,
                headers=("Location",),
                example={"status": "processing"},
            ),
        },
        (FULL, *NO_IMAGE),
        scopes=("write",),
        body=RequestBody("multipart/form-data", UploadForm),
    ),
    Operation(
        *("POST", "/image/uploads", "requestUploads", "Uploads"),
        "Ask to send files directly to the store",
        "For files of any size, many at once. Each gets an answer of its own, which `action` names. Send the files with their "
        "tickets, and then ask `getUpload` what became of each.",
        {201: Response("What to do with each file.", schemas.UploadAnswers)},
        (FULL,),
        scopes=("write",),
        body=RequestBody("application/json", schemas.UploadRequest),
    ),
    Operation(
        *("GET", "/image/uploads/{upload_id}", "getUpload", "Uploads"),
        "What became of an upload",
        f"Of one that was rejected `error` says why: {', '.join(f'`{each.name}`' for each in OF_UPLOADS)}. Uploads that have "
        "ended are forgotten after 30 days.",
        {200: Response("The upload as it is now.", schemas.UploadState, example={"image_id": 2})},
        (NOT_FOUND,),
        ("upload_id",),
        ("read", "write"),
    ),
    Operation(
        *("GET", "/image/list", "listImages", "Images"),
        "List images, filtered and sorted, a page at a time",
        "All filters must hold; a parameter that may be repeated holds where one of its values does. Pages go by key: an image "
        "that stays is neither skipped nor repeated while others come and go.",
        {200: Response("A page.", schemas.ImageList)},
        parameters=(parameters.OWNER, *parameters.OF_THE_LIST),
        scopes=("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}", "getOriginal", "Images"),
        "The file, byte for byte as it was sent",
        "A redirect to the store. Do not send the key along.",
        {302: Response("Where the store serves it, under its name and content type.", headers=("Location",)), 200: _FILE},
        (NOT_FOUND,),
        (*_IMAGE, "disposition"),
        ("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}/thumbnail", "getThumbnail", "Images"),
        "A thumbnail",
        "A redirect to the store. JPEG, or WebP where there is transparency: upright, in sRGB, never larger than the picture, "
        "without any metadata.",
        {302: Response("Where the store serves it.", headers=("Location",)), 200: _FILE},
        (NOT_FOUND,),
        (*_IMAGE, "size"),
        ("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}/details", "getDetails", "Images"),
        "Everything that is known of the image",
        "With signed URLs of the file and of its thumbnails.",
        {200: Response("The image.", schemas.ImageDetails)},
        (NOT_FOUND,),
        _IMAGE,
        ("read", "admin"),
    ),
    Operation(
        *("DELETE", "/image/{image_id}", "deleteImage", "Images"),
        "Delete the image",
        "The entry is gone at once, and its file with it. A second delete is a 404.",
        {204: Response("It is gone.")},
        (NOT_FOUND,),
        _IMAGE,
        ("write", "admin"),
    ),
    Operation(
        *("GET", "/", "getPage", "Service"),
        "The page for people",
        "A gallery in the browser, made of the operations above.",
        {200: Response("The page.", str, "text/html"), 304: Response("It is as it was with the `ETag` that you named.")},
    ),
    Operation(
        *("GET", "/docs", "getDocs", "Service"),
        "The API as a page",
        "For people, with a line for a terminal for each operation.",
        {200: Response("The page.", str, "text/html"), 304: Response("It is as it was with the `ETag` that you named.")},
    ),
    Operation(
        *("GET", "/openapi.json", "getDescription", "Service"),
        "The API's description",
        "OpenAPI 3.1, for programs that make clients.",
        {200: Response("The description.", dict[str, Any])},
    ),
    Operation(
        *("GET", "/health", "getHealth", "Service"),
        "That the server answers, and the limits",
        "Neither the catalog nor the store is asked.",
        {200: Response("It answers.", schemas.Health)},
    ),
    Operation(
        *("GET", "/health/ready", "getReadiness", "Service"),
        "Whether catalog and store can be used",
        "Both are asked, and tried for writing. Any key will do.",
        {
            200: Response("Both can be used.", schemas.Readiness),
            503: Response(
                "`UnavailableError`: One of them cannot be used, and `cause` says why.",
                schemas.Readiness,
                headers=("Retry-After",),
                example={
                    "status": "unavailable",
                    "store": {"status": "unavailable", "cause": "it has not answered within 8 seconds"},
                    "Code": UNAVAILABLE.name,
                    "Message": UNAVAILABLE.meaning,
                },
            ),
        },
        scopes=SCOPES,
    ),
)
