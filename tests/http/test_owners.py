"""Owners who probe: with two who send, fetch and delete the same files, all that either sees is as if alone."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests import pictures
from tests.http.bearers import with_key
from tests.http.client import Answer, Api, assert_refused
from tests.http.server import Server, running
from tests.http.waiting import wait_until
from tests.repositories import files_in

FILE, RESAVED, OTHER = pictures.png(1), pictures.encoded(pictures.image(1), "BMP"), pictures.png(2)
#: What is one's own in every world: ids that are given, times, and what is signed.
_OWN = re.compile(
    r"(?P<signature>\b(?<=Signature=)[0-9a-f]{64}|(?<=x-amz-signature\": \")[0-9a-f]{64})"
    r"|(?P<storage>(?<=originals%2F)[0-9a-v]{32}|(?<=thumbnails%2F)[0-9a-v]{32})|(?P<upload>\b[0-9a-v]{36}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}T\d{6}Z|(?<=local/)\d{8})|(?P<policy>eyJ[\w+/=-]+)"
    r"|(?P<tag>(?<=\")[0-9a-f]{32}(?=\\?\"))"
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for keys, and lets nobody have more than four images."""
    with running(tmp_path_factory.mktemp("owners"), {"AUTH": "keys", "OWNER_MAX_IMAGES": "4"}) as server:
        yield server


def of(server: Server, owner: str) -> Api:
    return with_key(server, owner, "read", "write")


class Transcript:
    """All that an owner is answered, with what is different in every world by nature replaced by its kind."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.statuses: list[int] = []
        self._images: dict[int, str] = {}

    def note(self, answer: Answer) -> Answer:
        body = answer.body.decode("latin-1")
        if answer.headers.get("content-type") == "application/json" and body:
            body = json.dumps(self._named(json.loads(body)))
        # The length of an answer is that of ids too, and of signatures.
        headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
        text = json.dumps([answer.status, sorted(headers.items())]) + body
        self.statuses.append(answer.status)
        self.lines.append(_OWN.sub(lambda found: f"<{found.lastgroup}>", text))
        return answer

    def _named(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._named(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._named(inner) for inner in value]
        if name == "owner":
            return "me"
        if name in ("id", "image_id") and isinstance(value, int):
            return self._images.setdefault(value, f"image {len(self._images) + 1}")
        return value


def session(api: Api, between: Callable[[], None]) -> Transcript:
    """What an owner does, and is answered; all of it, in whatever company."""
    seen = Transcript()

    def said(answer: Answer) -> Answer:
        between()
        return seen.note(answer)

    offer = {"name": "photo.png", "size": len(FILE), "sha256": hashlib.sha256(FILE).hexdigest()}
    between()
    said(api.ask(offer))
    first = said(api.upload(FILE, "mine.png")).json()
    said(api.ask(offer))
    said(api.upload(FILE, "mine.png"))
    said(api.upload(RESAVED, "mine.bmp"))
    said(api.get("/image/list", {"include_total": "true"}))
    said(api.get(f"/image/{first['id']}/details"))
    thumbnail, original = first["thumbnail_url"], first["original_url"]
    for url in (thumbnail, original):
        etag = said(api.fetch(url)).headers["etag"]
        said(api.fetch(url, If_None_Match=etag))
        said(api.fetch(url, If_None_Match=etag[:-2] + '-"'))
    said(api.upload(OTHER, "other.png"))
    said(api.upload(pictures.png(3), "third.png"))
    said(api.delete(first["id"]))
    for url in (thumbnail, original):
        said(api.fetch(url))
    said(api.ask(offer))
    said(api.upload(FILE, "again.png"))
    said(api.get("/image/list", {"include_total": "true", "sort": "byte_size"}))
    return seen


class Another:
    """Who does anything with the same files at any time."""

    def __init__(self, api: Api, seed: int) -> None:
        self._api = api
        self._random = random.Random(seed)  # noqa: S311 (which act comes next)

    def act(self) -> None:
        for _ in range(self._random.randrange(3)):
            file = self._random.choice([FILE, FILE, RESAVED, OTHER])
            if self._random.random() < 0.6:
                self._api.upload(file)
            else:
                for image in self._api.list()["images"][:1]:
                    self._api.delete(image["id"])


def test_all_that_an_owner_is_answered_is_as_if_there_were_no_other(guarded: Server) -> None:
    alone = session(of(guarded, "bob-0"), lambda: None)
    for number in (1, 2):
        another = Another(of(guarded, f"ann-{number}"), seed=number)
        in_company = session(of(guarded, f"bob-{number}"), another.act)
        assert in_company.lines == alone.lines
    assert alone.statuses == [
        201, 201, 201, 200, 200, 200, 200, 200, 304, 200, 200, 304, 200, 201, 201, 204, 404, 404, 201, 403, 200,
    ]  # fmt: skip


def test_no_key_or_etag_of_a_stored_file_says_whose_upload_it_was_or_when(guarded: Server) -> None:
    shown = []
    for owner in ("cid", "dan"):
        api = of(guarded, owner)
        ticket = api.ask_for(FILE)
        assert api.post_ticket(ticket, FILE).status == 204
        [image] = wait_until(partial(_images, api))
        details = api.details(image["id"])
        for url in (details["original_url"], *details["thumbnails"].values()):
            shown.append((url, ticket["upload_id"], api.fetch(url)))
    etags = [answer.headers["etag"] for _, _, answer in shown]
    for url, upload_id, answer in shown:
        assert upload_id[:8] not in url
        assert re.search(r"key=(originals|thumbnails)%2F[0-9a-v]{32}(%2F|&)", url)
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
        assert "last-modified" not in answer.headers
    assert len(set(etags)) == len(shown) == 8
    times = {f"{path.stat().st_mtime_ns:x}" for path in files_in(guarded.folder)}
    assert not [etag for etag in etags for time in times if time in etag]


def _images(api: Api) -> Any:
    return api.list()["images"]


def test_a_limit_counts_only_what_is_the_owners_and_every_road_keeps_to_it(guarded: Server) -> None:
    eve, fay = of(guarded, "eve"), of(guarded, "fay")
    for number in range(4):
        assert eve.upload(pictures.png(number)).status == 201
    assert_refused(eve.upload(pictures.png(9)), 403, "QuotaExceededError")
    assert_refused(eve.ask({"name": "a", "size": 9}), 403, "QuotaExceededError")
    assert fay.ask(*({"name": "a", "size": 9} for _ in range(4))).status == 201
    assert_refused(fay.upload(pictures.png(1)), 403, "QuotaExceededError")


@pytest.mark.parametrize("sort", ["byte_size", "-byte_size", "name", "uploaded_at", "-taken_at"])
def test_a_forged_cursor_is_a_400(api: Api, sort: str) -> None:
    for number in range(2):
        api.upload(pictures.png(number))
    genuine = api.list({"limit": "1", "sort": sort})["next_cursor"]
    for forged in (
        genuine[:-1],
        genuine + "AA",
        genuine[::-1],
        _with_value(genuine, "-" + "9" * 40),
        _with_value(genuine, "A"),
    ):
        answer = api.get("/image/list", {"sort": sort, "cursor": forged})
        assert (answer.status, answer.json()["Code"]) == (400, "BadRequestError"), forged


def _with_value(cursor: str, value: str) -> str:
    query, _, image_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return base64.urlsafe_b64encode(json.dumps([query, value, image_id]).encode()).decode().rstrip("=")
