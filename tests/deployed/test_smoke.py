"""`make smoke` passes where all is well, sees what is not, and leaves nothing behind."""

import gzip
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from infra.door import Door, SmokeError
from tests import pictures
from tests.deployed.client import Stack, until
from tests.deployed.conftest import ROOT, run
from tests.deployed.domain import Answer, Domain, domain
from tests.deployed.emulator import Emulator
from tests.http.bearers import new_key
from tests.http.server import running


def smoke(url: str, key: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.smoke", *more, url, key]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client" / "src")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_all_is_well_with_the_stack(stack: Stack) -> None:
    before = stack.objects()
    said = run("infra.smoke", "--wait", "0.01", stack.url, stack.key)
    assert stack.objects() == before
    lines = said.splitlines()
    assert [line for line in lines if not line.startswith("ok: ")] == [
        "skipped: whether the API has another stage is seen at the gateway's own address alone (execute-api)"
    ]
    assert len(lines) == 14
    assert stack.key not in said
    assert "X-Amz-" not in said


def origin_of_all(answer: Answer) -> None:
    answer.headers["access-control-allow-origin"] = "*"


def without_compression(answer: Answer) -> None:
    if answer.headers.pop("content-encoding", None):
        answer.content = b"{}"


def open_to_all(answer: Answer) -> None:
    if answer.status == 403 and answer.path == "/image/list":
        answer.status = 200


def open_to_strangers(answer: Answer) -> None:
    if answer.status == 401:
        answer.status, answer.content = 200, b"{}"


def in_another_form(answer: Answer) -> None:
    if answer.status == 404:
        answer.content = b'{"message": "Not Found"}'


def without_a_word_when_to_come_again(answer: Answer) -> None:
    if answer.path.startswith("/image/list"):
        answer.status, answer.content = 503, b""


def another_picture(answer: Answer) -> None:
    if answer.status == 302:
        answer.headers["location"] = answer.headers["location"].replace("/originals/", "/originals/0")


def of_another_size(answer: Answer) -> None:
    if answer.method == "GET" and answer.path.endswith("/details"):
        answer.content = answer.content.replace(b'"width":64', b'"width":65')


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (origin_of_all, "A page from elsewhere may use the API."),
        (without_compression, "Long answers come without compression."),
        (open_to_all, "A request with such a key is answered with 200 where 403 is right."),
        (open_to_strangers, "A request with no key is answered with 200 where 401 is right."),
        (in_another_form, "A path that is not there is refused in another form"),
        (without_a_word_when_to_come_again, "A 503 came without a Retry-After."),
        (another_picture, "The store serves other bytes than were sent."),
        (of_another_size, "The picture is said to be 65x48."),
    ],
)
def test_what_is_not_well_is_seen_and_nothing_is_left_behind(
    stack: Stack, own: Domain, change: Callable[[Answer], None], sentence: str
) -> None:
    before, as_it_is = stack.objects(), own.change
    own.change = change
    try:
        done = smoke(stack.url, stack.key)
    finally:
        own.change = as_it_is
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert stack.objects() == before


@pytest.fixture
def store(aws: Emulator, own: Domain) -> Iterator[Domain]:
    """The bucket at an address where its answers can be changed: the API's tickets and redirects lead there."""
    as_it_is = own.change
    with domain(lambda: aws.url) as running:

        def lead_there(answer: Answer) -> None:
            if answer.status == 302:
                answer.headers["location"] = answer.headers["location"].replace(aws.url, running.url)
            if answer.status == 201 and answer.path == "/image/uploads":
                if answer.headers.pop("content-encoding", None):
                    answer.content = gzip.decompress(answer.content)
                answer.content = answer.content.replace(aws.url.encode(), running.url.encode())

        own.change = lead_there
        try:
            yield running
        finally:
            own.change = as_it_is


def to_any_page(answer: Answer) -> None:
    if answer.method in ("OPTIONS", "POST"):
        answer.headers["access-control-allow-origin"] = "*"


def taken_unseen(answer: Answer) -> None:
    """The form is taken, and the page's browser is not let see that it was."""
    if answer.method == "POST":
        answer.headers.pop("access-control-allow-origin", None)


