"""The routes that hand pictures out: list, details, original, thumbnail, delete."""

from typing import Literal

from chalice.app import Blueprint, Response
from msgspec import UNSET

from chalicelib import runtime
from chalicelib.api import auth, cursor, query, schemas
from chalicelib.api.http import answering, json_answer, query_of, redirect
from chalicelib.errors import BadRequestError
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.model.records import Scope

blueprint = Blueprint(__name__)


@blueprint.route("/image/list", methods=["GET"], authorizer=auth.authorizer)
@answering
def list_images() -> Response:
    given, owner = _asked("read", query.SINGLE, query.REPEATED)
    library = runtime.current().library
    filters, sort, limit = query.filters_from(given), query.sort_from(given), query.limit_from(given)
    wants_total = query.include_total(given)
    after = cursor.decode(given["cursor"][0], owner, filters, sort) if "cursor" in given else None
    page = library.page(owner, filters, sort, limit, after)
    answer = schemas.ImageList(
        images=[schemas.image_item(image, library) for image in page.images],
        next_cursor=cursor.encode(page.next, owner, filters, sort) if page.next else None,
        total=library.count(owner, filters) if wants_total else UNSET,
    )
    return json_answer(answer)


@blueprint.route("/image/{image_id}", methods=["GET"], authorizer=auth.authorizer)
@answering
def fetch_original(image_id: str) -> Response:
    given, owner = _asked("read", frozenset({"disposition"}))
    disposition = _disposition(given.get("disposition", ["inline"])[0])
    library = runtime.current().library
    return redirect(library.original_url(library.image(owner, _id(image_id)), disposition))


@blueprint.route("/image/{image_id}/thumbnail", methods=["GET"], authorizer=auth.authorizer)
@answering
def fetch_thumbnail(image_id: str) -> Response:
    given, owner = _asked("read", frozenset({"size"}))
    size = _size(given.get("size", [str(THUMBNAIL_SIZES[0])])[0])
    library = runtime.current().library
    return redirect(library.thumbnail_url(library.image(owner, _id(image_id)), size))


@blueprint.route("/image/{image_id}/details", methods=["GET"], authorizer=auth.authorizer)
@answering
def show_details(image_id: str) -> Response:
    _, owner = _asked("read", frozenset())
    library = runtime.current().library
    return json_answer(schemas.image_details(library.image(owner, _id(image_id)), library))


@blueprint.route("/image/{image_id}", methods=["DELETE"], authorizer=auth.authorizer)
@answering
def delete_image(image_id: str) -> Response:
    _, owner = _asked("write", frozenset())
    runtime.current().library.delete(owner, _id(image_id))
    return Response("", status_code=204)


def _asked(scope: Scope, single: frozenset[str], repeated: frozenset[str] = frozenset()) -> tuple[dict[str, list[str]], str]:
    """The query parameters, and the owner whose images they are about."""
    request = blueprint.current_request
    given = query_of(request, single | {"owner"}, repeated)
    named = given.pop("owner", [None])[0]
    return given, auth.owner_for(request, scope, named=named)


def _id(text: str) -> int:
    """A word is no image either: 0 stands for an id that nothing has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _size(text: str) -> int:
    for size in THUMBNAIL_SIZES:
        if text == str(size):
            return size
    raise BadRequestError(f"The query parameter 'size' takes one of {', '.join(map(str, THUMBNAIL_SIZES))}.")


def _disposition(text: str) -> Literal["inline", "attachment"]:
    if text == "inline":
        return "inline"
    if text == "attachment":
        return "attachment"
    raise BadRequestError("The query parameter 'disposition' takes inline or attachment.")
