"""Bringing pictures in by the page."""

import re
from functools import partial
from pathlib import Path

from playwright.sync_api import CDPSession, Page, Route, expect

from tests import pictures
from tests.http.server import Server
from tests.page.conftest import Complaints, Open
from tests.page.scenes import scene

FILES = "#file-input"
FOLDER = "#folder-input"


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def expect_outcome(page: Page, name: str, state: str, note: str | re.Pattern[str] = "") -> None:
    row = page.locator(".upload", has_text=name)
    expect(row.locator(".state")).to_have_text(state)
    expect(row.locator(".note")).to_contain_text(note)


def test_a_folder_is_uploaded_shown_and_held_exactly(empty: Server, open_page: Open, tmp_path: Path) -> None:
    files = {f"summer/{number}.png": pictures.png(number) for number in range(6)} | {"summer/deep/down.jpg": pictures.photo(9)}
    page = open_page(empty.api.public_url)
    expect(page.get_by_role("heading", name="Drop your first pictures here")).to_be_visible()
    page.set_input_files(FOLDER, write(tmp_path / "given", files) / "summer")
    expect(page.locator("#uploads-summary")).to_have_text("7 stored")
    expect(page.locator(".tile")).to_have_count(7)
    expect(page.locator("#total")).to_have_text("7")
    expect(page.get_by_role("heading", name="Wed, 22 Oct 2008")).to_be_visible()
    held = {image["name"]: empty.api.follow(empty.api.get(f"/image/{image['id']}")).body for image in listed(empty)}
    assert held == {Path(name).name: content for name, content in files.items()}


def test_what_became_of_each_file_is_said(empty: Server, open_page: Open, tmp_path: Path) -> None:
    whole = pictures.photo(1)
    again = pictures.encoded(pictures.image(1, 64, 48), "PNG")
    empty.api.upload(pictures.png(5))
    empty.api.upload(pictures.encoded(pictures.image(1, 64, 48), "BMP"))
    given = write(
        tmp_path / "given",
        {
            "new.jpg": whole,
            "held.png": pictures.png(5),
            "resaved.png": again,
            "broken.jpg": pictures.truncated_jpeg(),
            "letter.jpg": b"Dear all, this is not a picture.",
            "notes.txt": b"neither is this",
            "empty.png": b"",
            ".hidden.png": pictures.png(6),
        },
    )
    page = open_page(empty.api.public_url)
    page.set_input_files(FOLDER, given)
    expect(page.locator("#uploads-summary")).to_have_text("1 stored · 2 already here · 4 refused")
    page.locator("#uploads-list").evaluate("list => list.style.maxHeight = '600px'")
    page.locator("#uploads-list").evaluate("list => list.dispatchEvent(new Event('scroll'))")
    expect_outcome(page, "new.jpg", "Stored")
    expect_outcome(page, "held.png", "Already here", "Not sent again.")
    expect_outcome(page, "resaved.png", "Already here", "The same picture in another file.")
    expect_outcome(page, "broken.jpg", "Refused", "ends before its image does")
    expect_outcome(page, "letter.jpg", "Refused", "none of the image formats")
    expect_outcome(page, "notes.txt", "Refused", "not a picture (text/plain)")
    expect_outcome(page, "empty.png", "Refused", "The file is empty")
    assert len(listed(empty)) == 3


def test_progress_is_shown_while_a_large_file_is_sent(empty: Server, open_page: Open, tmp_path: Path) -> None:
    """The connection is slow, not the test: the browser is made to send at most so many bytes a second."""
    page = open_page(empty.api.public_url)
    expect(page.locator("#empty")).to_be_visible()
    throttle(page, 2_000_000)
    large = pictures.encoded(scene(3, 1200, 900), "BMP")
    page.set_input_files(FILES, write(tmp_path, {"large.bmp": large}) / "large.bmp")
    bar = page.get_by_role("progressbar", name="Sent")
    expect(bar).to_have_js_property("hidden", False)
    seen = bar.evaluate(
        """bar => new Promise(done => {
          const seen = [];
          const look = () => {
            if (seen.at(-1) !== bar.value) seen.push(bar.value);
            if (bar.hidden) done(seen); else requestAnimationFrame(look);
          };
          look();
        })"""
    )
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert any(0 < value < 1 for value in seen)
    expect(page.locator("#uploads-summary")).to_have_text("1 stored")


