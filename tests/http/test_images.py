"""One image: its details, its original and thumbnails, and its delete."""

import io
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from chalicelib.model.facts import Carried
from chalicelib.model.pictures import THUMBNAIL_SIZES
from chalicelib.repository import Repository
from tests import pictures
from tests.http.client import Api, assert_refused, path_of
from tests.http.conftest import PUBLIC_URL
from tests.http.shelf import Shelf
from tests.repositories import files_in

FIELDS = {
    "id", "name", "uploaded_at", "taken_at", "format", "content_type", "byte_size", "width", "height", "thumbnail_url",
    "owner", "sha512", "sha256", "mode", "frames", "taken_at_offset", "taken_at_source", "camera", "exposure", "location",
    "exif", "carries", "original_url", "download_url", "thumbnails",
}  # fmt: skip
ROUTES = ["/image/{}", "/image/{}/thumbnail", "/image/{}/details"]


@pytest.fixture
def image(api: Api) -> Any:
    return api.upload(pictures.png(1, 600, 300), "a.png").json()


def test_details_hold_every_field_and_null_for_what_the_file_does_not_say(api: Api, image: Any) -> None:
    details = api.details(image["id"])
    assert details.keys() == FIELDS
    unknown = ("taken_at", "taken_at_offset", "taken_at_source", "camera", "exposure", "location")
    assert [details[name] for name in unknown] == [None] * 6
    assert (details["owner"], details["mode"], details["frames"], details["exif"]) == ("local", "RGB", 1, {})
    assert details["carries"] == []
    assert details["thumbnails"].keys() == {"256", "512", "1280"}
    assert details["thumbnail_url"] == details["thumbnails"]["256"]


def test_a_group_of_which_something_is_known_has_null_for_the_rest(api: Api, repository: Repository) -> None:
    shelf = Shelf(repository)
    one = api.details(shelf.put(lens_model="35mm", iso=100, latitude=1.5, longitude=-2.5))
    assert one["camera"] == {"make": None, "model": None, "lens": "35mm"}
    assert one["exposure"] == {"exposure_time": None, "f_number": None, "iso": 100, "focal_length": None}
    assert one["location"] == {"latitude": 1.5, "longitude": -2.5, "altitude": None}
    other = api.details(
        shelf.put(altitude=0.0, exposure_time=0.004, f_number=7.1, focal_length=18.0, camera_make="A", camera_model="B")
    )
    assert other["camera"] == {"make": "A", "model": "B", "lens": None}
    assert other["exposure"] == {"exposure_time": 0.004, "f_number": 7.1, "iso": None, "focal_length": 18.0}
    assert other["location"] == {"latitude": None, "longitude": None, "altitude": 0.0}


def test_the_time_taken_is_the_wall_clock_with_its_offset_beside_it(api: Api, repository: Repository) -> None:
    facts: dict[str, Any] = {"taken_at": datetime(2008, 10, 22, 16, 28, 39), "taken_at_source": "DateTimeOriginal"}
    shelf = Shelf(repository)
    details = api.details(shelf.put(**facts, taken_at_offset="+02:00"))
    assert (details["taken_at"], details["taken_at_offset"]) == ("2008-10-22T16:28:39", "+02:00")
    assert details["taken_at_source"] == "DateTimeOriginal"
    assert api.details(shelf.put(**facts))["taken_at_offset"] is None


def test_exif_comes_back_as_the_json_it_was_kept_as(api: Api, repository: Repository) -> None:
    exif = {"Make": "NIKON", "Süß": ["é", 1.5, None, True], "Deep": {"a": [{"b": -1}]}, "Long": "x" * 5000, "LensSerial": 2**53}
    assert api.details(Shelf(repository).put(exif=exif))["exif"] == exif


def test_what_a_file_carries_besides_is_told_part_by_part(api: Api, repository: Repository) -> None:
    film, unknown = Carried("film", "video/mp4", 5001, 3036), Carried("unknown", "application/octet-stream", 8037, 2**40)
    assert api.details(Shelf(repository).put(carries=(film, unknown)))["carries"] == [
        {"kind": "film", "content_type": "video/mp4", "offset": 5001, "length": 3036},
        {"kind": "unknown", "content_type": "application/octet-stream", "offset": 8037, "length": 2**40},
    ]


def test_four_shots_of_one_second_are_listed_as_they_were_taken(api: Api) -> None:
    fractions = ("31", "09", "25", "13")
    ids = {}
    for seed, fraction in enumerate(fractions):
        exif = pictures.camera_exif()
        exif.get_ifd(0x8769)[0x9291] = fraction
        ids[fraction] = api.upload(pictures.encoded(pictures.image(seed), "JPEG", exif=exif)).json()["id"]
    wanted = [ids[fraction] for fraction in sorted(fractions)]
    for sort, order in (("taken_at", wanted), ("-taken_at", wanted[::-1])):
        found: list[Any] = []
        query = [("sort", sort), ("limit", "1")]
        while True:
            page = api.list(query)
            found += page["images"]
            if page["next_cursor"] is None:
                break
            query = [("sort", sort), ("limit", "1"), ("cursor", page["next_cursor"])]
        assert [image["id"] for image in found] == order
        assert {image["taken_at"] for image in found} == {"2008-10-22T16:28:39"}
    assert api.details(wanted[0])["taken_at"] == "2008-10-22T16:28:39"
    for bounds, count in (("16:28:39", 4), ("16:28:40", 0)):
        asked = [("taken_after", f"2008-10-22T{bounds}"), ("include_total", "true"), ("sort", "taken_at")]
        assert api.list(asked)["total"] == len(api.list(asked)["images"]) == count
    asked = [("taken_before", "2008-10-22T16:28:39"), ("include_total", "true")]
    assert api.list(asked)["total"] == 0


