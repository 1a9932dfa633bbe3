"""A server whose disk is full: it says so, everything can be deleted, and what it had accepted goes on by itself."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.errors import DISK_FULL
from tests import pictures
from tests.disks import fill, small_disk
from tests.http.client import Answer, Api, assert_not_ready, assert_refused
from tests.http.server import running
from tests.http.waiting import wait_until

MEGABYTES = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        yield disk


def noise(seed: int) -> bytes:
    """A picture of about a megabyte."""
    return pictures.encoded(Image.frombytes("RGB", (600, 600), random.Random(seed).randbytes(600 * 600 * 3)), "BMP")  # noqa: S311


def upload_until_refused(api: Api) -> Answer:
    for seed in range(1000):
        answer = api.upload(noise(seed))
        if answer.status != 201:
            return answer
    raise AssertionError("the disk is never full")


def assert_says_the_disk_is_full(answer: Answer) -> None:
    assert_refused(answer, 503, "UnavailableError")
    assert answer.json()["Message"] == DISK_FULL


def test_a_disk_that_uploads_have_filled_is_emptied_by_deletes(disk: Path) -> None:
    with running(disk) as server:
        api = server.api
        assert api.get("/health/ready").status == 200
        ticket = api.ask_for(noise(5000))
        assert_says_the_disk_is_full(upload_until_refused(api))
        ballast = fill(disk)
        not_ready = api.get("/health/ready")
        assert_not_ready(not_ready)
        assert not_ready.json()["Message"] == DISK_FULL
        posted = api.post_ticket(ticket, noise(5000))
        assert posted.status == 503
        assert DISK_FULL.encode() in posted.body
        server.kill()
    with running(disk) as server:
        api = server.api
        held = [image["id"] for image in api.list([("limit", "200")])["images"]]
        assert len(held) > 5
        for image_id in held:
            assert api.delete(image_id).status == 204
        assert api.list()["images"] == []
        ballast.unlink()
        wait_until(lambda: api.get("/health/ready").status == 200)
        ticket["url"] = f"{api.public_url}/store"
        assert api.post_ticket(ticket, noise(5000)).status == 204
        assert api.upload(noise(1)).status == 201
        wait_until(lambda: api.status(ticket["upload_id"])["status"] == "stored")


def test_what_was_accepted_before_the_disk_was_full_is_taken_in_when_there_is_room(disk: Path) -> None:
    with running(disk, {"DECODE_PROCESSES": "1"}) as server:
        api = server.api
        assert api.upload(noise(0)).status == 201
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)  # whatever is being decoded stays so
        tickets = [api.ask_for(noise(seed)) for seed in range(1, 5)]
        for seed, ticket in enumerate(tickets, 1):
            assert api.post_ticket(ticket, noise(seed)).status == 204
        ballast = fill(disk)
        for pid in server.children():
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: any("will be delivered again" in line for line in server.log))
        server.kill()
    with running(disk) as server:  # which starts on the full disk
        api = server.api
        wait_until(lambda: any("will be delivered again" in line for line in server.log))
        assert {api.status(ticket["upload_id"])["status"] for ticket in tickets} <= {"pending", "processing"}
        ballast.unlink()
        wait_until(lambda: {api.status(ticket["upload_id"])["status"] for ticket in tickets} == {"stored"})
        assert len(api.list()["images"]) == 5
        wait_until(lambda: any("an event succeeded" in line for line in server.log))
