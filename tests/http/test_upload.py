"""One request, one file: what comes back, and what it leaves behind."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import runtime
from chalicelib.local import composition
from chalicelib.model.pictures import Picture
from chalicelib.model.records import Image
from chalicelib.repository import Decoder, Repository
from chalicelib.services.library import Library
from chalicelib.services.uploads import PATIENCE
from tests import pictures
from tests.http.client import FORM, Api, assert_refused, field_part, file_part, form
from tests.http.conftest import PUBLIC_URL, MakeRuntime, in_process_api
from tests.http.waiting import Gate
from tests.repositories import files_in


def test_a_new_picture_is_answered_with_201_and_its_details(api: Api) -> None:
    content = pictures.png(1, 30, 20)
    answer = api.upload(content, "first.png")
    assert answer.status == 201, answer
    image = answer.json()
    assert image.pop("duplicate") is False
    assert "match" not in image
    assert image == api.details(image["id"])
    assert (image["name"], image["format"], image["width"], image["height"]) == ("first.png", "PNG", 30, 20)


def test_the_same_file_again_is_answered_with_200_and_the_image_held(api: Api) -> None:
    held = api.upload(pictures.png(1), "first.png").json()
    answer = api.upload(pictures.png(1), "second.png")
    assert answer.status == 200, answer
    assert answer.json() == {**held, "duplicate": True, "match": "file"}
    assert len(api.list()["images"]) == 1


def test_the_same_pixels_in_another_file_are_answered_with_200_and_the_image_held(api: Api) -> None:
    held = api.upload(pictures.png(1), "first.png").json()
    answer = api.upload(pictures.encoded(pictures.image(1), "BMP"), "second.bmp")
    assert answer.status == 200, answer
    assert answer.json() == {**held, "duplicate": True, "match": "pixels"}
    assert len(api.list()["images"]) == 1
    assert api.follow(api.get(f"/image/{held['id']}")).body == pictures.png(1)


@pytest.mark.parametrize("file_format", list(pictures.WRITERS))
def test_every_format_on_the_list_is_taken_whatever_the_name_says(api: Api, file_format: str) -> None:
    answer = api.upload(pictures.encoded(pictures.image(3), file_format), "picture.xyz")
    assert answer.status == 201, answer
    image = answer.json()
    assert image["format"] == file_format
    assert image["content_type"] == f"image/{file_format.lower()}"
    assert (image["width"], image["height"]) == pictures.image(3).size


def test_a_plain_still_has_the_digest_of_its_raw_pixels(api: Api) -> None:
    image = api.upload(pictures.png(4)).json()
    assert image["sha512"] == hashlib.sha512(pictures.image(4).tobytes()).hexdigest()
    assert image["sha256"] == hashlib.sha256(pictures.png(4)).hexdigest()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(b"", 422, "BadImageError", id="empty"),
        pytest.param(pictures.truncated_jpeg(), 422, "BadImageError", id="truncated"),
        pytest.param(pictures.png(1)[:60], 422, "BadImageError", id="header only"),
        pytest.param(b"This is a text, whatever its name says.\n" * 20, 415, "UnsupportedImageError", id="text"),
        pytest.param(b"%PDF-1.7\n" + bytes(200), 415, "UnsupportedImageError", id="pdf"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "UnsupportedImageError", id="svg"),
        pytest.param(b"\0", 415, "UnsupportedImageError", id="one byte"),
    ],
)
def test_a_file_that_is_no_image_is_refused_and_leaves_nothing_behind(
    api: Api, repository: Repository, content: bytes, status: int, code: str
) -> None:
    assert_refused(api.upload(content, "picture.jpg"), status, code)
    repository.queue.drain()
    assert files_in(repository.settings.storage) == []
    assert api.list()["images"] == []
    assert api.upload(pictures.png(2)).status == 201


def test_a_file_beyond_max_bytes_is_refused(make_runtime: MakeRuntime) -> None:
    content = pictures.png(1)
    make_runtime(max_bytes=len(content))
    api = in_process_api()
    assert_refused(api.upload(content + b"\0"), 413, "PayloadTooLargeError")
    assert api.upload(content).status == 201


def test_a_picture_beyond_max_pixels_is_refused(make_runtime: MakeRuntime) -> None:
    settings = make_runtime().settings
    make_runtime(decoder=composition.isolated_decoder(replace(settings, max_pixels=600, decode_processes=1)))
    api = in_process_api()
    assert_refused(api.upload(pictures.png(1, 601, 1)), 422, "BadImageError")
    assert api.upload(pictures.png(1, 600, 1)).status == 201


def test_an_upload_that_takes_longer_than_patience_is_answered_with_202(make_runtime: MakeRuntime, decoder: Decoder) -> None:
    gate = Gate()

    def examine_behind_the_gate(path: Path, sha256: bytes, owner: str) -> Picture:
        gate.pass_through()
        return decoder.examine(path, sha256, owner)

    built = make_runtime(decoder=replace(decoder, examine=examine_behind_the_gate))
    runtime.use(replace(built, uploads=replace(built.uploads, patience=0.0)))
    api = in_process_api()
    answer = api.upload(pictures.png(1), "slow.png")
    assert answer.status == 202, answer
    waiting = answer.json()
    assert waiting.keys() == {"upload_id", "name", "status", "created_at", "expires_at"}
    assert (waiting["name"], waiting["status"] in ("pending", "processing")) == ("slow.png", True)
    assert answer.headers["location"] == f"{PUBLIC_URL}/image/uploads/{waiting['upload_id']}"
    gate.wait_for_someone()
    assert api.fetch(answer.headers["location"]).json() == {**waiting, "status": "processing"}
    gate.open()
    built.queue.drain()
    ended = api.fetch(answer.headers["location"]).json()
    assert ended == {**waiting, "status": "stored", "image_id": ended["image_id"]}
    assert api.details(ended["image_id"])["name"] == "slow.png"


def test_an_image_deleted_before_its_upload_is_answered_is_no_error(repository: Repository) -> None:
    class DeletedMeanwhile(Library):
        def image(self, owner: str, image_id: int) -> Image:
            repository.library.delete(owner, image_id)
            return repository.library.image(owner, image_id)

    runtime.use(replace(repository, library=DeletedMeanwhile(repository.catalog, repository.store)))
    answer = in_process_api().upload(pictures.png(1))
    assert answer.status == 202, answer
    assert answer.json()["status"] == "stored"
    assert answer.headers["location"].endswith(answer.json()["upload_id"])
    assert files_in(repository.settings.storage) == []


def test_the_patience_is_the_contracts_twenty_seconds(repository: Repository) -> None:
    assert repository.uploads.patience == PATIENCE == 20.0


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        pytest.param([], "0 fields", id="empty form"),
        pytest.param([field_part("picture", "x")], "0 fields", id="another field"),
        pytest.param([file_part("file", "a.png", pictures.png(1))], "0 fields", id="the store's field"),
        pytest.param([field_part("image", b"bytes")], "no file name", id="a value, not a file"),
        pytest.param([file_part("image", "a.png", pictures.png(n)) for n in (1, 2)], "2 fields", id="two files"),
    ],
)
def test_a_form_without_exactly_one_file_named_image_is_refused(api: Api, parts: list[bytes], word: str) -> None:
    answer = api.send("POST", "/image/upload", FORM, form(parts))
    assert_refused(answer, 400, "BadRequestError")
    assert word in answer.json()["Message"]
    assert api.list()["images"] == []


def test_fields_beside_the_file_are_ignored(api: Api) -> None:
    parts = [field_part("comment", "hello"), file_part("image", "a.png", pictures.png(1)), field_part("other", "x")]
    assert api.send("POST", "/image/upload", FORM, form(parts)).status == 201


def test_the_content_type_a_client_claims_for_the_file_counts_for_nothing(api: Api) -> None:
    answer = api.send("POST", "/image/upload", FORM, form([file_part("image", "a", pictures.png(1), "text/html")]))
    assert (answer.status, answer.json()["content_type"]) == (201, "image/png")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("/home/me/photo.jpg", "photo.jpg"),
        ("C:\\pictures\\photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("Füße 🐾 写真.jpg", "Füße 🐾 写真.jpg"),
        ("u\u0308ber.jpg", "über.jpg"),
        ("  spaces and 'quotes'; = & %41.jpg ", "spaces and 'quotes'; = & %41.jpg"),
        ('say "cheese".jpg', 'say "cheese".jpg'),
        ("n" * 255, "n" * 255),
        (".hidden", ".hidden"),
    ],
)
def test_a_name_is_kept_as_sent_but_for_its_folders(api: Api, sent: str, kept: str) -> None:
    image = api.upload(pictures.png(1), sent).json()
    assert image["name"] == kept
    assert api.list()["images"][0]["name"] == kept


def test_uploads_whose_bytes_the_store_refused_do_not_count_for_the_limits(make_runtime: MakeRuntime, tmp_path: Path) -> None:
    repository = make_runtime(owner_max_open_uploads=2, owner_max_images=2)
    api, section = in_process_api(), repository.settings.storage / "temporary"
    section.rename(tmp_path / "away")
    for _ in range(5):
        assert_refused(api.upload(pictures.png(1)), 503, "UnavailableError")
    (tmp_path / "away").rename(section)
    assert api.upload(pictures.png(1)).status == 201
    assert api.upload(pictures.png(2)).status == 201