def test_a_photos_facts_are_read_from_its_exif(api: Api) -> None:
    details = api.upload(pictures.photo(1)).json()
    assert details["camera"] == {"make": "NIKON", "model": "COOLPIX P6000", "lens": None}
    assert details["exposure"] == {"exposure_time": 0.004, "f_number": 7.1, "iso": 100, "focal_length": 18.0}
    assert (details["taken_at"], details["taken_at_source"]) == ("2008-10-22T16:28:39", "DateTimeOriginal")
    assert details["location"]["latitude"] == pytest.approx(43.467447, abs=1e-5)
    assert details["location"]["longitude"] == pytest.approx(11.885127, abs=1e-5)
    assert details["exif"]["Make"] == "NIKON"
    (listed,) = api.list([("camera_make", "nikon"), ("taken_after", "2008-10-22"), ("bbox", "11,43,12,44")])["images"]
    assert (listed["id"], listed["taken_at"]) == (details["id"], "2008-10-22T16:28:39")


@pytest.mark.parametrize("file_format", list(pictures.WRITERS))
def test_an_original_comes_back_bit_for_bit_under_its_name_and_type(api: Api, file_format: str) -> None:
    content = pictures.encoded(pictures.image(5), file_format)
    image = api.upload(content, "Füße 写真.xyz").json()
    for answer in (api.follow(api.get(f"/image/{image['id']}")), api.fetch(image["original_url"])):
        assert (answer.status, answer.body) == (200, content)
        assert answer.headers["content-type"] == image["content_type"]
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("inline; filename=")
        assert disposition.endswith("filename*=UTF-8''F%C3%BC%C3%9Fe%20%E5%86%99%E7%9C%9F.xyz")


def test_an_original_can_be_asked_for_as_an_attachment(api: Api, image: Any) -> None:
    answer = api.follow(api.get(f"/image/{image['id']}", {"disposition": "attachment"}))
    assert answer.headers["content-disposition"] == "attachment; filename=\"a.png\"; filename*=UTF-8''a.png"
    inline = api.get(f"/image/{image['id']}", {"disposition": "inline"})
    assert inline.headers["location"] == api.get(f"/image/{image['id']}").headers["location"] == image["original_url"]


def test_a_name_full_of_tricks_cannot_break_out_of_the_header(api: Api) -> None:
    name = "a\"; filename=evil.exe; x='%0d%0aSet-Cookie: a=b.png"
    image = api.upload(pictures.png(1), name).json()
    assert image["name"] == name.replace("%0d%0a", " ")  # as forms write the end of a line
    answer = api.follow(api.get(f"/image/{image['id']}"))
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].count('"') == 2


