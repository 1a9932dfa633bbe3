"""How the page's files are served."""

import re

import pytest

from chalicelib.repository import Repository
from tests.http.client import Api, assert_refused
from tests.http.conftest import PUBLIC_URL, MakeRuntime, in_process_api
from tests.http.server import Server

ASSET = re.compile(r'(?:src|href)="([^"]*/web/[^"]+)"')
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def test_every_file_the_page_names_is_there_for_good(api: Api) -> None:
    addresses = ASSET.findall(api.get("/").body.decode())
    assert len(addresses) > 20
    for address in addresses:
        answer = api.get(address)
        assert answer.status == 200
        assert answer.headers["content-type"] == TYPES[address.rpartition(".")[2]]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_itself_is_always_asked_for(api: Api) -> None:
    assert api.get("/").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["index.html", "docs.html", "types.d.ts", "docs.d.ts", "nothing.js", "..", "%2e%2e", "main.js%00", "api.py"]
)
def test_nothing_else_is_served(api: Api, name: str) -> None:
    folder = ASSET.findall(api.get("/").body.decode())[0].rpartition("/")[0]
    assert_refused(api.get(f"{folder}/{name}"), 404, "NotFoundError")
    assert_refused(api.get("/web/another/main.js"), 404, "NotFoundError")


def test_behind_a_prefix_the_page_finds_its_files_there(make_runtime: MakeRuntime) -> None:
    make_runtime(public_url=f"{PUBLIC_URL}/stage")
    addresses = ASSET.findall(in_process_api().get("/").body.decode())
    assert all(address.startswith("/stage/web/") for address in addresses)


def test_a_public_address_is_written_into_the_page_as_text(make_runtime: MakeRuntime) -> None:
    make_runtime(public_url='https://a.test/"><script>alert(1)</script>')
    assert "<script>alert" not in in_process_api().get("/").body.decode()


def test_the_policy_lets_the_page_talk_to_the_api_and_the_store_alone(api: Api, repository: Repository) -> None:
    policy = api.get("/").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["img-src"] == rules["connect-src"] == f"'self' {repository.store.origin}" == f"'self' {PUBLIC_URL}"


def test_a_page_that_a_browser_has_is_not_sent_again(server: Server) -> None:
    for path in ("/", "/docs"):
        had = server.api.get(path)
        for method in ("GET", "HEAD"):
            again = server.api.send(method, path, {"If-None-Match": f'"another", {had.headers["etag"]}'}, b"")
            assert (again.status, again.body, again.headers.get("content-length")) == (304, b"", None)
            assert again.headers["etag"] == had.headers["etag"]
        assert server.api.send("GET", path, {"If-None-Match": '"another"'}, b"").body == had.body


def test_a_page_with_another_address_or_policy_is_another(make_runtime: MakeRuntime) -> None:
    make_runtime()
    first = in_process_api().get("/").headers["etag"]
    make_runtime(public_url=f"{PUBLIC_URL}/stage")
    assert in_process_api().get("/").headers["etag"] != first
