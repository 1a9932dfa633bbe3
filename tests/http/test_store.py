"""The laptop's store over HTTP: it permits and answers what S3 would, and nothing else."""

import base64
import hashlib
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.local.composition import STORE_PATH
from chalicelib.model.pictures import Picture
from chalicelib.repository import Decoder, Repository
from chalicelib.services.uploads import Offer, UploadAnswer
from chalicelib.storage.disk import DiskStore
from tests import pictures
from tests.http.client import FORM, Answer, Api, field_part, file_part, form
from tests.http.conftest import PUBLIC_URL, MakeRuntime, in_process_api
from tests.http.waiting import Gate
from tests.repositories import files_in

CONTENT = pictures.png(1)


def assert_store_refuses(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/xml"
    error = ElementTree.fromstring(answer.body)  # noqa: S314 - the repository's own answer
    assert (error.tag, error.findtext("Code")) == ("Error", code), answer
    assert error.findtext("Message")


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in files_in(folder)}


@pytest.fixture
def ticket(api: Api) -> Any:
    return api.ask_for(CONTENT)


@pytest.mark.parametrize("name", ["key", "policy", "x-amz-signature", "x-amz-date", "x-amz-credential", "x-amz-algorithm"])
def test_a_ticket_with_a_field_missing_or_altered_is_refused(api: Api, repository: Repository, ticket: Any, name: str) -> None:
    fields = dict(ticket["fields"])
    missing = {other: value for other, value in fields.items() if other != name}
    assert api.post_ticket(ticket, CONTENT, missing).status in (400, 403)
    for altered in (fields[name] + "0", fields[name][:-1], fields[name].swapcase() + "x", "", "é"):
        assert api.post_ticket(ticket, CONTENT, {**fields, name: altered}).status in (400, 403), altered
    assert files_in(repository.settings.storage) == []
    assert api.status(ticket["upload_id"])["status"] == "pending"
    assert api.post_ticket(ticket, CONTENT).status == 204


def test_a_tampered_signature_is_a_403(api: Api, ticket: Any) -> None:
    signature = ticket["fields"]["x-amz-signature"]
    other = ("0" if signature[0] != "0" else "1") + signature[1:]
    answer = api.post_ticket(ticket, CONTENT, {**ticket["fields"], "x-amz-signature": other})
    assert_store_refuses(answer, 403, "SignatureDoesNotMatch")


def test_a_policy_rewritten_by_the_client_is_a_403(api: Api, ticket: Any) -> None:
    policy = json.loads(base64.b64decode(ticket["fields"]["policy"]))
    policy["conditions"] = [one for one in policy["conditions"] if "content-length-range" not in one]
    rewritten = base64.b64encode(json.dumps(policy).encode()).decode()
    answer = api.post_ticket(ticket, CONTENT + b"\0", {**ticket["fields"], "policy": rewritten})
    assert_store_refuses(answer, 403, "SignatureDoesNotMatch")


def test_an_expired_ticket_is_a_403(api: Api, repository: Repository) -> None:
    uploads = replace(repository.uploads, clock=lambda: datetime.now(UTC) - timedelta(hours=1, seconds=1))
    (answer,) = uploads.ask("local", [Offer("photo.png", len(CONTENT), None)])
    assert isinstance(answer, UploadAnswer)
    ticket = {"url": answer.ticket.url, "fields": answer.ticket.fields}
    assert_store_refuses(api.post_ticket(ticket, CONTENT), 403, "AccessDenied")
    assert files_in(repository.settings.storage) == []


@pytest.mark.parametrize(
    ("content", "code"), [(CONTENT + b"\0", "EntityTooLarge"), (CONTENT[:-1], "EntityTooSmall"), (b"", "EntityTooSmall")]
)
def test_a_wrong_size_is_a_400(api: Api, repository: Repository, ticket: Any, content: bytes, code: str) -> None:
    assert_store_refuses(api.post_ticket(ticket, content), 400, code)
    assert files_in(repository.settings.storage) == []


def test_the_key_of_another_upload_is_a_403(api: Api, repository: Repository, ticket: Any) -> None:
    other = api.ask_for(CONTENT)
    answer = api.post_ticket(ticket, CONTENT, {**ticket["fields"], "key": other["fields"]["key"]})
    assert_store_refuses(answer, 403, "AccessDenied")
    assert files_in(repository.settings.storage) == []


