"""The page for those who hear it, use it by keys, on a phone, in the dark, or without movement."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Page, expect

from tests import pictures
from tests.http.server import Server
from tests.page.conftest import Open
from tests.page.test_gallery import expect_in_view_and_loaded, tile

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
WAYS: list[dict[str, Any]] = [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "light", **PHONE}]


def assert_nothing_serious(page: Page) -> None:
    # Half-way through a transition colours are none that anybody sees for long.
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    found = Axe().run(page).response["violations"]
    serious = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.mark.parametrize("way", WAYS)
def test_nothing_serious_is_in_anybodys_way(thousands: Server, open_page: Open, way: dict[str, Any]) -> None:
    page = open_page(thousands.api.public_url, **way)
    expect_in_view_and_loaded(page, 5000)
    assert_nothing_serious(page)
    page.get_by_role("button", name="Filter").click()
    assert_nothing_serious(page)
    tile(page, 5000).click()
    expect(page.locator("#viewer-image.there")).to_be_visible()
    page.get_by_text("EXIF,").click()
    assert_nothing_serious(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="From a terminal").click()
    assert_nothing_serious(page)
    page.keyboard.press("Escape")
    page.set_input_files("#file-input", {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear all"})
    expect(page.locator("#uploads-summary")).to_have_text("1 refused")
    assert_nothing_serious(page)


def test_nothing_serious_is_in_the_way_of_beginning(empty: Server, open_page: Open) -> None:
    page = open_page(empty.api.public_url)
    expect(page.locator("#empty")).to_be_visible()
    assert_nothing_serious(page)


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_sticks_out(thousands: Server, open_page: Open, width: int) -> None:
    page = open_page(thousands.api.public_url, **PHONE | {"viewport": {"width": width, "height": 740}})
    expect_in_view_and_loaded(page, 5000)
    page.get_by_role("button", name="Filter").click()
    assert_fits(page)
    tile(page, 5000).click()
    expect(page.locator("#viewer-image.there")).to_be_visible()
    assert_fits(page)
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_in_viewport()


def test_on_a_phone_a_swipe_leads_to_the_next_picture(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url, **PHONE)
    tile(page, 5000).tap()
    expect(page.locator("#viewer-name")).to_have_text("IMG_005000.JPG")
    session = page.context.new_cdp_session(page)
    for event, x in (("touchStart", 300), ("touchMove", 150), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": 300}]
        session.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})
    expect(page.locator("#viewer-name")).to_have_text("IMG_004999.JPG")


def test_all_of_it_is_reached_by_keys_and_seen_to_be(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    expect_in_view_and_loaded(page, 5000)
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim()"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", names[-1]
    assert names[0] == "Skip to the pictures"
    assert names[2:5] == ["Filter", "From a terminal", "Add"]
    assert names[5].startswith("IMG_005000.JPG, taken")


def test_who_wants_no_movement_gets_none(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url, reduced_motion="reduce")
    expect_in_view_and_loaded(page, 5000)
    assert page.locator(".tile img").first.evaluate("image => getComputedStyle(image).transitionDuration") == "0s"


def test_the_outcome_of_uploads_is_announced(empty: Server, open_page: Open) -> None:
    page = open_page(empty.api.public_url)
    page.set_input_files("#file-input", {"name": "a.png", "mimeType": "image/png", "buffer": pictures.png(1)})
    expect(page.get_by_role("status").filter(has_text="1 stored")).to_be_attached()


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
