"""Looking through thousands of pictures."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.http.server import Server
from tests.page.conftest import Complaints, Open

HOLDS_ITS_PICTURE = "image => image.naturalWidth > 0"


def tile(page: Page, number: int) -> Locator:
    return page.locator(f".tile[title='IMG_{number:06}.JPG']")


def expect_in_view_and_loaded(page: Page, number: int) -> None:
    expect(tile(page, number)).to_be_in_viewport()
    expect(tile(page, number).locator("img")).to_have_class("there")
    assert tile(page, number).locator("img").evaluate(HOLDS_ITS_PICTURE)


def elements(page: Page) -> int:
    number: int = page.evaluate("document.querySelectorAll('*').length")
    return number


def test_the_newest_pictures_come_first_under_their_days(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    expect(page.locator("#total")).to_have_text("5,000")
    expect_in_view_and_loaded(page, 5000)
    headings = page.locator(".day")
    expect(headings.nth(0)).to_have_text("Sun, 30 Jun 2024")
    expect(headings.nth(1)).to_have_text("Sat, 29 Jun 2024")
    shown = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.title)")
    assert shown == sorted(shown, reverse=True)


def test_rows_reach_from_edge_to_edge_without_overlap(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    expect_in_view_and_loaded(page, 5000)
    boxes = (
        page.locator(".row")
        .first.locator(".tile")
        .evaluate_all("all => all.map(each => each.getBoundingClientRect().toJSON())")
    )
    grid = page.locator("#grid").bounding_box()
    assert grid is not None
    assert boxes[0]["left"] == pytest.approx(grid["x"], abs=1)
    assert boxes[-1]["right"] == pytest.approx(grid["x"] + grid["width"], abs=1)
    for left, right in pairwise(boxes):
        assert left["right"] < right["left"]
        assert left["height"] == pytest.approx(right["height"])


def test_the_end_of_thousands_is_reached_and_the_page_stays_light(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    expect(page.locator("#total")).to_have_text("5,000")
    expect_in_view_and_loaded(page, 5000)
    at_first = elements(page)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    # What the last page adds can only be known once it is there.
    expect(tile(page, 1)).to_be_attached()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect_in_view_and_loaded(page, 1)
    assert elements(page) < at_first + 150
    page.evaluate("scrollTo(0, 0)")
    expect_in_view_and_loaded(page, 5000)
    assert elements(page) < at_first + 150


def test_every_picture_is_passed_on_the_way_down(thousands: Server, open_page: Open) -> None:
    """Each once, in order: nothing is left out where pages of the list meet, or where elements are used again."""
    page = open_page(thousands.api.public_url)
    expect(page.locator("#total")).to_have_text("5,000")
    expect_in_view_and_loaded(page, 5000)
    seen = page.evaluate(
        """() => new Promise(done => {
          const seen = new Set();
          const step = () => {
            for (const tile of document.querySelectorAll(".tile[title]")) seen.add(tile.title);
            if (seen.has("IMG_004001.JPG")) return done([...seen]);
            // Not faster than the list comes.
            const last = [...document.querySelectorAll(".row")].at(-1);
            if (last.getBoundingClientRect().bottom > innerHeight + 300) scrollBy(0, 300);
            requestAnimationFrame(step);
          };
          step();
        })"""
    )
    passed = [name for name in seen if name >= "IMG_004001.JPG"]
    assert passed == [f"IMG_{number:06}.JPG" for number in range(5000, 4000, -1)]


def test_the_arrow_keys_walk_over_the_pictures(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    expect_in_view_and_loaded(page, 5000)
    tile(page, 5000).focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 4999)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tile(page, 5000)).to_be_focused()
    row = page.locator(".row").nth(1).locator(".tile").first
    below = row.get_attribute("title")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("title", below or "")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".tile:focus")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(tile(page, 5000)).to_be_focused()
    expect(tile(page, 5000)).to_be_in_viewport()


def test_filters_and_search_narrow_the_list_and_stay_in_the_address(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    page.get_by_label("Search by file name").fill("img_0042")
    expect(page.locator("#total")).to_have_text("100")
    page.get_by_label("Search by file name").fill("")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Taken from").fill("2024-06-10")
    page.get_by_label("to", exact=True).fill("2024-06-10")
    expect(page.locator(".day")).to_have_count(1)
    expect(page.locator(".day")).to_have_text("Mon, 10 Jun 2024")
    page.reload()
    expect(page.get_by_label("Taken from")).to_have_value("2024-06-10")
    expect(page.get_by_label("to", exact=True)).to_have_value("2024-06-10")
    expect(page.locator(".day")).to_have_text("Mon, 10 Jun 2024")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#total")).to_have_text("5,000")
    page.get_by_label("Location").select_option("Known")
    expect(page.locator("#total")).to_have_text(f"{total(thousands, 'has_location=true'):,}")


def test_the_order_can_be_chosen(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Sort by").select_option("Name, A to Z")
    expect_in_view_and_loaded(page, 1)
    expect(page.locator(".day")).to_have_count(0)
    page.get_by_label("Sort by").select_option("Oldest taken")
    expect(page.locator(".day").first).to_be_visible()
    expect(page.locator(".tile").first).to_have_attribute("title", "IMG_000001.JPG")


def test_where_nothing_matches_there_is_a_way_back(thousands: Server, open_page: Open) -> None:
    page = open_page(f"{thousands.api.public_url}/#camera_model=No+such+camera")
    expect(page.get_by_role("heading", name="No picture matches")).to_be_visible()
    page.get_by_role("button", name="Show all pictures").click()
    expect_in_view_and_loaded(page, 5000)


def test_a_list_that_cannot_be_read_says_why(thousands: Server, open_page: Open, complaints: Complaints) -> None:
    complaints.expected.append("Failed to load resource")
    page = open_page(f"{thousands.api.public_url}/#taken_after=yesterday")
    expect(page.get_by_role("alert").filter(has_text="'taken_after' takes a date")).to_be_visible()


def test_another_name_of_this_machine_leads_to_the_public_address(thousands: Server, open_page: Open) -> None:
    page = open_page(thousands.api.public_url.replace("127.0.0.1", "localhost") + "/#sort=name")
    page.wait_for_url(re.compile(re.escape(thousands.api.public_url) + "/#sort=name"))
    expect_in_view_and_loaded(page, 1)


def total(server: Server, query: str) -> int:
    found: int = server.api.get(f"/image/list?limit=1&include_total=true&{query}").json()["total"]
    return found
