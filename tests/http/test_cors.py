"""Pages of the origin that ALLOWED_ORIGIN names, as a browser asks and reads for them: the API's answers and the store's."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app import app
from tests import pictures
from tests.http.client import FORM, JSON, Answer, Api, assert_refused, file_part, form
from tests.http.server import Server, running

ORIGIN = "https://gallery.example.org"
PAGE = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
STRANGER = {**PAGE, "Origin": "https://evil.example.org"}
LISTED = sorted(path.format(image_id=1, upload_id="x", edition="x", name="x") for path in app.routes)


@pytest.fixture(scope="module", params=["open", "keys"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Open or asking for keys, which answers in other places."""
    settings = {"ALLOWED_ORIGIN": ORIGIN, "AUTH": request.param, "MAX_BYTES": "100000"}
    with running(tmp_path_factory.mktemp("cors"), settings) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An open server's API."""
    with running(tmp_path_factory.mktemp("gallery"), {"ALLOWED_ORIGIN": ORIGIN, "MAX_BYTES": "100000"}) as running_server:
        yield running_server.api


def preflight(api: Api, path: str, headers: Mapping[str, str], method: str = "POST") -> Answer:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    return api.send("OPTIONS", path, {**headers, **asked}, b"")


def may_be_read(answer: Answer, by: str = ORIGIN) -> bool:
    """Whether a browser hands the answer over to the page."""
    return answer.headers.get("access-control-allow-origin") in ("*", by)


@pytest.mark.parametrize("path", LISTED)
def test_a_preflight_is_answered_before_any_key_is_asked_for(server: Server, path: str) -> None:
    answer = preflight(server.api, path, PAGE)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert {"GET", "HEAD", "POST", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(","))
    assert set(answer.headers["access-control-allow-headers"].lower().split(",")) == {"authorization", "content-type"}
    assert answer.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "statuses"),
    [
        ("GET", "/image/list", {}, b"", {200, 401}),
        ("HEAD", "/image/list", {}, b"", {200, 401}),
        ("GET", "/health", {}, b"", {200}),
        ("GET", "/image/999", {}, b"", {404, 401}),
        ("GET", "/image/list", {"Authorization": "Bearer imr_x"}, b"", {200, 401}),
        ("GET", "/health?surely=unknown", {}, b"", {400}),
        ("GET", "/nothing", {}, b"", {404}),
        ("PUT", "/image/list", {}, b"", {405}),
        ("POST", "/image/upload", {"Content-Type": "text/plain"}, b"x", {415, 401}),
        ("POST", "/image/uploads", {**JSON, "Content-Length": "2000000"}, b"", {413, 401}),
        ("POST", "/image/uploads", {**JSON, "Content-Length": "many"}, b"", {400}),
        ("GET", "/image/list", {"Host": "evil.example.org"}, b"", {403}),
    ],
)
def test_every_answer_may_be_read_refusals_included(
    server: Server, method: str, path: str, headers: dict[str, str], body: bytes, statuses: set[int]
) -> None:
    answer = server.api.send(method, path, {**PAGE, **headers}, body)
    assert answer.status in statuses
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-expose-headers"] == "Location, Retry-After"


def test_a_page_of_another_origin_is_not_let_in(gallery: Api) -> None:
    for answer in (
        preflight(gallery, "/image/list", STRANGER),
        gallery.send("GET", "/image/list", STRANGER, b""),
        gallery.send("GET", "/nothing", STRANGER, b""),
        gallery.send("PUT", "/image/list", STRANGER, b""),
        preflight(gallery, "/store", STRANGER),
        gallery.send("GET", "/store", STRANGER, b""),
    ):
        assert not may_be_read(answer, STRANGER["Origin"])
    assert_refused(gallery.send("GET", "/image/list", STRANGER, b""), 403, "ForbiddenError")


def test_a_page_uploads_by_ticket_and_reads_what_it_gets(gallery: Api) -> None:
    content = pictures.png(1)
    asked = gallery.send(
        "POST", "/image/uploads", {**JSON, **PAGE}, b'{"files": [{"name": "a.png", "size": %d}]}' % len(content)
    )
    assert may_be_read(asked)
    ticket = asked.json()["uploads"][0]
    parts = [
        b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (n.encode(), v.encode()) for n, v in ticket["fields"].items()
    ]
    allowed = preflight(gallery, "/store", PAGE)
    assert (allowed.status, may_be_read(allowed)) == (200, True)
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["access-control-allow-headers"] == "authorization,content-type"
    posted = gallery.send("POST", "/store", {**FORM, **PAGE}, form([*parts, file_part("file", "blob", content)]))
    assert (posted.status, may_be_read(posted)) == (204, True)


def test_the_stores_answers_may_be_read_refusals_included(gallery: Api) -> None:
    image = gallery.upload(pictures.png(2)).json()
    target = gallery.target(image["original_url"])
    served = gallery.send("GET", target, PAGE, b"")
    part = gallery.send("GET", target, {**PAGE, "Range": "bytes=0-3"}, b"")
    known = gallery.send("GET", target, {**PAGE, "If-None-Match": served.headers["etag"]}, b"")
    forged = gallery.send("GET", target + "0", PAGE, b"")
    huge = gallery.send("POST", "/store", {**FORM, **PAGE}, bytes(1_200_000))
    for answer, status in ((served, 200), (part, 206), (known, 304), (forged, 403), (huge, 400)):
        assert (answer.status, may_be_read(answer)) == (status, True)
        assert answer.headers["access-control-expose-headers"] == "ETag, Content-Disposition"
        assert "Origin" in answer.headers["vary"]
    assert gallery.follow(gallery.send("GET", f"/image/{image['id']}", PAGE, b""), **PAGE).body == pictures.png(2)


def test_the_store_answers_as_a_bucket_where_no_page_asks(gallery: Api) -> None:
    """What an `<img>` fetched is in the browser's cache without these headers, here as with a bucket."""
    url = gallery.upload(pictures.png(2)).json()["original_url"]
    assert "access-control-allow-origin" not in gallery.fetch(url).headers


def test_the_store_refuses_a_preflight_for_what_it_has_not(gallery: Api) -> None:
    for headers, method in ((PAGE, "PUT"), (STRANGER, "POST"), ({}, "POST")):
        answer = preflight(gallery, "/store", headers, method)
        assert (answer.status, answer.headers["content-type"]) == (403, "application/xml")
        assert b"<Code>AccessForbidden</Code>" in answer.body


def test_any_origin_may_where_the_settings_say_so(tmp_path: Path) -> None:
    with running(tmp_path, {"ALLOWED_ORIGIN": "*"}) as anybodys:
        api = anybodys.api
        for answer in (
            preflight(api, "/image/list", STRANGER),
            api.send("GET", "/image/list", STRANGER, b""),
            api.send("GET", "/nothing", STRANGER, b""),
            preflight(api, "/store", STRANGER),
            api.send("GET", "/store", STRANGER, b""),
        ):
            assert answer.headers["access-control-allow-origin"] == "*"


def test_without_the_setting_no_other_page_may_anything(tmp_path: Path) -> None:
    with running(tmp_path) as closed:
        for answer in (
            preflight(closed.api, "/image/list", PAGE),
            closed.api.send("GET", "/image/list", PAGE, b""),
            closed.api.send("GET", "/nothing", PAGE, b""),
            preflight(closed.api, "/store", PAGE),
            closed.api.send("GET", "/store", PAGE, b""),
        ):
            assert "access-control-allow-origin" not in answer.headers