@pytest.mark.parametrize(
    "key",
    [
        "../escaped",
        "incoming/../../escaped",
        "incoming/%2e%2e/%2e%2e/escaped",
        "/tmp/escaped",  # noqa: S108 - a key that must not be followed
        "incoming/\0",
        "incoming//etc/passwd",
        "originals/" + "0" * 36 + "-1",
        "catalog.sqlite3",
        "${filename}",
        "k" * 10_000,
    ],
)
def test_a_key_that_is_a_path_gets_nowhere(api: Api, repository: Repository, ticket: Any, key: str) -> None:
    around = repository.settings.storage.parent
    before = sorted(around.rglob("*"))
    answer = api.post_ticket(ticket, CONTENT, {**ticket["fields"], "key": key})
    assert answer.status in (400, 403), answer
    assert sorted(around.rglob("*")) == before
    signed = {"key": key, "response-content-type": "image/png", "X-Amz-Signature": "0" * 64}
    assert_store_refuses(api.get(STORE_PATH, signed), 403, "SignatureDoesNotMatch")


def test_a_key_that_is_a_path_is_not_read_even_when_it_is_signed(api: Api, repository: Repository) -> None:
    (repository.settings.storage.parent / "secret").write_text("secret")
    for key in ("../secret", "incoming/../../secret", "signing-key", "catalog.sqlite3", "/etc/passwd", "incoming/\0"):
        assert isinstance(repository.store, DiskStore)
        url = repository.store.presigner.url(key, "text/plain", "a.txt", "inline")
        assert_store_refuses(api.fetch(url), 404, "NoSuchKey")


def test_extra_fields_are_refused_and_what_stands_behind_the_file_is_ignored(api: Api, ticket: Any) -> None:
    answer = api.post_ticket(ticket, CONTENT, {**ticket["fields"], "acl": "public-read"})
    assert_store_refuses(answer, 403, "AccessDenied")
    fields = [field_part(name, value) for name, value in ticket["fields"].items()]
    behind = form([*fields, file_part("file", "a", CONTENT), field_part("acl", "public-read")])
    assert api.send("POST", STORE_PATH, FORM, behind).status == 204


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        form([]),
        form([field_part("key", "incoming/x")]),
        form([file_part("file", "a", CONTENT)]),
        b"\r\n--" * 1000,
    ],
)
def test_a_post_that_is_no_whole_form_is_a_400(api: Api, body: bytes) -> None:
    answer = api.send("POST", STORE_PATH, FORM, body)
    assert answer.status == 400, answer
    assert ElementTree.fromstring(answer.body).tag == "Error"  # noqa: S314 - the repository's own answer


def test_a_field_given_twice_is_a_400(api: Api, ticket: Any) -> None:
    fields = [field_part(name, value) for name, value in [*ticket["fields"].items(), ("KEY", ticket["fields"]["key"])]]
    answer = api.send("POST", STORE_PATH, FORM, form([*fields, file_part("file", "a", CONTENT)]))
    assert_store_refuses(answer, 400, "InvalidArgument")


def test_a_replay_after_the_end_is_answered_with_204_and_has_no_effect(api: Api, repository: Repository, ticket: Any) -> None:
    other = pictures.png(2)[: len(CONTENT)].ljust(len(CONTENT), b"\0")
    assert api.post_ticket(ticket, CONTENT).status == 204
    repository.queue.drain()
    before, state = snapshot(repository.settings.storage), api.status(ticket["upload_id"])
    for replayed in (CONTENT, other):
        assert api.post_ticket(ticket, replayed).status == 204
        repository.queue.drain()
        assert snapshot(repository.settings.storage) == before
        assert api.status(ticket["upload_id"]) == state
    assert api.follow(api.get(f"/image/{state['image_id']}")).body == CONTENT


def test_a_replay_with_other_bytes_during_the_ingest_stores_one_of_the_two_whole(
    make_runtime: MakeRuntime, decoder: Decoder
) -> None:
    """The bytes that are hashed, decoded and kept are always those of one post."""
    first = pictures.encoded(pictures.image(1), "BMP")
    second = pictures.encoded(pictures.image(2), "BMP")
    gate = Gate()
    examined: list[bytes] = []

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        examined.append(path.read_bytes())
        gate.pass_through()
        return decoder.examine(path, sha256, owner)

    repository = make_runtime(decoder=replace(decoder, examine=examine))
    api = in_process_api()
    ticket = api.ask_for(first)
    assert api.post_ticket(ticket, first).status == 204
    gate.wait_for_someone()
    assert api.post_ticket(ticket, second).status == 204
    gate.open()
    repository.queue.drain()
    details = api.details(api.status(ticket["upload_id"])["image_id"])
    kept = api.fetch(details["original_url"]).body
    assert kept == second
    assert examined == [first, second]
    assert details["sha256"] == hashlib.sha256(second).hexdigest()
    assert details["sha512"] == hashlib.sha512(pictures.image(2).tobytes()).hexdigest()
    assert len(files_in(repository.settings.storage)) == 4


