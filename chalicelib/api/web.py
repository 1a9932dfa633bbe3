"""What the repository says about itself: the page, the API's description, and its health."""

from pathlib import Path

from chalice.app import Blueprint, Response

from chalicelib import runtime
from chalicelib.api import openapi, schemas
from chalicelib.api.http import Headers, answering, json_answer, public_url, query_of
from chalicelib.imaging.picture import FORMATS
from chalicelib.settings import VERSION

blueprint = Blueprint(__name__)

_PAGE = Path(__file__).parent.parent / "web" / "index.html"
_PAGE_HEADERS: Headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@blueprint.route("/", methods=["GET"])
@answering
def show_page() -> Response:
    query_of(blueprint.current_request, frozenset())
    page = _PAGE.read_text("utf-8").replace("{public_url}", public_url(blueprint.current_request))
    return Response(page, headers=_PAGE_HEADERS)


@blueprint.route("/openapi.json", methods=["GET"])
@answering
def describe() -> Response:
    query_of(blueprint.current_request, frozenset())
    return json_answer(openapi.describe(public_url(blueprint.current_request)))


@blueprint.route("/health", methods=["GET"])
@answering
def check_health() -> Response:
    query_of(blueprint.current_request, frozenset())
    current = runtime.current()
    current.catalog.check()
    current.store.check()
    settings = current.settings
    limits = schemas.Limits(settings.max_bytes, settings.max_pixels, settings.max_frames, list(FORMATS))
    return json_answer(schemas.Health("ok", VERSION, "ok", "ok", limits))
