"""Every operation of the contract: what it does, what it answers, how it refuses, and which keys it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getdoc
from typing import Annotated, Any

import msgspec

from chalicelib.api import parameters, schemas
from chalicelib.api.meaning import Int32, Uri, means
from chalicelib.catalog.records import Scope
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
class Refusal:
    """One way in which a request is refused."""

    status: int
    code: str
    meaning: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a request gets that is not refused. `body` is a type that msgspec knows, `None` where there is none."""

    meaning: str
    body: Any = None
    content_type: str = "application/json"
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Body:
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
    answers: Mapping[int, Answer]
    refusals: tuple[Refusal, ...] = ()
    parameters: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    body: Body | None = None


class UploadForm(msgspec.Struct):
    """A form with one file."""

    image: Annotated[str, means("The file, with its name.", format="binary")]


def refusal(kind: type[RepositoryError], *headers: str) -> Refusal:
    meaning = (getdoc(kind) or "").partition("\n\n")[0]
    return Refusal(kind.status, kind.__name__, meaning, headers)


BAD_REQUEST, FORBIDDEN, FULL = map(refusal, (BadRequestError, ForbiddenError, QuotaExceededError))
UNAUTHORIZED = refusal(UnauthorizedError, "WWW-Authenticate")
NOT_FOUND, TOO_LARGE = map(refusal, (NotFoundError, PayloadTooLargeError))
NO_SUCH_METHOD = Refusal(405, "MethodNotAllowedError", "The path is there, the method is not.", ("Allow",))
OTHER_TYPE = Refusal(415, "UnsupportedMediaType", "The body has another content type than the route takes.")
THROTTLED = Refusal(429, "TooManyRequestsError", "Too many requests; only behind API Gateway.", ("Retry-After",))
UNAVAILABLE = refusal(UnavailableError, "Retry-After")
NO_IMAGE = tuple(map(refusal, (UnsupportedImageError, BadImageError)))

#: How every route may refuse; how every route may that asks for a key; and every one that takes a body.
ALWAYS = (BAD_REQUEST, FORBIDDEN, NO_SUCH_METHOD, THROTTLED, UNAVAILABLE)
KEYED = (UNAUTHORIZED,)
WITH_BODY = (TOO_LARGE, OTHER_TYPE)
#: What `error` says of an upload that was rejected: what no request is refused for stands here alone.
OF_UPLOADS = (*NO_IMAGE, refusal(BadDigestError))

_IMAGE = ("image_id", parameters.OWNER)
_FILE = Answer("Whoever follows the redirect gets the file from the store.", bytes, "image/*")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        *("POST", "/image/upload", "uploadImage", "Uploads"),
        "Upload one file in one request",
        "For small files: behind API Gateway a body tops out near 4.5 MB. The answer comes when the picture was looked at, "
        "after 20 seconds at the latest.",
        {
            201: Answer("The image, newly stored.", schemas.UploadedImage),
            200: Answer("The image that was held already.", schemas.UploadedImage),
            202: Answer(
                "It is still being looked at, or was deleted at once: ask again.", schemas.UploadState, headers=("Location",)
            ),
        },
        (FULL, *NO_IMAGE),
        scopes=("write",),
        body=Body("multipart/form-data", UploadForm),
    ),
    Operation(
        *("POST", "/image/uploads", "requestUploads", "Uploads"),
        "Ask to send files directly to the store",
        "For files of any size, many at once. Each gets an answer of its own, which `action` names. Send the files with their "
        "tickets, and then ask `getUpload` what became of each.",
        {201: Answer("What to do with each file.", schemas.UploadAnswers)},
        (FULL,),
        scopes=("write",),
        body=Body("application/json", schemas.UploadRequest),
    ),
    Operation(
        *("GET", "/image/uploads/{upload_id}", "getUpload", "Uploads"),
        "What became of an upload",
        f"Of one that was rejected `error` says why: {', '.join(f'`{each.code}`' for each in OF_UPLOADS)}. Uploads that have "
        "ended are forgotten after 30 days.",
        {200: Answer("The upload as it is now.", schemas.UploadState)},
        (NOT_FOUND,),
        ("upload_id",),
        ("read", "write"),
    ),
    Operation(
        *("GET", "/image/list", "listImages", "Images"),
        "List images, filtered and sorted, a page at a time",
        "All filters must hold; a parameter that may be repeated holds where one of its values does. Pages go by key: an image "
        "that stays is neither skipped nor repeated while others come and go.",
        {200: Answer("A page.", schemas.ImageList)},
        parameters=(parameters.OWNER, *parameters.OF_THE_LIST),
        scopes=("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}", "getOriginal", "Images"),
        "The file, byte for byte as it was sent",
        "A redirect to the store. Do not send the key along.",
        {302: Answer("Where the store serves it, under its name and content type.", headers=("Location",)), 200: _FILE},
        (NOT_FOUND,),
        (*_IMAGE, "disposition"),
        ("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}/thumbnail", "getThumbnail", "Images"),
        "A thumbnail",
        "A redirect to the store. JPEG, or WebP where there is transparency: upright, in sRGB, never larger than the picture, "
        "without any metadata.",
        {302: Answer("Where the store serves it.", headers=("Location",)), 200: _FILE},
        (NOT_FOUND,),
        (*_IMAGE, "size"),
        ("read", "admin"),
    ),
    Operation(
        *("GET", "/image/{image_id}/details", "getDetails", "Images"),
        "Everything that is known of the image",
        "With signed URLs of the file and of its thumbnails.",
        {200: Answer("The image.", schemas.ImageDetails)},
        (NOT_FOUND,),
        _IMAGE,
        ("read", "admin"),
    ),
    Operation(
        *("DELETE", "/image/{image_id}", "deleteImage", "Images"),
        "Delete the image",
        "The entry is gone at once, and its file with it. A second delete is a 404.",
        {204: Answer("It is gone.")},
        (NOT_FOUND,),
        _IMAGE,
        ("write", "admin"),
    ),
    Operation(
        *("GET", "/", "getPage", "Service"),
        "The page for people",
        "A gallery in the browser, made of the operations above.",
        {200: Answer("The page.", str, "text/html")},
    ),
    Operation(
        *("GET", "/docs", "getDocs", "Service"),
        "The API as a page",
        "For people, with a line for a terminal for each operation.",
        {200: Answer("The page.", str, "text/html")},
    ),
    Operation(
        *("GET", "/openapi.json", "getDescription", "Service"),
        "The API's description",
        "OpenAPI 3.1, for programs that make clients.",
        {200: Answer("The description.", dict[str, Any])},
    ),
    Operation(
        *("GET", "/health", "getHealth", "Service"),
        "Whether all is well, and the limits",
        "Whether the catalog and the store answer, and what is taken in.",
        {200: Answer("All is well.", schemas.Health)},
    ),
)
