"""The page of the HTTP API: all that openapi.json says, for everyone, and lines that do what they say."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Page, expect

from chalicelib.api import openapi
from tests import pictures
from tests.http.bearers import new_key
from tests.http.server import Server, running
from tests.page.conftest import Complaints, Open
from tests.system_packages import needed

DESCRIPTION = openapi.describe("http://127.0.0.1")
OPERATIONS = [operation for methods in DESCRIPTION["paths"].values() for operation in methods.values()]
SIZES = [{"width": 320, "height": 640}, {"width": 768, "height": 1024}, {"width": 1440, "height": 900}]


def opened(server: Server, open_page: Open, **way: Any) -> Page:
    page = open_page(f"{server.api.public_url}/docs", **way)
    expect(page.get_by_role("heading", name="Schemas")).to_be_visible()
    return page


def test_every_operation_and_schema_is_shown_with_all_it_has(served: Server, open_page: Open) -> None:
    page = opened(served, open_page)
    for operation in OPERATIONS:
        part = page.locator(f"#{operation['operationId']}")
        shown = part.inner_text().replace("\n", " ") + " ".join(part.locator("details").all_text_contents())
        assert operation["summary"] in shown
        for status in operation["responses"]:
            assert status in shown
        for parameter in operation.get("parameters", []):
            assert parameter["name"] in part.locator("dt code").all_text_contents()
            assert plain(parameter["description"]) in shown
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        part = page.locator(f"#schema-{name}")
        shown = part.inner_text().replace("\n", " ")
        assert plain(schema["description"]) in shown
        for field in schema.get("properties", {}):
            assert field in part.locator("dt code").all_text_contents()
        for value in schema.get("enum", []):
            assert str(value) in shown


def plain(text: str) -> str:
    return text.replace("`", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
def test_nothing_is_in_anybodys_way(served: Server, open_page: Open, size: dict[str, int], scheme: str) -> None:
    page = opened(served, open_page, viewport=size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [f"{found['id']}: {found['nodes'][0]['html']}" for found in Axe().run(page).response["violations"]] == []


def test_only_this_server_is_asked_for_anything(served: Server, open_page: Open) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.api.public_url}/docs")
    expect(page.get_by_role("heading", name="Schemas")).to_be_visible()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(served.api.public_url).netloc}
    assert f"{served.api.public_url}/openapi.json" in asked


def test_it_is_read_by_keys_and_links_lead_where_they_say(served: Server, open_page: Open) -> None:
    page = opened(served, open_page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the operations")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="/image/list").press("Enter")
    expect(page.locator("#listImages")).to_be_in_viewport()
    refusals = page.locator("#listImages summary", has_text="Refusals")
    refusals.press("Enter")
    expect(page.locator("#listImages").get_by_text("TooManyRequestsError")).to_be_visible()
    page.locator("#listImages").get_by_role("link", name="ImageList").press("Enter")
    expect(page.locator("#schema-ImageList")).to_be_in_viewport()
    page.goto(f"{served.api.public_url}/docs#deleteImage")
    page.reload()
    expect(page.locator("#deleteImage h3")).to_be_in_viewport()


def test_a_line_is_copied_at_a_click(served: Server, open_page: Open) -> None:
    page = opened(served, open_page, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the line for listImages").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"curl {served.api.public_url}/image/list"


def test_a_line_is_selected_where_the_clipboard_is_out_of_reach(served: Server, open_page: Open) -> None:
    """As it is over plain HTTP from another machine."""
    page = opened(served, open_page)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy the line for getHealth").click()
    expect(page.get_by_role("status")).to_have_text("Selected.")
    assert page.evaluate("String(getSelection())") == f"curl {served.api.public_url}/health"


@pytest.fixture(scope="module", params=["open", "keys"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with its first image, which the lines are about, and a key where it asks for one."""
    with running(tmp_path_factory.mktemp("fresh"), {"AUTH": request.param}) as server:
        yield server, new_key(server, "ann", "read", "write")[1] if request.param == "keys" else ""


def test_every_line_does_what_it_says(fresh: tuple[Server, str], open_page: Open, tmp_path: Path) -> None:
    """Run in a shell, in the order of the page, but that the image is deleted last."""
    needed("curl", "chromium")
    server, key = fresh
    page = opened(server, open_page)
    page.get_by_label("Show the lines with a key").set_checked(bool(key))
    photo = pictures.photo(1)
    names = sorted([operation["operationId"] for operation in OPERATIONS], key="deleteImage".__eq__)
    statuses = {}
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        if name == "uploadImage":
            (folder / "photo.jpg").write_bytes(photo)
        statuses[name] = run(page.locator(f"#{name} .line code").inner_text(), key, folder)
    special = {"uploadImage": "201", "requestUploads": "201", "getUpload": "404", "deleteImage": "204"}  # nobody's upload
    assert statuses == dict.fromkeys(names, "200") | special
    assert (tmp_path / "getOriginal" / "photo.jpg").read_bytes() == photo
    assert (tmp_path / "getThumbnail" / "photo-256.jpg").is_file()


def run(line: str, key: str, folder: Path) -> str:
    """The status of the answer that the line got in the end."""
    told = f"{line} --silent --write-out '%{{stderr}}%{{http_code}}'"
    environment = {"PATH": os.environ["PATH"], "KEY": key}
    return subprocess.run(["sh", "-c", told], cwd=folder, env=environment, capture_output=True, text=True, check=True).stderr


def test_without_scripts_the_page_says_where_to_look(served: Server, open_page: Open) -> None:
    page = open_page(f"{served.api.public_url}/docs", java_script_enabled=False)
    link = page.get_by_text("What scripts show here stands in").get_by_role("link")
    expect(link).to_be_visible()
    assert served.api.get(link.get_attribute("href") or "").json() == openapi.describe(served.api.public_url)


def test_a_description_that_does_not_come_is_told_of(served: Server, open_page: Open, complaints: Complaints) -> None:
    complaints.expected.append("Failed to load resource")
    page = open_page("about:blank")
    page.route("**/openapi.json", lambda route: route.fulfill(status=503))
    page.goto(f"{served.api.public_url}/docs")
    expect(page.get_by_role("alert")).to_have_text("The description cannot be shown: The server answered 503.")
