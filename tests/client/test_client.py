"""The typed client: every route, what it raises, and where the key goes."""

import hashlib
import logging
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from imagerepo import (
    AccessError,
    ApiError,
    Client,
    Details,
    ExistsAnswer,
    Filters,
    ImageRepoError,
    Location,
    NotFoundError,
    Offer,
    RejectAnswer,
    UnavailableError,
    Upload,
    UploadAnswer,
    UploadedImage,
)

from tests import pictures
from tests.client.scripted import Request, reply, scripted
from tests.http.server import Server

KEY = "a-key-that-nobody-may-see"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.photo(1))
    return path


def test_what_the_server_says_of_itself_is_typed(client: Client) -> None:
    health, ready = client.health(), client.ready()
    assert (health.status, ready.status, ready.catalog.status, ready.store.status) == ("ok", "ok", "ok", "ok")
    assert "JPEG" in health.limits.formats
    assert str(client.openapi()["openapi"]).startswith("3.1")


def test_a_file_goes_in_is_known_and_comes_out_again(client: Client, photo: Path) -> None:
    stored = client.upload(photo)
    assert isinstance(stored, Upload)
    assert stored.status == "stored"
    assert stored.image_id is not None
    assert client.upload(photo) == ExistsAnswer("photo.jpg", stored.image_id)
    details = client.details(stored.image_id)
    assert details.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert details.taken_at == datetime(2008, 10, 22, 16, 28, 39)
    assert details.uploaded_at.tzinfo is not None
    assert details.camera
    assert details.camera.make == "NIKON"
    assert details.exposure
    assert details.exposure.iso == 100
    assert isinstance(details.location, Location)
    assert details.exif["Model"] == "COOLPIX P6000"
    assert client.original(stored.image_id) == photo.read_bytes()
    assert client.thumbnail(stored.image_id, 512)[:2] == b"\xff\xd8"
    client.delete(stored.image_id)
    with pytest.raises(NotFoundError, match=r"\(NotFoundError\)") as caught:
        client.details(stored.image_id)
    assert (caught.value.status, caught.value.code) == (404, "NotFoundError")


def test_a_small_file_goes_in_by_one_request(client: Client, photo: Path) -> None:
    first, again = client.send(photo.read_bytes(), "photo.jpg"), client.send(photo.read_bytes(), "again.jpg")
    assert isinstance(first, UploadedImage)
    assert isinstance(again, UploadedImage)
    assert (first.duplicate, first.match, again.duplicate, again.match) == (False, None, True, "file")
    assert again.id == first.id
    with pytest.raises(ApiError) as caught:
        client.send(b"no image", "photo.jpg")
    assert (caught.value.status, caught.value.code) == (415, "UnsupportedImageError")


def test_each_offer_has_its_answer(client: Client, photo: Path) -> None:
    held = client.upload(photo)
    assert isinstance(held, Upload)
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    offers = [Offer("a.jpg", photo.stat().st_size, digest), Offer("b.jpg", 10**12), Offer("c.jpg", photo.stat().st_size)]
    exists, rejected, ticket = client.ask(offers)
    assert exists == ExistsAnswer("a.jpg", held.image_id or 0)
    assert isinstance(rejected, RejectAnswer)
    assert rejected.error.Code == "PayloadTooLargeError"
    assert isinstance(ticket, UploadAnswer)
    assert client.upload_status(ticket.upload_id).status == "pending"
    with photo.open("rb") as file:
        client.post(ticket, file, photo.stat().st_size)
    ended = client.wait(ticket.upload_id)
    assert (ended.status, ended.match, ended.image_id) == ("duplicate", "file", held.image_id)


def test_every_page_of_a_list_is_walked_and_filters_narrow_it(client: Client) -> None:
    for number in range(5):
        client.send(pictures.png(number, 20 + number, 10), f"{number}.png")
    client.send(pictures.photo(), "camera.jpg")
    first = client.list_page(limit=4, sort="name", include_total=True)
    assert first.total == 6
    rest = client.list_page(limit=4, sort="name", cursor=first.next_cursor)
    assert [image.name for image in (*first.images, *rest.images)] == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        "camera.jpg",
    ]
    assert rest.next_cursor is None
    for filters, found in (
        (Filters(name="CAM"), {"camera.jpg"}),
        (Filters(format=["png"], width_min=23), {"3.png", "4.png"}),
        (Filters(format=("jpeg", "gif")), {"camera.jpg"}),
        (Filters(has_location=True), {"camera.jpg"}),
        (Filters(has_location=False, width_max=21), {"0.png", "1.png"}),
        (Filters(taken_after=date(2008, 10, 22), taken_before=datetime(2008, 10, 22, 17)), {"camera.jpg"}),
        (Filters(uploaded_before=datetime(2020, 1, 1, tzinfo=UTC)), set()),
        (Filters(bbox=(11.0, 43.0, 12.0, 44.0), camera_make=["nikon"]), {"camera.jpg"}),
    ):
        assert {image.name for image in client.images(filters)} == found, filters


