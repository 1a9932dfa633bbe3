"""`make smoke` passes where all is well, sees what is not, and leaves nothing behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployed.client import Stack
from tests.deployed.conftest import ROOT, run
from tests.deployed.domain import Answer, Domain
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
    assert len(lines) == 13
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
