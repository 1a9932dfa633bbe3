"""The deployed page in a browser, from its own origin; the bucket that it posts to is another."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Request, expect, sync_playwright

from tests import pictures
from tests.deployed.client import PATIENCE, Stack, until
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