@pytest.fixture
def url(api: Api) -> str:
    """A signed URL of an original."""
    location: str = api.get(f"/image/{api.upload(CONTENT, 'a.png').json()['id']}").headers["location"]
    return location


def test_a_signed_url_serves_the_bytes_with_type_name_and_etag(api: Api, url: str) -> None:
    answer = api.fetch(url)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith('inline; filename="a.png"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].strip('"')


def test_any_change_to_a_signed_url_is_a_403(api: Api, url: str) -> None:
    base, _, query = url.partition("?")
    pairs = query.split("&")
    for at, pair in enumerate(pairs):
        name, _, value = pair.partition("=")
        for changed in ([], [f"{name}={value}0"], [f"{name}="], [pair, pair], [f"{name}={value}", "extra=1"]):
            tampered = f"{base}?{'&'.join([*pairs[:at], *changed, *pairs[at + 1 :]])}"
            answer = api.fetch(tampered)
            assert answer.status == 403, tampered
            assert ElementTree.fromstring(answer.body).tag == "Error"  # noqa: S314 - the repository's own answer
    assert api.fetch(base).status == 403


def test_the_type_and_name_of_a_signed_url_cannot_be_changed(api: Api, url: str) -> None:
    assert_store_refuses(api.fetch(url.replace("image%2Fpng", "text%2Fhtml")), 403, "SignatureDoesNotMatch")
    assert_store_refuses(api.fetch(url.replace("a.png", "a.exe")), 403, "SignatureDoesNotMatch")


def test_an_expired_url_is_a_403(api: Api, repository: Repository) -> None:
    api.upload(CONTENT)
    storage = repository.settings.storage
    earlier = DiskStore(storage, f"{PUBLIC_URL}{STORE_PATH}", lambda: datetime.now(UTC) - timedelta(hours=3), None)
    (key,) = [f"originals/{path.name}" for path in (storage / "originals").rglob("*") if path.is_file()]
    assert_store_refuses(api.fetch(earlier.url(key, "image/png", "a.png", "inline")), 403, "AccessDenied")
    assert api.fetch(repository.store.url(key, "image/png", "a.png", "inline")).body == CONTENT


def test_a_url_stays_the_same_for_a_while_and_outlives_its_image_as_a_404(api: Api, url: str) -> None:
    image_id = api.list()["images"][0]["id"]
    assert api.get(f"/image/{image_id}").headers["location"] == url
    api.delete(image_id)
    assert_store_refuses(api.fetch(url), 404, "NoSuchKey")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=5-", 5, len(CONTENT) - 1),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT) - 1),
        ("bytes=0-999999", 0, len(CONTENT) - 1),
        ("bytes=-999999", 0, len(CONTENT) - 1),
    ],
)
def test_a_range_is_served(api: Api, url: str, asked: str, first: int, last: int) -> None:
    answer = api.fetch(url, Range=asked)
    assert answer.status == 206, answer
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.body == CONTENT[first : last + 1]


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=0-5", "bytes=0-1,3-4", "", "bytes=" + "9" * 99 + "-"]
)
def test_a_range_that_cannot_be_read_is_ignored(api: Api, url: str, asked: str) -> None:
    answer = api.fetch(url, Range=asked)
    assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_a_416(api: Api, url: str, asked: str) -> None:
    answer = api.fetch(url, Range=asked)
    assert_store_refuses(answer, 416, "InvalidRange")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_a_client_that_has_the_bytes_is_told_so(api: Api, url: str) -> None:
    etag = api.fetch(url).headers["etag"]
    answer = api.fetch(url, If_None_Match=etag)
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    assert api.fetch(url, If_None_Match='"another"').status == 200
    assert api.fetch(url, If_None_Match=f'"another", {etag}').status == 304
    assert api.fetch(url, If_None_Match=f"W/{etag}").status == 304
    assert api.fetch(url, If_None_Match="*").status == 304


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_signed_url_permits_reading_only(api: Api, url: str, method: str) -> None:
    assert api.send(method, api.target(url), {}, b"x").status == 405
    assert api.fetch(url).body == CONTENT
