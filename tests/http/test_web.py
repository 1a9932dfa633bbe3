"""What the repository says about itself, and what it answers where there is nothing to say."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app import app
from chalicelib import runtime
from chalicelib.model.pictures import FORMATS
from chalicelib.repository import Repository
from chalicelib.settings import VERSION
from tests import pictures
from tests.databases import mariadb, new_database
from tests.http.client import Api, assert_not_ready, assert_refused, in_process
from tests.http.conftest import PUBLIC_URL, MakeRuntime, in_process_api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
ROUTES = [(path, sorted(views)) for path, views in app.routes.items()]
#: What is no part of the interface: the page's own files.
INTERNAL = ("/web/{edition}/{name}",)


def test_health_says_that_all_is_well_and_what_the_limits_are(make_runtime: MakeRuntime) -> None:
    make_runtime(max_bytes=1000, max_pixels=2000, max_frames=30)
    answer = in_process_api().get("/health")
    assert answer.status == 200
    assert answer.json() == {
        "status": "ok",
        "version": VERSION,
        "limits": {"max_bytes": 1000, "max_pixels": 2000, "max_frames": 30, "formats": list(FORMATS)},
    }
    assert FORMATS == ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIC")


def test_a_repository_that_can_be_used_is_ready(api: Api) -> None:
    answer = api.get("/health/ready")
    part = {"status": "ok", "cause": None}
    assert (answer.status, answer.json()) == (200, {"status": "ok", "catalog": part, "store": part})


def test_health_asks_neither_catalog_nor_store(make_runtime: MakeRuntime) -> None:
    with mariadb() as server, new_database(server.url) as database:
        make_runtime(database_url=database.render_as_string(hide_password=False))
        server.stop()
        assert in_process_api().get("/health").json()["status"] == "ok"
        ready = in_process_api().get("/health/ready").json()
        assert (ready["status"], ready["catalog"]["status"], ready["store"]) == (
            "unavailable",
            "unavailable",
            {"status": "ok", "cause": None},
        )
        assert re.search(r"MySQL 20(03|06|13)\]$", ready["catalog"]["cause"])
        server.start()


def test_a_store_that_does_not_answer_is_a_503_and_costs_nothing(api: Api, repository: Repository, tmp_path: Path) -> None:
    held = api.upload(pictures.png(1)).json()
    storage = repository.settings.storage
    ticket = api.ask_for(pictures.png(2))
    for section in ("incoming", "temporary"):
        (storage / section).rename(tmp_path / section)
    refused, not_ready = api.upload(pictures.png(2)), api.get("/health/ready")
    assert_refused(refused, 503, "UnavailableError")
    assert_not_ready(not_ready)
    for answer in (refused, not_ready):
        assert int(answer.headers["retry-after"]) > 0
    posted = api.post_ticket(ticket, pictures.png(2))
    assert (posted.status, posted.headers["content-type"]) == (503, "application/xml")
    for section in ("incoming", "temporary"):
        (tmp_path / section).rename(storage / section)
    assert api.get("/health/ready").status == 200
    assert api.post_ticket(ticket, pictures.png(2)).status == 204
    repository.queue.drain()
    assert api.status(ticket["upload_id"])["status"] == "stored"
    assert api.details(held["id"])["id"] == held["id"]


def test_a_catalog_that_does_not_answer_is_a_503_and_costs_nothing(make_runtime: MakeRuntime) -> None:
    with mariadb() as server, new_database(server.url) as database:
        make_runtime(database_url=database.render_as_string(hide_password=False))
        api = in_process_api()
        held = api.upload(pictures.png(1)).json()
        server.stop()
        asked = ("/image/list", f"/image/{held['id']}", f"/image/{held['id']}/details", "/image/uploads/" + "0" * 36)
        answers = [*(api.get(path) for path in asked), api.upload(pictures.png(2)), api.delete(held["id"])]
        answers.append(api.ask({"name": "a", "size": 1}))
        not_ready = api.get("/health/ready")
        assert_not_ready(not_ready)
        for answer in answers:
            assert_refused(answer, 503, "UnavailableError")
        for answer in (*answers, not_ready):
            assert int(answer.headers["retry-after"]) > 0
        server.start()
        assert api.get("/health/ready").status == 200
        assert api.details(held["id"])["sha256"] == held["sha256"]


def test_the_page_says_what_this_is_and_how_to_try_it(api: Api) -> None:
    answer = api.get("/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert f"http --multipart POST {PUBLIC_URL}/image/upload image@photo.jpg" in page
    assert "{public_url}" not in page
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path, methods in ROUTES:
        if path not in ("/", *INTERNAL):
            assert any(f"{method} {path.replace('{image_id}', '{id}')}" in page for method in methods), path


def test_the_api_is_a_page_too_for_whoever_follows_a_link(make_runtime: MakeRuntime) -> None:
    make_runtime(public_url=f"{PUBLIC_URL}/stage")
    api = in_process_api()
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = api.send("GET", "/docs", link, b"")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == api.get("/").headers["content-security-policy"]
    page = answer.body.decode()
    assert "{" not in page
    assert 'href="/stage/openapi.json"' in page
    for address in re.findall(r'(?:src|href)="/stage(/web/[^"]+)"', page):
        assert api.get(address).status == 200, address
    assert 'href="/stage/docs"' in api.get("/").body.decode()
    assert_refused(api.send("GET", "/docs", {"Sec-Fetch-Site": "cross-site"}, b""), 403, "ForbiddenError")


def test_the_description_names_this_server_and_every_route(api: Api) -> None:
    description = api.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert description["servers"] == [{"url": PUBLIC_URL}]
    described = {(path, method.upper()) for path, operations in description["paths"].items() for method in operations}
    heads = {(path, "HEAD") for path, method in described if method == "GET"}  # for which the description has a sentence
    assert "HEAD" in description["info"]["description"]
    assert described | heads == {(path, method) for path, methods in ROUTES for method in methods if path not in INTERNAL}


@pytest.mark.parametrize(("path", "methods"), ROUTES)
def test_a_listed_path_with_another_method_is_a_405(api: Api, path: str, methods: list[str]) -> None:
    for method in set(METHODS) - set(methods):
        assert_refused(
            api.send(method, path.format(image_id=1, upload_id="x", edition="x", name="x"), {}, b""),
            405,
            "MethodNotAllowedError",
        )


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/image/upload", "application/json"),
        ("/image/upload", "image/png"),
        ("/image/upload", "text/plain; charset=utf-8"),
        ("/image/upload", "multipart/mixed; boundary=x"),
        ("/image/upload", "nonsense"),
        ("/image/uploads", "text/plain"),
        ("/image/uploads", "application/x-www-form-urlencoded"),
        ("/image/uploads", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_of_another_content_type_is_a_415(api: Api, path: str, content_type: str) -> None:
    answer = api.send("POST", path, {"Content-Type": content_type}, b"x")
    assert_refused(answer, 415, "UnsupportedMediaType")


def test_a_path_that_is_not_listed_is_refused(api: Api) -> None:
    for path in ("/nothing", "/image", "/image/1/2/3", "/store/x", "/../etc/passwd", "/image/1/details/x", "//"):
        assert api.get(path).status == 403


def test_urls_are_right_behind_a_prefix_too(make_runtime: MakeRuntime) -> None:
    repository = make_runtime()
    public_url = "https://pictures.example.org/stage"
    built = runtime.build(replace(repository.settings, public_url=public_url))
    runtime.use(built)
    api = Api(in_process(app), public_url)
    ticket = api.ask_for(pictures.png(1))
    assert ticket["url"] == f"{public_url}/store"
    assert api.post_ticket(ticket, pictures.png(1)).status == 204
    built.queue.drain()
    state = api.fetch(ticket["status_url"]).json()
    assert api.follow(api.get(f"/image/{state['image_id']}")).body == pictures.png(1)