@pytest.mark.parametrize("size", THUMBNAIL_SIZES)
def test_a_thumbnail_fits_its_size_and_is_never_larger_than_the_picture(api: Api, image: Any, size: int) -> None:
    answer = api.follow(api.get(f"/image/{image['id']}/thumbnail", {"size": size}))
    assert answer.status == 200
    assert answer.headers["content-type"] in ("image/jpeg", "image/webp")
    assert answer.body == api.fetch(image["thumbnails"][str(size)]).body
    with Image.open(io.BytesIO(answer.body)) as thumbnail:
        assert thumbnail.size == (min(size, 600), min(size // 2, 300))
        assert thumbnail.get_format_mimetype() == answer.headers["content-type"]


def test_the_default_thumbnail_is_the_smallest(api: Api, image: Any) -> None:
    assert api.get(f"/image/{image['id']}/thumbnail").headers["location"] == image["thumbnails"]["256"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_shown_upright(api: Api, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = api.upload(pictures.encoded(pictures.image(1, 40, 20), "JPEG", exif=exif)).json()
    shown = (20, 40) if orientation > 4 else (40, 20)
    assert (image["width"], image["height"]) == shown
    with Image.open(io.BytesIO(api.fetch(image["thumbnail_url"]).body)) as thumbnail:
        assert thumbnail.size == shown
        assert not thumbnail.getexif()


def test_a_thumbnail_carries_no_metadata(api: Api) -> None:
    image = api.upload(pictures.photo(1)).json()
    for url in image["thumbnails"].values():
        content = api.fetch(url).body
        assert b"NIKON" not in content
        with Image.open(io.BytesIO(content)) as thumbnail:
            assert not thumbnail.getexif()


@pytest.mark.parametrize(("route", "name", "values"), [
    ("/image/{}", "disposition", ["", "INLINE", "download", "inline;x"]),
    ("/image/{}/thumbnail", "size", ["", "0", "255", "-256", "256.0", "big", "1e3"]),
])  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_a_400_that_names_it(
    api: Api, image: Any, route: str, name: str, values: list[str]
) -> None:
    for value in values:
        answer = api.get(route.format(image["id"]), {name: value})
        assert_refused(answer, 400, "BadRequestError")
        assert name in answer.json()["Message"]


@pytest.mark.parametrize("route", [*ROUTES, "/image/list", "/health", "/openapi.json", "/", "/image/uploads/{}"])
def test_an_unknown_parameter_is_a_400_on_every_route(api: Api, image: Any, route: str) -> None:
    assert_refused(api.get(route.format(image["id"]), {"surprise": "1"}), 400, "BadRequestError")


@pytest.mark.parametrize("route", ["/image/list", *ROUTES])
def test_naming_an_owner_is_a_403(api: Api, image: Any, route: str) -> None:
    assert_refused(api.get(route.format(image["id"]), {"owner": "local"}), 403, "ForbiddenError")
    assert_refused(api.send("DELETE", f"/image/{image['id']}?owner=local", {}, b""), 403, "ForbiddenError")


NO_IDS = ["0", "-1", "00", "999999", str(2**63 - 1), str(2**63), str(2**64), "9" * 400, "word", "1.0", "1e0", "%31", "+1",
          "%00", "..", "%2e%2e", "%C3%A9", "null", "%D9%A1", "None", "true"]  # fmt: skip


@pytest.mark.parametrize("image_id", NO_IDS)
def test_an_id_that_names_no_image_is_a_404(api: Api, image: Any, image_id: str) -> None:
    assert image["id"] == 1
    for route in ROUTES:
        assert_refused(api.get(route.format(image_id)), 404, "NotFoundError")
    assert_refused(api.send("DELETE", f"/image/{image_id}", {}, b""), 404, "NotFoundError")
    assert api.details(1)["id"] == 1


def test_another_owners_image_looks_like_an_absent_one(api: Api, repository: Repository) -> None:
    theirs = Shelf(repository).put("theirs", owner="another")
    for route in ROUTES:
        there, absent = api.get(route.format(theirs)), api.get(route.format(theirs + 1))
        assert (there.status, there.body, there.headers) == (absent.status, absent.body, absent.headers)
    assert_refused(api.delete(theirs), 404, "NotFoundError")
    assert repository.catalog.images.get("another", theirs) is not None


def test_a_delete_leaves_nothing_of_the_image_in_the_folder(api: Api, repository: Repository, image: Any) -> None:
    assert len(files_in(repository.settings.storage)) == 4
    answer = api.delete(image["id"])
    assert (answer.status, answer.body) == (204, b"")
    assert files_in(repository.settings.storage) == []
    left = b"".join(path.read_bytes() for path in repository.settings.storage.rglob("*") if path.is_file())
    assert pictures.png(1, 600, 300) not in left
    assert api.list() == {"images": [], "next_cursor": None}
    for route in ROUTES:
        assert_refused(api.get(route.format(image["id"])), 404, "NotFoundError")
    for url in (image["original_url"], *image["thumbnails"].values()):
        assert api.fetch(url).status == 404
    assert repository.sweep.run().problems == []


def test_a_second_delete_is_a_404(api: Api, image: Any) -> None:
    api.delete(image["id"])
    assert_refused(api.delete(image["id"]), 404, "NotFoundError")


def test_an_id_is_never_used_again(api: Api, image: Any) -> None:
    api.delete(image["id"])
    again = api.upload(pictures.png(1, 600, 300))
    assert again.status == 201
    assert again.json()["id"] > image["id"]


def test_a_file_that_another_owner_holds_too_is_stored_for_each(api: Api, repository: Repository) -> None:
    content = pictures.png(1)
    theirs = repository.uploads.receive("another", "theirs.png", content)
    mine = api.upload(content, "mine.png").json()
    assert mine["duplicate"] is False
    assert len(files_in(repository.settings.storage)) == 8
    assert api.delete(mine["id"]).status == 204
    assert len(files_in(repository.settings.storage)) == 4
    repository.library.delete("another", theirs.image_id or 0)
    assert files_in(repository.settings.storage) == []
    assert repository.sweep.run().problems == []


def test_every_url_in_an_answer_is_absolute(image: Any) -> None:
    urls = [image["original_url"], image["thumbnail_url"], *image["thumbnails"].values()]
    assert all(url.startswith(f"{PUBLIC_URL}/store?") for url in urls)
    assert all(path_of(url) == "/store" for url in urls)


def test_answers_about_an_owners_images_are_kept_from_shared_caches(api: Api, image: Any) -> None:
    for route in ["/image/list", *ROUTES]:
        assert "private" in api.get(route.format(image["id"])).headers["cache-control"]