def test_a_folder_dropped_again_after_leaving_in_the_middle_continues(
    empty: Server, open_page: Open, complaints: Complaints, tmp_path: Path
) -> None:
    files = {f"album/{number}.png": pictures.png(number) for number in range(8)}
    given = write(tmp_path / "given", files) / "album"
    page = open_page(empty.api.public_url)
    # Three posts get through, and then the page is closed while it tries the rest again.
    complaints.expected.append("Failed to load resource")
    posted: list[Route] = []

    def let_three_pass(route: Route) -> None:
        posted.append(route)
        if len(posted) <= 3:
            route.continue_()
        else:
            route.abort("connectionreset")

    page.route("**/store", let_three_pass)
    page.set_input_files(FOLDER, given)
    expect(page.locator("#uploads-summary")).to_contain_text("3 stored")
    # A post that is held up here when the page closes would be let go.
    page.context.set_offline(True)
    page.close(run_before_unload=False)
    page.context.set_offline(False)
    page = open_page(empty.api.public_url)
    page.set_input_files(FOLDER, given)
    expect(page.locator("#uploads-summary")).to_have_text("5 stored · 3 already here")
    assert len(listed(empty)) == 8


def test_a_post_that_fails_is_tried_again(empty: Server, open_page: Open, complaints: Complaints, tmp_path: Path) -> None:
    complaints.expected.append("Failed to load resource")
    page = open_page(empty.api.public_url)
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort("connectionreset")

    page.route("**/store", fail_once)
    page.set_input_files(FILES, write(tmp_path, {"a.png": pictures.png(1)}) / "a.png")
    expect(page.locator(".upload .note")).to_contain_text("Trying again")
    expect(page.locator("#uploads-summary")).to_have_text("1 stored")
    assert len(failed) == 1


def test_a_folder_dropped_on_the_page_is_taken_with_all_that_is_in_it(empty: Server, open_page: Open, tmp_path: Path) -> None:
    # More than the hundred entries that a browser hands out of a folder at a time.
    files = {f"trip/{number:03}.png": pictures.png(number, 8, 8) for number in range(103)} | {
        "trip/deep/er/x.png": pictures.png(500)
    }
    folder = write(tmp_path / "given", files) / "trip"
    single = write(tmp_path, {"single.png": pictures.png(501)}) / "single.png"
    page = open_page(empty.api.public_url)
    expect(page.locator("#empty")).to_be_visible()
    drag = partial(dragged, page.context.new_cdp_session(page), [folder, single])
    drag("dragEnter")
    drag("dragOver")
    expect(page.get_by_text("Drop to add")).to_be_visible()
    drag("drop")
    expect(page.get_by_text("Drop to add")).to_be_hidden()
    expect(page.locator("#uploads-summary")).to_have_text("105 stored")
    assert {image["name"] for image in listed(empty)} == {Path(name).name for name in files} | {"single.png"}


def test_a_pasted_picture_is_taken(empty: Server, open_page: Open) -> None:
    page = open_page(empty.api.public_url)
    expect(page.locator("#empty")).to_be_visible()
    page.evaluate(
        """bytes => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
          window.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        list(pictures.png(8)),
    )
    expect(page.locator("#uploads-summary")).to_have_text("1 stored")


def test_without_digests_files_are_sent_all_the_same(empty: Server, open_page: Open, tmp_path: Path) -> None:
    """As in a browser that reaches the server over plain http under another name."""
    page = open_page(empty.api.public_url)
    page.evaluate("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.set_input_files(FILES, write(tmp_path, {"a.png": pictures.png(1)}) / "a.png")
    expect(page.locator("#uploads-summary")).to_have_text("1 stored")
    page.set_input_files(FILES, tmp_path / "a.png")
    expect(page.locator("#uploads-summary")).to_have_text("1 stored · 1 already here")
    expect(page.locator(".upload .note").nth(1)).to_have_text("The same file.")


def test_hundreds_of_files_are_asked_about_in_few_requests(empty: Server, open_page: Open, tmp_path: Path) -> None:
    files = {f"many/{number:03}.png": pictures.png(number, 8, 8) for number in range(120)}
    for content in files.values():
        empty.api.upload(content)
    page = open_page(empty.api.public_url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/image/uploads") else None)
    page.set_input_files(FOLDER, write(tmp_path / "given", files) / "many")
    expect(page.locator("#uploads-summary")).to_have_text("120 already here")
    assert len(asked) <= 7
    # Of the long list only what is in sight is in the document.
    assert page.locator(".upload").count() < 20


def dragged(session: CDPSession, paths: list[Path], event: str) -> None:
    """What the browser is told when files are dragged in from outside."""
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session.send("Input.dispatchDragEvent", {"type": event, "x": 300, "y": 300, "data": data})


def listed(server: Server) -> list[dict[str, object]]:
    images: list[dict[str, object]] = server.api.get("/image/list?limit=200").json()["images"]
    return images


def throttle(page: Page, bytes_per_second: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.emulateNetworkConditions", limits)
