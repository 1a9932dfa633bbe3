"""The routes that hand pictures out: list, details, original, thumbnail, delete."""

from chalice.app import Blueprint, Response
from msgspec import UNSET

from chalicelib import runtime
from chalicelib.api import answers, cursor, query, schemas
from chalicelib.api.http import json_answer, redirect
from chalicelib.api.routing import Asked, route

blueprint = Blueprint(__name__)


@route(blueprint, "GET", "/image/list", ["read"], single=query.SINGLE, repeated=query.REPEATED, of_owner=True)
def list_images(asked: Asked) -> Response:
    wanted, owner, library = query.list_query(asked.query), asked.owner, runtime.current().library
    after = cursor.decode(wanted.cursor, owner, wanted.filters, wanted.sort) if wanted.cursor is not None else None
    page = library.page(owner, wanted.filters, wanted.sort, wanted.limit, after)
    answer = schemas.ImageList(
        images=[answers.image_item(item) for item in page.items],
        next_cursor=cursor.encode(page.next, owner, wanted.filters, wanted.sort) if page.next else None,
        total=library.count(owner, wanted.filters) if wanted.include_total else UNSET,
    )
    return json_answer(answer)


@route(blueprint, "GET", "/image/{image_id}", ["read"], single=frozenset({"disposition"}), of_owner=True)
def fetch_original(asked: Asked, image_id: str) -> Response:
    disposition = query.disposition(asked.query)
    return redirect(runtime.current().library.original_url(asked.owner, _id(image_id), disposition))


@route(blueprint, "GET", "/image/{image_id}/thumbnail", ["read"], single=frozenset({"size"}), of_owner=True)
def fetch_thumbnail(asked: Asked, image_id: str) -> Response:
    size = query.thumbnail_size(asked.query)
    return redirect(runtime.current().library.thumbnail_url(asked.owner, _id(image_id), size))


@route(blueprint, "GET", "/image/{image_id}/details", ["read"], of_owner=True)
def show_details(asked: Asked, image_id: str) -> Response:
    return json_answer(answers.image_details(runtime.current().library.details(asked.owner, _id(image_id))))


@route(blueprint, "DELETE", "/image/{image_id}", ["write"], of_owner=True)
def delete_image(asked: Asked, image_id: str) -> Response:
    runtime.current().library.delete(asked.owner, _id(image_id))
    return Response("", status_code=204)


def _id(text: str) -> int:
    """A word is no image either: 0 stands for an id that nothing has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
