"""The deployed page in a browser, from its own origin; the bucket that it posts to is another."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Request, expect, sync_playwright

from tests import pictures
from tests.deployed.client import PATIENCE, Stack, until
from tests.deployed.domain import Domain
from tests.deployed.emulator import Emulator
from tests.page.conftest import Complaints, launch
from tests.system_packages import needed


def test_a_picture_is_brought_in_looked_at_downloaded_and_deleted(aws: Emulator, stack: Stack, tmp_path: Path) -> None:
    needed("libatomic.so.1")
    key = stack.admin(command="create-key", owner="page", scopes=["read", "write"])["key"]
    content, complaints, asked = pictures.photo(800, 320, 240), Complaints(), list[Request]()
    (tmp_path / "by the page.jpg").write_bytes(content)
    with sync_playwright() as playwright, launch(playwright) as browser, browser.new_page() as page:
        complaints.expected.append("Failed to load resource: the server responded with a status of 401")
        complaints.watch(page)
        page.on("request", lambda request: asked.append(request))
        page.goto(stack.url)
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Drop your first pictures here")).to_be_visible()
        page.set_input_files("#file-input", tmp_path / "by the page.jpg")
        expect(page.locator("#uploads-summary")).to_have_text("1 stored", timeout=1000 * PATIENCE)
        page.locator(".tile").click()
        expect(page.locator("#viewer-image.there")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the original").click()
        download.value.save_as(tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == content
        page.get_by_role("button", name="Delete").click()
        page.goto("about:blank")  # who leaves the page has made up their mind
    until(lambda: replace(stack, key=key).get("/image/list")["images"], lambda images: images == [])
    assert complaints == []
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(request.url)) for request in asked}
    assert origins == {stack.url, aws.url}
    assert {request.method for request in asked if request.url.startswith(aws.url)} == {"GET", "POST"}


def test_a_first_visit_asks_for_the_page_its_icon_and_the_list(stack: Stack, own: Domain) -> None:
    """Each request may have to start an environment. The gateway itself refuses a list that is asked for without a key."""
    needed("libatomic.so.1")
    complaints = Complaints()
    complaints.expected.append("Failed to load resource: the server responded with a status of 401")
    own.asked.clear()
    with sync_playwright() as playwright, launch(playwright) as browser, browser.new_page() as page:
        complaints.watch(page)
        page.goto(stack.url)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        until(lambda: own.asked, lambda asked: any(path.endswith("/icon.svg") for path in asked))
        page.wait_for_load_state("networkidle")
    assert complaints == []
    asked = [re.sub(r"[0-9a-f]{12}", "edition", path).partition("?")[0] for path in own.asked]
    assert sorted(asked) == ["/", "/image/list", "/web/edition/icon.svg"]


def test_the_api_is_shown_with_one_more_request_than_its_page(stack: Stack, own: Domain) -> None:
    needed("libatomic.so.1")
    complaints = Complaints()
    own.asked.clear()
    with sync_playwright() as playwright, launch(playwright) as browser, browser.new_page() as page:
        complaints.watch(page)
        page.goto(f"{stack.url}/docs")
        expect(page.get_by_role("heading", name="Schemas")).to_be_visible()
        assert page.locator("body").evaluate("body => getComputedStyle(body).margin") == "0px"
        page.get_by_role("link", name="Pictures").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert [text for text in complaints if "401" not in text] == []
    assert [path for path in own.asked if not path.endswith("/icon.svg")][:2] == ["/docs", "/openapi.json"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_policy_names_what_is_in_the_page_and_nothing_else(stack: Stack, path: str) -> None:
    answer = httpx.get(stack.url + path, timeout=PATIENCE)
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    for element in ("script", "style"):
        [inline] = re.findall(f"<{element}[^>]*>(.*?)</{element}>".encode(), answer.content, re.DOTALL)
        assert rules[f"{element}-src"] == f"'sha256-{b64encode(sha256(inline).digest()).decode()}'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert re.findall(rb"\{(?:root|edition|public_url|preloads)\}", answer.content) == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_that_a_browser_has_is_not_sent_again(stack: Stack, path: str) -> None:
    had = httpx.get(stack.url + path, timeout=PATIENCE)
    again = httpx.get(stack.url + path, headers={"If-None-Match": had.headers["etag"]}, timeout=PATIENCE)
    assert (again.status_code, again.content) == (304, b"")
    other = httpx.get(stack.url + path, headers={"If-None-Match": '"another"'}, timeout=PATIENCE)
    assert (other.status_code, other.content) == (200, had.content)
