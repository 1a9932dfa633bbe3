"""The page before a repository that asks for keys."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect

from chalicelib import runtime
from chalicelib.settings import Settings
from tests import pictures
from tests.access_table import GARBAGE
from tests.http.server import Server, running
from tests.page.conftest import Complaints, Open
from tests.page.test_uploading import write

AUTHORIZATION = "authorization"


class Guarded:
    """A server that asks for keys; `key` is one that may read and write."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.url = server.api.public_url
        self._access = runtime.build(Settings(storage=folder)).access
        made, self.key = self._access.create("ada", ["read", "write"])
        self._id = made.id

    def revoke(self) -> None:
        self._access.revoke(self._id)


@pytest.fixture
def guarded(tmp_path: Path, complaints: Complaints) -> Iterator[Guarded]:
    # The browser itself writes a line for every 401 and 403.
    complaints.expected.append("Failed to load resource: the server responded with a status of 40")
    with running(tmp_path / "repository", {"AUTH": "keys"}) as server:
        yield Guarded(server, tmp_path / "repository")


def test_a_good_key_opens_everything_and_goes_to_the_api_alone(guarded: Guarded, open_page: Open, tmp_path: Path) -> None:
    requests: list[Request] = []
    page = open_page(guarded.url)
    page.on("request", lambda request: requests.append(request))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Key")).to_be_focused()
    page.get_by_label("Key").fill(guarded.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Drop your first pictures here")).to_be_visible()
    page.set_input_files("#file-input", write(tmp_path, {"a.jpg": pictures.photo(1)}) / "a.jpg")
    expect(page.locator("#uploads-summary")).to_have_text("1 stored")
    page.locator(".tile").click()
    expect(page.locator("#viewer-image.there")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the original").click()
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == pictures.photo(1)
    bearing = {urlsplit(request.url).path for request in requests if AUTHORIZATION in request.all_headers()}
    assert {"/image/list", "/image/uploads"} <= bearing
    to_the_store = [request for request in requests if urlsplit(request.url).path == "/store"]
    assert {request.method for request in to_the_store} == {"GET", "POST"}
    assert "/store" not in bearing


def test_the_key_stays_in_its_tab_and_goes_on_signing_out(guarded: Guarded, open_page: Open) -> None:
    page = open_page(guarded.url)
    page.get_by_label("Key").fill(guarded.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#empty")).to_be_visible()
    page.reload()
    expect(page.locator("#empty")).to_be_visible()
    another = page.context.new_page()
    another.goto(guarded.url)
    expect(another.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.context.cookies() == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_a_key_that_is_not_known_is_refused_with_the_servers_words(guarded: Guarded, open_page: Open) -> None:
    page = open_page(guarded.url)
    for typed, said in (
        ("imr_nonsense", "A whole key is needed"),
        (GARBAGE.removeprefix("Bearer "), "The key is unknown or revoked"),
    ):
        page.get_by_label("Key").fill(typed)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    page.get_by_label("Key").fill(guarded.key)
    page.keyboard.press("Enter")
    expect(page.locator("#empty")).to_be_visible()


def test_a_key_that_is_revoked_meanwhile_leads_back_to_signing_in(guarded: Guarded, open_page: Open) -> None:
    page = open_page(guarded.url)
    page.get_by_label("Key").fill(guarded.key)
    page.keyboard.press("Enter")
    expect(page.locator("#empty")).to_be_visible()
    guarded.revoke()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="The key is unknown or revoked")).to_be_visible()
