"""HEAD wherever there is GET: the same status and headers, and no body, for whoever may GET."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from app import app
from tests import pictures
from tests.http.bearers import with_key
from tests.http.client import Answer, Api
from tests.http.server import Server, running

GETS = sorted(path for path, methods in app.routes.items() if "GET" in methods)


@pytest.fixture(scope="module")
def shown(server: Server) -> dict[str, str]:
    """What the routes' own parts stand for: an image, an upload, and a file of the page."""
    image, ticket = server.api.upload(pictures.png(1)).json(), server.api.ask_for(pictures.png(2))
    edition = server.api.get("/").body.decode().partition("/web/")[2].partition("/")[0]
    return {"image_id": str(image["id"]), "upload_id": ticket["upload_id"], "edition": edition, "name": "main.js"}


@pytest.mark.parametrize("path", GETS)
def test_head_says_what_get_says_and_sends_nothing(server: Server, shown: dict[str, str], path: str) -> None:
    for query in ("", "?surely=unknown"):
        target = path.format(**shown) + query
        head, get = (server.api.send(method, target, {}, b"") for method in ("HEAD", "GET"))
        assert (head.status, head.body, described(head)) == (get.status, b"", described(get))
        assert get.status == (400 if query else 302 if "content-length" in get.headers and not get.body else 200)


def described(answer: Answer) -> dict[str, str]:
    """The headers, less the time and what changes with it: a signature."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return {**headers, "location": urlsplit(headers.get("location", "")).path}


def test_what_is_not_there_is_not_there_for_head_either(server: Server) -> None:
    for path, status in (
        ("/nothing", 404),
        ("/image/999999999", 404),
        ("/image/999999999/details", 404),
        ("/image/upload", 405),
    ):
        answer = server.api.send("HEAD", path, {}, b"")
        assert (answer.status, answer.body) == (status, b"")
        assert int(answer.headers["content-length"]) > 0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("guarded"), {"AUTH": "keys"}) as server:
        yield server


def test_a_key_opens_for_head_what_it_opens_for_get(guarded: Server) -> None:
    owner = with_key(guarded, "ann", "read", "write")
    image, upload = owner.upload(pictures.png(3)).json()["id"], owner.ask_for(pictures.png(4))["upload_id"]
    bearers: list[Api] = [
        guarded.api,
        owner,
        with_key(guarded, "ann", "read"),
        with_key(guarded, "ann", "write"),
        with_key(guarded, "bob", "read"),
        with_key(guarded, "boss", "admin"),
    ]
    for path in (
        f"/image/{image}",
        f"/image/{image}/details",
        f"/image/uploads/{upload}",
        "/image/list",
        "/image/list?owner=ann",
    ):
        for api in bearers:
            head, get = (api.send(method, path, {}, b"") for method in ("HEAD", "GET"))
            assert (head.status, head.body) == (get.status, b"")
    assert owner.send("HEAD", "/image/list", {}, b"").status == 200
