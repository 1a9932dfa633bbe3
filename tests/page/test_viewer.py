"""Looking at one picture, and deleting it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import pictures
from tests.http.server import Server
from tests.http.waiting import wait_until
from tests.page.conftest import Complaints, Open
from tests.page.test_gallery import tile

NAME = "#viewer-name"


def expect_shown(page: Page, name: str) -> None:
    expect(page.get_by_role("dialog", name=name)).to_be_visible()
    expect(page.locator("#viewer-image")).to_have_class(re.compile("there"))
    assert page.locator("#viewer-image").evaluate("image => image.naturalWidth") > 0


def names(server: Server) -> list[str]:
    return [image["name"] for image in server.api.get("/image/list?limit=200&sort=name").json()["images"]]


def test_a_picture_is_shown_large_with_what_is_known_of_it(empty: Server, open_page: Open) -> None:
    held = empty.api.upload(pictures.photo(1, 1600, 1200), name="Arezzo.jpg").json()
    page = open_page(empty.api.public_url)
    page.get_by_role("link", name=re.compile("Arezzo.jpg, taken .*22 October 2008.*16:28:39")).click()
    expect_shown(page, "Arezzo.jpg")
    assert page.locator("#viewer-image").evaluate("image => Math.max(image.naturalWidth, image.naturalHeight)") == 1280
    details = page.get_by_role("complementary", name="Details")
    for known in (
        "1,600 \N{MULTIPLICATION SIGN} 1,200",
        "JPEG",
        "NIKON COOLPIX P6000",
        "1/250 s · f/7.1 · ISO 100 · 18 mm",
        "43.4674° N, 11.8851° E",
    ):
        expect(details).to_contain_text(known)
    details.get_by_text("EXIF,").click()
    expect(details.get_by_role("row", name="Model COOLPIX P6000")).to_be_visible()
    assert f"image={held['id']}" in page.url


def test_what_a_file_says_is_shown_as_text_and_nothing_else(empty: Server, open_page: Open) -> None:
    evil = "<img src=x onerror=alert(1)>"
    exif = pictures.camera_exif()
    exif[0x0110] = exif[0x010E] = evil
    content = pictures.encoded(pictures.image(1), "JPEG", exif=exif)
    empty.api.upload(content, name=f"{evil}.jpg")
    page = open_page(empty.api.public_url)
    page.locator(".tile").click()
    expect_shown(page, f"{evil}.jpg")
    page.get_by_text("EXIF,").click()
    expect(page.get_by_role("row", name=f"ImageDescription {evil}")).to_be_visible()
    assert page.locator("img[onerror], img[src=x]").count() == 0


def test_the_keys_step_through_the_pictures_and_back_to_all(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    tile(page, 4998).focus()
    page.keyboard.press("Enter")
    expect_shown(page, "IMG_004998.JPG")
    page.keyboard.press("ArrowRight")
    expect_shown(page, "IMG_004997.JPG")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect_shown(page, "IMG_004999.JPG")
    page.keyboard.press("i")
    expect(page.locator("#viewer-details")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(tile(page, 4999)).to_be_focused()


def test_stepping_goes_on_past_what_was_loaded_at_first(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    tile(page, 5000).click()
    expect_shown(page, "IMG_005000.JPG")
    for number in range(4999, 4880, -1):
        page.keyboard.press("ArrowRight")
        expect(page.locator(NAME)).to_have_text(f"IMG_{number:06}.JPG")
    page.keyboard.press("Escape")
    expect(tile(page, 4881)).to_be_in_viewport()


def test_back_closes_the_picture_and_its_address_opens_it(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    tile(page, 4990).click()
    expect_shown(page, "IMG_004990.JPG")
    address = page.url
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    page.goto("about:blank")
    page.goto(address)
    expect_shown(page, "IMG_004990.JPG")


def test_the_original_is_downloaded_byte_for_byte_under_its_name(empty: Server, open_page: Open, tmp_path: Path) -> None:
    original = pictures.photo(3)
    empty.api.upload(original, name="Größe & mehr.jpg")
    page = open_page(empty.api.public_url)
    page.locator(".tile").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the original").click()
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == original
    assert download.value.suggested_filename == "Größe & mehr.jpg"


def test_a_camera_leads_to_all_of_its_pictures(empty: Server, open_page: Open) -> None:
    for seed in (1, 2):
        empty.api.upload(pictures.photo(seed), name=f"nikon{seed}.jpg")
    empty.api.upload(pictures.png(3))
    page = open_page(empty.api.public_url)
    expect(page.locator(".tile")).to_have_count(3)
    page.locator(".tile[title='nikon1.jpg']").click()
    page.get_by_role("button", name="NIKON COOLPIX P6000").click()
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.get_by_label("Camera model")).to_have_value("COOLPIX P6000")


def test_a_deletion_can_be_undone_as_long_as_it_was_not_sent(dozens: Server, open_page: Open) -> None:
    page = open_page(dozens.api.public_url)
    page.clock.install()
    before = names(dozens)
    for number in (60, 58):
        tile(page, number).focus()
        page.keyboard.press("Delete")
        expect(tile(page, number)).not_to_be_attached()
    expect(page.locator("#total")).to_have_text("58")
    expect(page.get_by_role("status")).to_contain_text(["2 pictures deleted."])
    page.clock.run_for(6000)
    assert names(dozens) == before
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, 60)).to_be_visible()
    shown = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.title)")
    assert shown[:4] == [f"IMG_{number:06}.JPG" for number in (60, 59, 58, 57)]
    page.clock.run_for(20_000)
    assert names(dozens) == before


def test_a_deletion_that_is_not_undone_is_made(dozens: Server, open_page: Open) -> None:
    page = open_page(dozens.api.public_url)
    page.clock.install()
    tile(page, 59).click()
    expect_shown(page, "IMG_000059.JPG")
    page.get_by_role("button", name="Delete").click()
    expect_shown(page, "IMG_000058.JPG")
    page.clock.run_for(8000)
    wait_until(lambda: "IMG_000059.JPG" not in names(dozens))
    assert len(names(dozens)) == 59
    page.reload()
    expect(page.locator("#total")).to_have_text("59")


def test_who_leaves_the_page_has_made_up_their_mind(dozens: Server, open_page: Open) -> None:
    page = open_page(dozens.api.public_url)
    tile(page, 60).focus()
    page.keyboard.press("Delete")
    expect(tile(page, 60)).not_to_be_attached()
    page.goto("about:blank")
    wait_until(lambda: "IMG_000060.JPG" not in names(dozens))


def test_a_deletion_that_is_refused_brings_the_picture_back(dozens: Server, open_page: Open, complaints: Complaints) -> None:
    complaints.expected.append("Failed to load resource")
    page = open_page(dozens.api.public_url)
    page.clock.install()
    tile(page, 60).focus()
    page.keyboard.press("Delete")
    expect(tile(page, 60)).not_to_be_attached()
    page.context.set_offline(True)
    page.clock.run_for(8000)
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    expect(tile(page, 60)).to_be_attached()
    assert "IMG_000060.JPG" in names(dozens)
