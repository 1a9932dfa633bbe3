"""What the repository says about itself: the page with its files, the API's description, and its health."""

import hashlib
import html
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from chalice.app import Blueprint, Response

from chalicelib import runtime
from chalicelib.api import answers, schemas
from chalicelib.api.http import Headers, json_answer, public_url, retry_after
from chalicelib.api.routing import PUBLIC, Asked, route
from chalicelib.errors import NotFoundError
from chalicelib.model.pictures import FORMATS
from chalicelib.services.access import SCOPES
from chalicelib.settings import VERSION

blueprint = Blueprint(__name__)

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOLDER = Path(__file__).parent.parent / "web"
#: Every file that the pages consist of besides themselves; nothing else is served.
_FILES = {path.name: path.read_text("utf-8") for path in sorted(_FOLDER.iterdir()) if path.suffix in _CONTENT_TYPES}
#: Part of the files' address, so that browsers may keep them for good and never mix two releases.
_EDITION = hashlib.sha256("\0".join([*_FILES, *_FILES.values()]).encode()).hexdigest()[:12]
_PRELOADS = "\n".join(
    f'<link rel="modulepreload" href="{{root}}/web/{{edition}}/{name}">'
    for name in _FILES
    if name.endswith(".js") and not name.startswith("docs")
)


class _Document(NamedTuple):
    """An HTML file, and by the policy's words where its scripts and its styles may come from."""

    text: str
    scripts: str
    styles: str


def _document(name: str) -> _Document:
    text = (_FOLDER / name).read_text("utf-8").replace("{preloads}", _PRELOADS).replace("{edition}", _EDITION)
    return _Document(text, _source(text, '<script type="module">', "</script>"), _source(text, "<style>", "</style>"))


def _source(text: str, begin: str, end: str) -> str:
    """The files beside the document; where packaging has put these into it (`infra/page.py`), the one element that it made."""
    inline = text.partition(begin)[2].partition(end)[0]
    return f"'sha256-{b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" if inline else "'self'"


_PAGE, _DOCS = _document("index.html"), _document("docs.html")
_SAFE: Headers = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@route(blueprint, "GET", "/", PUBLIC)
def show_page(asked: Asked) -> Response:
    return _page(asked, _PAGE)


@route(blueprint, "GET", "/docs", PUBLIC)
def show_docs(asked: Asked) -> Response:
    return _page(asked, _DOCS)


def _page(asked: Asked, document: _Document) -> Response:
    url = html.escape(public_url(asked.request))
    # Without the host: the machine may be known by several names, and to the browser all but the one used are strangers.
    root = urlsplit(url).path
    text = document.text.replace("{root}", root).replace("{public_url}", url)
    policy = _policy(document, runtime.current().store.origin)
    tag = hashlib.sha256(f"{policy}\n{text}".encode()).hexdigest()[:32]  # browsers keep the policy that a kept page came with
    headers: Headers = {
        **_SAFE,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "ETag": f'W/"{tag}"',  # weak: the gateway compresses
    }
    if f'"{tag}"' in asked.request.headers.get("if-none-match", ""):
        return Response("", status_code=304, headers=headers)
    return Response(text, headers=headers)


@route(blueprint, "GET", "/web/{edition}/{name}", PUBLIC)
def serve_file(_: Asked, edition: str, name: str) -> Response:
    if edition != _EDITION or name not in _FILES:
        raise NotFoundError("The page has no such file: load the page anew.")
    headers: Headers = {
        **_SAFE,
        "Content-Type": _CONTENT_TYPES[Path(name).suffix],
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    return Response(_FILES[name], headers=headers)


def _policy(document: _Document, store: str) -> str:
    """Only what is the page's own runs and styles; besides the API it talks to the store alone, whose origin is `store`."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {document.scripts}",
            f"style-src {document.styles}",
            f"img-src 'self' {store}",
            f"connect-src 'self' {store}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


@route(blueprint, "GET", "/openapi.json", PUBLIC)
def describe(asked: Asked) -> Response:
    from chalicelib.api import openapi  # for no other request, and not at every cold start

    return json_answer(openapi.describe(public_url(asked.request)))


@route(blueprint, "GET", "/health", PUBLIC)
def check_health(_: Asked) -> Response:
    settings = runtime.current().settings
    limits = schemas.Limits(settings.max_bytes, settings.max_pixels, settings.max_frames, list(FORMATS))
    return json_answer(schemas.Health("ok", VERSION, limits))


@route(blueprint, "GET", "/health/ready", SCOPES)
def check_readiness(_: Asked) -> Response:
    found = runtime.current().readiness.look()
    status = 503 if found.problem else 200
    return json_answer(answers.readiness(found), status, retry_after(status))
