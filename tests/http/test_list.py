"""The list: what an item says, every filter, every sort, and paging while others come and go."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.model.records import Sort
from chalicelib.repository import Repository
from tests import pictures
from tests.http.client import Api, assert_refused
from tests.http.shelf import OPENED, Shelf

Parameters = Sequence[tuple[str, Any]]


@pytest.fixture
def shelf(repository: Repository) -> Shelf:
    return Shelf(repository)


def names(api: Api, *parameters: tuple[str, Any]) -> list[str]:
    return [image["name"] for image in api.list(parameters)["images"]]


def test_an_empty_list_is_a_last_page(api: Api) -> None:
    assert api.list() == {"images": [], "next_cursor": None}
    assert api.list({"include_total": "true"}) == {"images": [], "next_cursor": None, "total": 0}


def test_an_item_says_what_the_details_say(api: Api) -> None:
    details = api.upload(pictures.png(1, 30, 20), "a.png").json()
    (item,) = api.list()["images"]
    assert list(item) == [
        "id",
        "name",
        "uploaded_at",
        "taken_at",
        "format",
        "content_type",
        "byte_size",
        "width",
        "height",
        "thumbnail_url",
    ]
    assert item == {name: details[name] for name in item}
    assert item["taken_at"] is None
    assert item["uploaded_at"].endswith("Z")
    assert item["byte_size"] == len(pictures.png(1, 30, 20))


def test_a_thumbnail_url_of_the_list_serves_the_smallest_thumbnail_at_once(api: Api) -> None:
    api.upload(pictures.png(1, 600, 300))
    (item,) = api.list()["images"]
    assert api.fetch(item["thumbnail_url"]).body == api.follow(api.get(f"/image/{item['id']}/thumbnail")).body


def test_the_list_holds_the_owners_images_only(api: Api, shelf: Shelf) -> None:
    shelf.put("mine")
    shelf.put("theirs", owner="another")
    assert names(api) == ["mine"]
    assert api.list({"include_total": "true"})["total"] == 1


def stock(shelf: Shelf) -> None:
    """Five images that every filter tells apart."""
    shelf.put("Beach.JPG", width=4000, height=3000, byte_size=5_000_000, camera_make="NIKON", camera_model="COOLPIX P6000",
              lens_model="Nikkor 35", exposure_time=0.004, f_number=7.1, iso=100, focal_length=18.0,
              latitude=43.467, longitude=11.885, taken_at=datetime(2008, 10, 22, 16, 28, 39))  # fmt: skip
    shelf.put("mountain.png", file_format="PNG", width=800, height=600, byte_size=900_000)
    shelf.put("BEACH 2.heic", file_format="HEIC", width=3000, height=4000, byte_size=2_000_000, camera_make="Canon",
              camera_model="EOS R5", exposure_time=2.0, f_number=1.8, iso=6400, focal_length=85.0,
              latitude=-17.5, longitude=179.5, taken_at=datetime(2020, 1, 1))  # fmt: skip
    shelf.put("100%_straße.jpg", width=100, height=100, byte_size=10, camera_make="nikon", latitude=0.0, longitude=-179.5)
    shelf.put("A*?.gif", file_format="GIF", width=1, height=1, byte_size=1, taken_at=datetime(2012, 2, 29, 23, 59, 59))


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ([("name", "beach")], ["Beach.JPG", "BEACH 2.heic"]),
        ([("name", "BEACH ")], ["BEACH 2.heic"]),
        ([("name", "%")], ["100%_straße.jpg"]),
        ([("name", "_")], ["100%_straße.jpg"]),
        ([("name", "*")], ["A*?.gif"]),
        ([("name", "STRASSE")], ["100%_straße.jpg"]),
        ([("name", "nowhere")], []),
        ([("format", "png")], ["mountain.png"]),
        ([("format", "PNG"), ("format", "Gif")], ["mountain.png", "A*?.gif"]),
        ([("camera_make", "Nikon")], ["Beach.JPG", "100%_straße.jpg"]),
        ([("camera_make", "nikon"), ("camera_make", "CANON")], ["Beach.JPG", "BEACH 2.heic", "100%_straße.jpg"]),
        ([("camera_make", "nik")], []),
        ([("camera_model", "eos r5")], ["BEACH 2.heic"]),
        ([("lens_model", "NIKKOR 35")], ["Beach.JPG"]),
        ([("width_min", 3000)], ["Beach.JPG", "BEACH 2.heic"]),
        ([("width_min", 3001)], ["Beach.JPG"]),
        ([("width_max", 100)], ["100%_straße.jpg", "A*?.gif"]),
        ([("width_min", 100), ("width_max", 800)], ["mountain.png", "100%_straße.jpg"]),
        ([("height_min", 3001)], ["BEACH 2.heic"]),
        ([("height_max", 1)], ["A*?.gif"]),
        ([("byte_size_min", 2e6)], ["Beach.JPG", "BEACH 2.heic"]),
        ([("byte_size_max", "10")], ["100%_straße.jpg", "A*?.gif"]),
        ([("iso_min", 100), ("iso_max", 100)], ["Beach.JPG"]),
        ([("f_number_max", 1.8)], ["BEACH 2.heic"]),
        ([("f_number_min", "7.1")], ["Beach.JPG"]),
        ([("exposure_time_max", "0.004")], ["Beach.JPG"]),
        ([("exposure_time_min", "1")], ["BEACH 2.heic"]),
        ([("focal_length_min", 18), ("focal_length_max", 18)], ["Beach.JPG"]),
        ([("width_min", 5), ("width_max", 4)], []),
        ([("has_location", "true")], ["Beach.JPG", "BEACH 2.heic", "100%_straße.jpg"]),
        ([("has_location", "false")], ["mountain.png", "A*?.gif"]),
        ([("bbox", "11,43,12,44")], ["Beach.JPG"]),
        ([("bbox", "-180,-90,180,90")], ["Beach.JPG", "BEACH 2.heic", "100%_straße.jpg"]),
        ([("bbox", "179,-20,-179,1")], ["BEACH 2.heic", "100%_straße.jpg"]),
        ([("bbox", "11.885,43.467,11.885,43.467")], ["Beach.JPG"]),
        ([("taken_after", "2008-10-22T16:28:39")], ["Beach.JPG", "BEACH 2.heic", "A*?.gif"]),
        ([("taken_after", "2008-10-22T16:28:40")], ["BEACH 2.heic", "A*?.gif"]),
        ([("taken_before", "2008-10-22T16:28:39")], []),
        ([("taken_before", "2012-03-01")], ["Beach.JPG", "A*?.gif"]),
        ([("taken_after", "2012-02-29"), ("taken_before", "2012-03-01")], ["A*?.gif"]),
        ([("uploaded_after", "2024-05-01T12:03:00Z")], ["100%_straße.jpg", "A*?.gif"]),
        ([("uploaded_after", "2024-05-01T14:03:00+02:00")], ["100%_straße.jpg", "A*?.gif"]),
        ([("uploaded_before", "2024-05-01 12:01")], ["Beach.JPG"]),
        ([("uploaded_before", "2024-05-01")], []),
        ([("uploaded_after", "2024-05-01"), ("uploaded_before", "2024-05-02")],
         ["Beach.JPG", "mountain.png", "BEACH 2.heic", "100%_straße.jpg", "A*?.gif"]),
        ([("name", "beach"), ("camera_make", "canon"), ("width_max", 3000), ("has_location", "true")], ["BEACH 2.heic"]),
    ],
)  # fmt: skip
def test_a_filter_finds_what_fits_it_and_nothing_else(api: Api, shelf: Shelf, parameters: Parameters, found: list[str]) -> None:
    stock(shelf)
    page = api.list([*parameters, ("sort", "uploaded_at"), ("include_total", "true")])
    assert [image["name"] for image in page["images"]] == found
    assert page["total"] == len(found)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("uploaded_at", ["Beach.JPG", "mountain.png", "BEACH 2.heic", "100%_straße.jpg", "A*?.gif"]),
        ("name", ["100%_straße.jpg", "A*?.gif", "BEACH 2.heic", "Beach.JPG", "mountain.png"]),
        ("byte_size", ["A*?.gif", "100%_straße.jpg", "mountain.png", "BEACH 2.heic", "Beach.JPG"]),
        ("taken_at", ["Beach.JPG", "A*?.gif", "BEACH 2.heic", "mountain.png", "100%_straße.jpg"]),
    ],
)
def test_a_sort_orders_the_list_both_ways(api: Api, shelf: Shelf, sort: str, order: list[str]) -> None:
    stock(shelf)
    assert names(api, ("sort", sort)) == order
    assert names(api, ("sort", f"-{sort}")) == order[::-1]


def test_the_newest_comes_first_and_fifty_to_a_page_when_nothing_is_asked(api: Api, shelf: Shelf) -> None:
    for number in range(51):
        shelf.put(f"{number}")
    page = api.list()
    assert [image["name"] for image in page["images"]] == [f"{number}" for number in range(50, 0, -1)]
    last = api.list({"cursor": page["next_cursor"]})
    assert ([image["name"] for image in last["images"]], last["next_cursor"]) == (["0"], None)


def walk(api: Api, sort: str, limit: int, *filters: tuple[str, Any]) -> list[dict[str, Any]]:
    """Every page of a list, one behind the other."""
    images: list[dict[str, Any]] = []
    page = api.list([("sort", sort), ("limit", limit), *filters])
    while True:
        images += page["images"]
        if page["next_cursor"] is None:
            return images
        assert len(page["images"]) == limit
        page = api.list([("sort", sort), ("limit", limit), ("cursor", page["next_cursor"]), *filters])


@pytest.mark.parametrize("sort", ["uploaded_at", "taken_at", "name", "byte_size"])
def test_a_walk_through_the_pages_meets_every_image_once(api: Api, shelf: Shelf, sort: str) -> None:
    dice = random.Random(sort)  # noqa: S311 - an order to test with
    for _ in range(23):  # with many that are equal in what the list is sorted by
        shelf.put(
            dice.choice(["b", "B", "a", "é", "e\u0301"]),
            byte_size=dice.choice([1, 2]),
            uploaded_at=OPENED + timedelta(seconds=dice.randrange(3)),
            taken_at=dice.choice([None, datetime(2020, 1, 1), datetime(2024, 5, 1, 12, 0)]),
        )
    whole = walk(api, sort, 200)
    assert len({image["id"] for image in whole}) == 23
    for limit in (1, 2, 7, 22, 23):
        assert walk(api, sort, limit) == whole
        assert walk(api, f"-{sort}", limit) == whole[::-1]


def test_a_cursor_walks_a_filtered_list(api: Api, shelf: Shelf) -> None:
    for number in range(9):
        shelf.put(f"{number}", width=number % 3 + 1)
    assert [image["name"] for image in walk(api, "uploaded_at", 1, ("width_min", 2), ("width_max", 2))] == ["1", "4", "7"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(), sort=st.sampled_from(["uploaded_at", "-uploaded_at", "taken_at", "-taken_at", "name", "-name", "byte_size"])
)
def test_an_image_that_stays_is_neither_skipped_nor_repeated_while_others_come_and_go(
    api: Api, shelf: Shelf, data: st.DataObject, sort: Sort
) -> None:
    for image in walk(api, "uploaded_at", 200):
        api.delete(image["id"])
    anything: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["a", "b", "C"]),
            "byte_size": st.integers(1, 3),
            "uploaded_at": st.integers(0, 3).map(lambda second: OPENED + timedelta(seconds=second)),
            "taken_at": st.sampled_from([None, datetime(2020, 1, 1), datetime(2025, 1, 1)]),
        }
    )
    stay = {shelf.put(**data.draw(anything)) for _ in range(6)}
    go = [shelf.put(**data.draw(anything)) for _ in range(4)]
    met: list[int] = []
    page = api.list([("sort", sort), ("limit", 2)])
    while True:
        met += [image["id"] for image in page["images"]]
        if page["next_cursor"] is None:
            break
        if data.draw(st.booleans()) and go:
            assert api.delete(go.pop()).status == 204
        if data.draw(st.booleans()):
            shelf.put(**data.draw(anything))
        page = api.list([("sort", sort), ("limit", 2), ("cursor", page["next_cursor"])])
        assert len(met) < 100
    assert len(met) == len(set(met))
    assert stay <= set(met)


def test_a_cursor_is_tied_to_its_filters_its_sort_and_its_owner(api: Api, shelf: Shelf) -> None:
    for number in range(3):
        shelf.put(f"{number}")
    cursor = api.list([("limit", 1), ("sort", "name"), ("width_min", 5)])["next_cursor"]
    for others in (
        [("sort", "-name"), ("width_min", 5)],
        [("sort", "byte_size"), ("width_min", 5)],
        [("sort", "name")],
        [("sort", "name"), ("width_min", 6)],
        [("sort", "name"), ("width_max", 5)],
        [("sort", "name"), ("width_min", 5), ("format", "JPEG")],
    ):
        assert_refused(api.get("/image/list", [("cursor", cursor), *others]), 400, "BadRequestError")
    kept = api.list([("cursor", cursor), ("sort", "name"), ("width_min", "5.0"), ("limit", 2), ("include_total", "true")])
    assert ([image["name"] for image in kept["images"]], kept["total"]) == (["1", "2"], 3)


def test_a_total_is_given_only_where_it_is_asked_for_and_counts_every_page(api: Api, shelf: Shelf) -> None:
    for number in range(5):
        shelf.put(f"{number}", width=number + 1)
    assert api.list([("limit", 2), ("include_total", "true"), ("width_min", 2)])["total"] == 4
    assert "total" not in api.list([("include_total", "false")])


def test_taken_at_is_the_wall_clock_and_has_no_offset(api: Api, shelf: Shelf) -> None:
    shelf.put(taken_at=datetime(2008, 10, 22, 16, 28, 39), taken_at_offset="+02:00")
    assert api.list()["images"][0]["taken_at"] == "2008-10-22T16:28:39"


def test_uploaded_at_is_utc_with_a_z(api: Api, shelf: Shelf) -> None:
    shelf.put(uploaded_at=datetime(2024, 5, 1, 12, 0, 0, 250_000, UTC))
    assert api.list()["images"][0]["uploaded_at"] == "2024-05-01T12:00:00.250000Z"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("limit", ["0", "-1", "201", "1e9", "1000000000", "ten", "", "1.5", "9" * 50, "\u0661", " 5", "1_0", "null"]),
        ("cursor", ["", "x", "garbage", "AAAA", "\u00e9", "9" * 5000, "W10", "e30", "bnVsbA", "[" * 3000, "%00", "../.."]),
        ("sort", ["", "size", "uploaded_at,name", "--name", "+name", "NAME", "-"]),
        ("uploaded_after", ["", "yesterday", "2024-13-01", "2024-02-30", "2024-05-01T25:00", "0000-01-01", "2024-W01",
                            "20240501", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
                            "2024-05-01T12:00:00+99:00", "1714521600"]),
        ("uploaded_before", ["", "now", "2024-5-1"]),
        ("taken_after", ["", "2024-05-01T12:00:00Z", "2024-05-01T12:00:00+02:00", "never"]),
        ("taken_before", ["2024-05-01T12:00:00-05:00", "x"]),
        ("name", ["", "n" * 256]),
        ("format", ["", "n" * 256]),
        ("camera_make", [""]),
        ("width_min", ["", "wide", "nan", "inf", "-inf", "1e999", "0x10", "1,5", "1e", "--1", "\u0661", "1_0"]),
        ("iso_max", ["x"]),
        ("exposure_time_min", ["1/250"]),
        ("has_location", ["", "yes", "1", "True"]),
        ("include_total", ["", "1", "TRUE"]),
        ("bbox", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,10,10,0", "-181,0,0,1", "0,-91,1,1", "0,0,181,1", "nan,0,1,1",
                  "0,0,1,"]),
        ("unknown", ["1"]),
        ("Limit", ["1"]),
        ("limit[]", ["1"]),
        ("", ["1"]),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_a_400_that_names_it(api: Api, name: str, values: list[str]) -> None:
    for value in values:
        answer = api.get("/image/list", [(name, value)])
        assert_refused(answer, 400, "BadRequestError")
        assert name in answer.json()["Message"]
    assert api.list()["images"] == []


@pytest.mark.parametrize("name", ["limit", "cursor", "sort", "name", "width_min", "has_location", "bbox", "uploaded_after"])
def test_a_parameter_given_twice_is_a_400(api: Api, name: str) -> None:
    assert_refused(api.get("/image/list", [(name, "1"), (name, "1")]), 400, "BadRequestError")


def test_fifty_alternatives_are_taken_and_one_more_is_a_400(api: Api) -> None:
    assert api.list([("format", f"F{n}") for n in range(50)])["images"] == []
    assert_refused(api.get("/image/list", [("format", f"F{n}") for n in range(51)]), 400, "BadRequestError")


def test_the_limits_of_a_page_are_1_and_200(api: Api, shelf: Shelf) -> None:
    shelf.put()
    assert len(api.list([("limit", "1")])["images"]) == len(api.list([("limit", "200")])["images"]) == 1


def test_large_numbers_are_taken_as_numbers(api: Api, shelf: Shelf) -> None:
    shelf.put()
    for value in ("1e308", "9" * 300, "1e-320", "+5.", ".5", "9223372036854775808"):
        api.list([("byte_size_max", value)])
        api.list([("iso_min", f"-{value.lstrip('+')}")])


def test_a_name_in_other_letters_of_the_same_text_is_found(api: Api, shelf: Shelf) -> None:
    shelf.put("Café Ångström.jpg")
    for text in ("café", "CAFE\u0301", "ångström", "A\u030angstro\u0308m"):
        assert names(api, ("name", text)) == ["Café Ångström.jpg"], text
