"""A client that openapi-python-client makes from openapi.json, against a server: what a stranger has of the description.

Nothing of the client is written here: names, types and errors are those of the description.
"""

import importlib
import io
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests import pictures
from tests.http.bearers import new_key
from tests.http.server import Server, running
from tests.http.waiting import wait_until

PACKAGE = "made_client"
#: What the store serves is bytes, of whatever type; what the tool formats the client with is of no matter here.
CONFIG = """
content_type_overrides: {"image/*": application/octet-stream}
post_hooks: []
"""


class Made:
    """The package that was made."""

    def __getattr__(self, name: str) -> Any:
        """A model, by its name."""
        return getattr(self.module("models"), name)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.{name}")

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """What the server answers, with its status in `status_code` and the object that it was read into in `parsed`."""
        return self.module(f"api.{operation}").sync_detailed(*arguments, **options)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("described"), {"AUTH": "keys"}) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The client, without a word of warning from the tool that makes it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "openapi.json").write_bytes(server.api.get("/openapi.json").body)
    (folder / "config.yaml").write_text(CONFIG)
    files = ["--path", "openapi.json", "--config", "config.yaml", "--output-path", PACKAGE]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *files, "--meta", "none", "--fail-on-warning"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield Made()
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture
def key(server: Server) -> str:
    """That of an owner of this test's own."""
    return new_key(server, secrets.token_hex(8), "read", "write")[1]


@pytest.fixture
def client(made: Made, server: Server, key: str) -> Iterator[Any]:
    with made.module("client").AuthenticatedClient(base_url=server.api.public_url, token=key) as client:
        yield client


def upload(made: Made, client: Any, content: bytes, name: str = "photo.jpg") -> Any:
    file = made.module("types").File(payload=io.BytesIO(content), file_name=name)
    return made.call("uploads.upload_image", client=client, body=made.UploadForm(image=file))


def test_it_uploads_in_one_request_and_knows_a_duplicate(made: Made, client: Any) -> None:
    first = upload(made, client, pictures.photo(1))
    assert (first.status_code, first.parsed.duplicate, first.parsed.name) == (201, False, "photo.jpg")
    assert first.parsed.taken_at == "2008-10-22T16:28:39"
    assert isinstance(first.parsed.uploaded_at, datetime)
    again = upload(made, client, pictures.photo(1))
    assert (again.status_code, again.parsed.duplicate, again.parsed.match) == (200, True, made.Match.FILE)
    assert again.parsed.id == first.parsed.id


def test_it_asks_for_tickets_and_follows_them_to_the_end(made: Made, client: Any) -> None:
    held, content = pictures.png(1), pictures.png(2)
    known = upload(made, client, held).parsed
    offers = [
        made.FileOffer(name="new.png", size=len(content)),
        made.FileOffer(name="held.png", size=len(held), sha256=known.sha256),
        made.FileOffer(name="huge.png", size=10**12),
    ]
    answer = made.call("uploads.request_uploads", client=client, body=made.UploadRequest(files=offers))
    assert answer.status_code == 201
    ticket, exists, refused = answer.parsed.uploads
    assert (exists.action, exists.image_id) == ("exists", known.id)
    assert (refused.action, refused.error.code) == ("reject", "PayloadTooLargeError")
    posted = httpx.post(ticket.url, data=ticket.fields.to_dict(), files={ticket.file_field: content})
    assert (ticket.method, posted.status_code) == ("POST", 204)
    ended = (made.UploadStatus.STORED, made.UploadStatus.DUPLICATE, made.UploadStatus.REJECTED)

    def state() -> Any:
        found = made.call("uploads.get_upload", ticket.upload_id, client=client).parsed
        return found if found.status in ended else None

    stored = wait_until(state)
    assert (stored.status, stored.name) == (made.UploadStatus.STORED, "new.png")
    assert made.call("images.get_details", stored.image_id, client=client).parsed.byte_size == len(content)


def test_it_lists_with_filters_a_sort_and_a_cursor(made: Made, client: Any) -> None:
    names = [f"photo {number}.jpg" for number in range(5)]
    for number, name in enumerate(names):
        upload(made, client, pictures.photo(10 + number), name)
    upload(made, client, pictures.png(3), "other.png")
    filters = {
        "format_": ["jpeg", "png"],
        "camera_make": ["nikon"],
        "taken_after": date(2008, 1, 1),
        "uploaded_after": date(2020, 1, 1),
        "width_min": 1.0,
        "has_location": True,
        "bbox": "11,43,12,44",
        "include_total": True,
        "sort": made.Sort.NAME_DESCENDING,
        "limit": 2,
    }
    page = made.call("images.list_images", client=client, **filters)
    assert (page.status_code, page.parsed.total) == (200, 5)
    found = [image.name for image in page.parsed.images]
    while page.parsed.next_cursor:
        page = made.call("images.list_images", client=client, cursor=page.parsed.next_cursor, **filters)
        found += [image.name for image in page.parsed.images]
    assert found == names[::-1]


def test_it_looks_at_details_fetches_the_file_and_deletes(made: Made, client: Any, server: Server, key: str) -> None:
    content = pictures.photo(20)
    image = upload(made, client, content).parsed
    details = made.call("images.get_details", image.id, client=client).parsed
    assert (details.camera.make, details.exposure.iso, round(details.location.latitude)) == ("NIKON", 100, 43)
    assert details.exif["Make"] == "NIKON"
    assert httpx.get(details.thumbnails["512"]).status_code == 200
    redirect = made.call("images.get_original", image.id, client=client, disposition=made.Disposition.ATTACHMENT)
    assert redirect.status_code == 302
    assert httpx.get(redirect.headers["location"]).content == content
    follower = made.module("client").AuthenticatedClient(base_url=server.api.public_url, token=key, follow_redirects=True)
    with follower:
        thumbnail = made.call("images.get_thumbnail", image.id, client=follower, size=made.ThumbnailSize.PIXELS_1280)
    assert (thumbnail.status_code, thumbnail.parsed.payload.read(3)) == (200, b"\xff\xd8\xff")
    assert made.call("images.delete_image", image.id, client=client).status_code == 204


def test_a_refusal_is_an_object_with_its_code(made: Made, client: Any, server: Server) -> None:
    gone = made.call("images.get_details", 999_999, client=client)
    assert (gone.status_code, gone.parsed.code) == (404, "NotFoundError")
    assert gone.parsed.message.endswith(".")
    cursor = made.call("images.list_images", client=client, cursor="none of yours")
    assert (cursor.status_code, cursor.parsed.code) == (400, "BadRequestError")
    letter = upload(made, client, b"Dear Sir or Madam", "letter.png")
    assert (letter.status_code, letter.parsed.code) == (415, "UnsupportedImageError")
    key = "imr_0123456789abcdef_" + "A" * 43
    with made.module("client").AuthenticatedClient(base_url=server.api.public_url, token=key) as stranger:
        refused = made.call("images.list_images", client=stranger)
        assert (refused.status_code, refused.parsed.code) == (403, "ForbiddenError")


def test_what_needs_no_key_takes_none_and_any_key_asks_whether_all_is_ready(made: Made, client: Any, server: Server) -> None:
    ready = made.call("service.get_readiness", client=client)
    assert (ready.status_code, ready.parsed.catalog.status, ready.parsed.store.cause) == (200, made.Condition.OK, None)
    with made.module("client").Client(base_url=server.api.public_url) as nobody:
        assert made.call("service.get_health", client=nobody).parsed.limits.max_bytes == 100_000_000
        assert made.call("service.get_description", client=nobody).parsed["openapi"] == "3.1.0"