def another_byte(answer: Answer) -> None:
    if answer.status == 200 and "/originals/" in answer.path:
        answer.content = answer.content[:-1] + bytes([answer.content[-1] ^ 1])
        answer.headers.pop("content-encoding", None)


def never_a_part(answer: Answer) -> None:
    if answer.status == 206:
        answer.status = 200


def without_a_signature(answer: Answer) -> None:
    if "/originals/" in answer.path and answer.status in (400, 403):
        answer.status = 200


def of_another_type(answer: Answer) -> None:
    if "/originals/" in answer.path:
        answer.headers["content-type"] = "text/html"


def test_a_store_that_is_open_to_any_page_is_seen_and_nothing_is_left_behind(stack: Stack, store: Domain) -> None:
    before, store.change = stack.objects(), to_any_page
    done = smoke(stack.url, stack.key)
    assert (done.returncode, done.stderr) == (1, "A page from elsewhere may use the store.\n")
    assert stack.objects() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (another_byte, "The store serves other bytes than were sent."),
        (never_a_part, "The store does not serve a part of a file."),
        (without_a_signature, "The store serves a file without a signature."),
        (of_another_type, "The store serves a file under another content type or name."),
    ],
)
def test_what_is_not_well_with_what_the_store_serves_is_seen(
    stack: Stack, store: Domain, change: Callable[[Answer], None], sentence: str
) -> None:
    content = pictures.png(1700)
    image_id = stack.upload("smoke.png", content)["image_id"]
    with httpx.Client() as http:
        door = Door(http, stack.url, stack.key)
        assert door.serves(image_id, content)[0]
        store.change = change
        with pytest.raises(SmokeError, match=re.escape(sentence)):
            door.serves(image_id, content)
    stack.request("DELETE", f"/image/{image_id}")


def test_what_was_taken_and_is_not_seen_yet_is_not_left_behind_either(stack: Stack, own: Domain, store: Domain) -> None:
    before, lead_there, looks = stack.objects(), own.change, itertools.count()

    def not_seen_yet(answer: Answer) -> None:
        lead_there(answer)
        if answer.path.startswith("/image/uploads/") and next(looks) == 0:
            answer.content = re.sub(rb'"status":"[a-z]+"', b'"status":"pending"', answer.content)

    own.change, store.change = not_seen_yet, taken_unseen
    done = smoke(stack.url, stack.key)
    assert (done.returncode, done.stderr) == (1, "A browser would not let the page see that its form was taken.\n")
    until(stack.waiting, lambda events: events == 0)
    assert stack.objects() == before


def test_a_clean_up_that_fails_hides_nothing(stack: Stack, own: Domain, store: Domain) -> None:
    lead_there = own.change

    def undeletable(answer: Answer) -> None:
        lead_there(answer)
        if answer.method == "DELETE":
            answer.status, answer.content = 400, b'{"Code": "BadRequestError", "Message": "No."}'

    own.change, store.change = undeletable, another_byte
    done = smoke(stack.url, stack.key)
    assert done.returncode == 1
    assert "The store serves other bytes than were sent." in done.stderr
    assert "may have been left behind" in done.stderr


def test_a_store_that_takes_nothing_from_the_page_is_seen(stack: Stack) -> None:
    """The bucket names the origin of the operator's domain, and no other address of the stack."""
    done = smoke(stack.url.replace("127.0.0.1", "localhost"), stack.key)
    assert done.returncode == 1
    assert "The store takes nothing from the page at http://localhost:" in done.stderr
    assert stack.objects("incoming/") == []


@pytest.mark.parametrize("auth", ["open", "keys"])
def test_a_laptops_server_passes_but_for_what_it_does_not_have(tmp_path: Path, auth: str) -> None:
    with running(tmp_path, {"AUTH": auth}) as server:
        key = new_key(server, "ann", "read", "write")[1] if auth == "keys" else ""
        done = smoke(f"http://127.0.0.1:{server.port}", key)
        assert done.stderr == ""
        assert done.returncode == 0
        skipped = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("skipped: ")]
        assert skipped == ["whether", *(["who"] if auth == "open" else []), "answers"]