def test_the_filters_are_those_that_the_server_describes(client: Client) -> None:
    paths: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = client.openapi()["paths"]  # type: ignore[assignment]
    described = {parameter["name"] for parameter in paths["/image/list"]["get"]["parameters"]}
    assert {*Filters.__slots__, "limit", "cursor", "sort", "include_total"} == described - {"owner"}


def test_the_key_goes_to_the_server_and_nowhere_else(tmp_path: Path) -> None:
    content = pictures.png()

    def answer(request: Request) -> bytes:
        if request.target.endswith("/details"):
            return reply(200, details_of(content, f"{store.url}/signed?signature=secret"))
        return reply(302, b"", Location=f"{store.url}/signed?signature=secret")

    with scripted(lambda _: reply(200, content)) as store, scripted(answer) as server, Client(server.url, KEY) as client:
        assert client.original(1) == client.thumbnail(1) == content
        client.download(1, tmp_path / "file")
    assert [request.headers.get("authorization") for request in server.requests] == [f"Bearer {KEY}"] * 3
    assert len(store.requests) == 3
    assert all(KEY not in str(request.headers) for request in store.requests)


def test_neither_keys_nor_signatures_are_logged_or_shown(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.INFO)
    content = pictures.png()

    def answer(_: Request) -> bytes:
        return reply(200, details_of(content, f"{store.url}/signed?signature=secret"))

    with scripted(lambda _: reply(200, content)) as store, scripted(answer) as server, Client(server.url, KEY) as client:
        shown = repr(client.download(1, tmp_path / "file"))
    assert store.requests[0].target == "/signed?signature=secret"
    for text in (shown, caplog.text):
        assert KEY not in text
        assert "secret" not in text


def test_a_redirect_of_the_server_itself_is_not_followed_with_the_key() -> None:
    with (
        scripted(lambda _: reply(200, {})) as elsewhere,
        scripted(lambda _: reply(307, b"", Location=elsewhere.url)) as server,
        Client(server.url, KEY) as client,
    ):
        with pytest.raises(ImageRepoError, match="redirects"):
            client.health()
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UnauthorizedError", AccessError),
        (403, "ForbiddenError", AccessError),
        (403, "QuotaExceededError", ApiError),
        (404, "NotFoundError", NotFoundError),
        (400, "BadRequestError", ApiError),
    ],
)
def test_a_refusal_carries_the_servers_words(status: int, code: str, kind: type[ApiError]) -> None:
    with scripted(lambda _: reply(status, {"Code": code, "Message": "Because."})) as server, Client(server.url, KEY) as client:
        with pytest.raises(ApiError) as caught:
            client.health()
        assert type(caught.value) is kind
        assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, "Because.")


def test_a_server_that_stays_busy_is_given_up_after_the_patience_allowed() -> None:
    busy = reply(503, {"Code": "UnavailableError", "Message": "Not now."}, Retry_After="1")
    with scripted(lambda _: busy) as server, Client(server.url, patience=1.5) as client:
        with pytest.raises(UnavailableError, match=r"Not now. \(UnavailableError\)"):
            client.health()
        assert len(server.requests) == 2


def test_owner_is_named_where_an_admin_asks_about_another() -> None:
    with (
        scripted(lambda _: reply(200, {"images": [], "next_cursor": None})) as server,
        Client(server.url, KEY, owner="bob & co") as admin,
    ):
        assert list(admin.images()) == []
    assert server.requests[0].target == "/image/list?limit=200&owner=bob+%26+co"


@pytest.mark.parametrize(
    "address", ["", "pictures.example.org", "ftp://a", "http://", "http://u:p@a", "http://a?b", "http://a:x"]
)
def test_an_address_that_cannot_be_used_is_said_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(address)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_said_without_quoting_it(key: str) -> None:
    with pytest.raises(ValueError, match="The key") as caught:
        Client("http://127.0.0.1:9", key)
    assert key not in str(caught.value)


def details_of(content: bytes, url: str) -> dict[str, object]:
    """The details of a file that is no real server's."""
    nothing = ("taken_at", "taken_at_offset", "taken_at_source", "camera", "exposure", "location")
    return {
        **dict.fromkeys(nothing),
        "id": 1,
        "name": "photo.png",
        "uploaded_at": "2026-01-01T00:00:00Z",
        "format": "PNG",
        "content_type": "image/png",
        "byte_size": len(content),
        "width": 24,
        "height": 16,
        "owner": "local",
        "mode": "RGB",
        "frames": 1,
        "exif": {},
        "sha512": "00",
        "sha256": hashlib.sha256(content).hexdigest(),
        "thumbnail_url": url,
        "original_url": url,
        "thumbnails": {"256": url},
    }


def test_details_of_a_real_image_are_read_whole(client: Client, server: Server, photo: Path) -> None:
    upload = client.upload(photo)
    assert isinstance(upload, Upload)
    raw = server.api.details(upload.image_id or 0)
    assert set(raw) == {name for kind in Details.__mro__ for name in getattr(kind, "__slots__", ())}
