"""Decoders that die, and a server that is killed: whose upload pays for it, and what is left."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.decoding.decoders import Decoders, Room
from chalicelib.model.facts import Facts
from chalicelib.model.pictures import Limits, Picture
from chalicelib.repository import Decoder, Repository
from chalicelib.services.ingest import MAX_STRIKES
from tests import pictures
from tests.http.client import Api, assert_refused
from tests.http.conftest import MakeRuntime, in_process_api
from tests.http.hostile_decoder import ABORT, BURST, FORGE, HANG, marked
from tests.http.server import Server, command, running
from tests.http.waiting import is_running, wait_until
from tests.repositories import files_in

LIMITS = Limits(10**6, 10, 10**7)


@pytest.fixture
def repository(make_runtime: MakeRuntime, decoder: Decoder) -> Iterator[Repository]:
    """With decoders that marked files bring down."""
    decoders = Decoders(LIMITS, Room(2 * 1024**3, 2, seconds=1.0), "tests.http.hostile_decoder")
    yield make_runtime(decoder=replace(decoder, examine=decoders.examine))
    decoders.close()


def send(api: Api, content: bytes) -> str:
    ticket = api.ask_for(content)
    assert api.post_ticket(ticket, content).status == 204
    upload_id: str = ticket["upload_id"]
    return upload_id


def test_a_file_that_brings_decoders_down_is_refused_after_three_and_nobody_else_notices(repository: Repository) -> None:
    api = in_process_api()
    hanging = send(api, marked(pictures.png(10), HANG))
    others = [send(api, marked(pictures.png(10), mark)) for mark in (ABORT, FORGE)]
    for seed in range(4):
        assert api.upload(pictures.png(seed)).status == 201
    assert api.status(hanging)["status"] in ("pending", "processing")
    repository.queue.drain()
    for upload_id in (hanging, *others):
        state = api.status(upload_id)
        assert (state["status"], state["error"]["Code"]) == ("rejected", "BadImageError")
        assert strikes(repository.catalog, upload_id) == MAX_STRIKES == 3
    assert len(api.list()["images"]) == 4
    assert len(files_in(repository.settings.storage)) == 4 * 4
    assert repository.sweep.run(dry_run=True).done == {}
    assert_refused(api.upload(marked(pictures.png(10), ABORT)), 422, "BadImageError")


def test_a_file_that_needs_more_memory_than_it_should_is_refused_as_that(repository: Repository) -> None:
    upload_id = send(in_process_api(), marked(pictures.png(10), BURST))
    repository.queue.drain()
    state = in_process_api().status(upload_id)
    assert (state["status"], state["error"]["Code"]) == ("rejected", "BadImageError")
    assert "MB of memory" in state["error"]["Message"]
    assert strikes(repository.catalog, upload_id) == 0


@pytest.mark.parametrize("impossible", [{"frames": 2**70}, {"facts": Facts(taken_at=cast("datetime", "noon"))}])
def test_a_picture_that_the_catalog_cannot_hold_is_refused_and_not_tried_for_ever(
    make_runtime: MakeRuntime, decoder: Decoder, impossible: dict[str, Any]
) -> None:
    """Should an answer ever pass that no decoder of ours gives."""

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        return replace(decoder.examine(path, sha256, owner), **impossible)

    repository = make_runtime(decoder=replace(decoder, examine=examine))
    api = in_process_api()
    upload_id = send(api, pictures.png(10))
    repository.queue.drain()
    assert api.status(upload_id)["status"] == "rejected"
    assert strikes(repository.catalog, upload_id) == MAX_STRIKES


def strikes(catalog: Catalog, upload_id: str) -> int:
    upload = catalog.uploads.get(upload_id)
    assert upload
    return upload.strikes


@contextmanager
def catalog_of(folder: Path) -> Iterator[Catalog]:
    """The catalog of a server that may be running."""
    database = Database(sqlite_url(folder / "catalog.sqlite3"))
    yield Catalog(database)
    database.dispose()


def both_decoders(server: Server) -> list[int]:
    """The children for large and for small pictures, once both have been needed: for pictures that leave nothing behind."""
    whole = pictures.encoded(pictures.image(1, 600, 600), "WEBP", lossless=True)
    with ThreadPoolExecutor(4) as clients:
        for answer in clients.map(server.api.upload, [whole[:40] + b"\xff" * (len(whole) - 40)] * 8):
            assert answer.status == 422
    return server.children()


def test_a_server_killed_while_files_wait_and_decode_finishes_them_at_its_next_start(tmp_path: Path) -> None:
    contents = [pictures.png(seed) for seed in range(1, 6)]
    with running(tmp_path, {"DECODE_PROCESSES": "1"}) as server, catalog_of(tmp_path) as catalog:
        assert server.api.upload(pictures.png(0)).status == 201
        wait_until(lambda: len(both_decoders(server)) == 2)
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)  # whatever is being decoded stays so
        sent = {send(server.api, content): content for content in contents}
        same_pixels = send(server.api, pictures.encoded(pictures.image(1), "BMP"))
        no_image = send(server.api, b"no image")
        images = [*sent, same_pixels]
        every = [*images, no_image]
        wait_until(lambda: all(strikes(catalog, upload_id) for upload_id in images))
        assert {server.api.status(upload_id)["status"] for upload_id in images} == {"processing"}
        server.kill()
    with running(tmp_path) as server, catalog_of(tmp_path) as catalog:
        api = server.api
        wait_until(lambda: all(api.status(upload_id)["status"] not in ("pending", "processing") for upload_id in every))
        states = {upload_id: api.status(upload_id) for upload_id in every}
        assert states[no_image]["status"] == "rejected"
        first = states[next(iter(sent))]
        assert {first["status"], states[same_pixels]["status"]} == {"stored", "duplicate"}
        assert first["image_id"] == states[same_pixels]["image_id"]
        for upload_id, content in list(sent.items())[1:]:
            assert states[upload_id]["status"] == "stored"
            assert api.follow(api.get(f"/image/{states[upload_id]['image_id']}")).body == content
        assert [strikes(catalog, upload_id) for upload_id in every] == [0] * len(every)
        assert len(api.list()["images"]) == 6
        wait_until(lambda: not list((tmp_path / "incoming").iterdir()))
        objects = [path for path in files_in(tmp_path) if path.parent.name != "temporary"]  # that goes a day later
        assert len(objects) == 6 * 4
        swept = command(server.folder, "sweep", "--dry-run")
        assert (swept.returncode, swept.stdout) == (
            0,
            "Dry run, nothing was changed.\nNothing needed doing.\n0 broken invariants.\n",
        )


def test_a_client_whose_server_was_killed_under_it_finds_its_upload_taken_in(tmp_path: Path) -> None:
    with running(tmp_path, {"DECODE_PROCESSES": "1"}) as server:
        assert server.api.upload(pictures.png(0)).status == 201
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as client:
            waiting = client.submit(server.api.upload, pictures.png(1))
            wait_until(lambda: list((tmp_path / "incoming").iterdir()))
            server.kill()
            assert isinstance(waiting.exception(), ConnectionError)
    with running(tmp_path) as server:
        wait_until(lambda: not list((tmp_path / "incoming").iterdir()))
        answer = server.api.upload(pictures.png(1))
        assert (answer.status, answer.json()["match"]) == (200, "file")
        assert len(server.api.list()["images"]) == 2


def test_decoders_end_with_the_server_that_is_killed_alone(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.api.upload(pictures.png(0)).status == 201
        children = server.children()
        assert children
        server.kill_alone()
        wait_until(lambda: not any(is_running(pid) for pid in children))


def test_a_second_server_on_the_same_folder_leaves_the_first_ones_work_alone(tmp_path: Path) -> None:
    with running(tmp_path) as first, catalog_of(tmp_path) as catalog:
        assert first.api.upload(pictures.png(0)).status == 201
        children = first.children()
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        upload_id = send(first.api, pictures.png(1))
        wait_until(lambda: strikes(catalog, upload_id) == 1)
        before = catalog.uploads.get(upload_id)
        with running(tmp_path) as second:
            assert second.api.upload(pictures.png(2)).status == 201
            assert catalog.uploads.get(upload_id) == before
        for pid in children:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: first.api.status(upload_id)["status"] == "stored")
        assert len(first.api.list()["images"]) == 3
