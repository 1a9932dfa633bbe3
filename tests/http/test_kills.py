"""A server killed again and again while clients upload: what was acknowledged is stored whole, and nothing is left behind."""

import hashlib
import http.client
import os
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests import pictures
from tests.http.client import Api
from tests.http.server import Server, command, running
from tests.http.waiting import wait_until

#: `make soak` asks for more.
KILLS = int(os.environ.get("SOAK_KILLS", "3"))
CLIENTS = 4


class Acknowledged:
    """The SHA-256 of every file that a client was told is accepted."""

    def __init__(self) -> None:
        self.by_upload: dict[str, str] = {}
        self.by_image: dict[int, str] = {}


def _sent(api: Api, content: bytes, told: Acknowledged) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if content[-1] & 1:
        answer = api.upload(content)
        if answer.status in (200, 201):
            told.by_image[answer.json()["id"]] = digest
        elif answer.status == 202:
            told.by_upload[answer.json()["upload_id"]] = digest
        return
    ticket = api.ask_for(content)
    if api.post_ticket(ticket, content).status == 204:
        told.by_upload[ticket["upload_id"]] = digest


def _client(server: Server, next_content: Callable[[], bytes], told: Acknowledged, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            _sent(server.api, next_content(), told)
        except (OSError, http.client.HTTPException):  # the server has been killed, or is not there yet
            return


def test_whatever_was_acknowledged_before_any_kill_is_stored_whole(tmp_path: Path) -> None:
    told, numbers, rng = Acknowledged(), iter(range(1_000_000)), random.Random(os.environ.get("SOAK_SEED", "kills"))  # noqa: S311 - no secret
    for _ in range(KILLS):
        with running(tmp_path) as server:
            stop = threading.Event()
            arguments = (server, lambda: pictures.png(next(numbers)), told, stop)
            clients = [threading.Thread(target=_client, args=arguments) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(rng.uniform(0.05, 1.5))
            server.kill()
            stop.set()
            for client in clients:
                client.join()
    with running(tmp_path) as server:
        for upload_id, digest in told.by_upload.items():
            told.by_image[wait_until(partial(_ended, server.api, upload_id)) or 0] = digest
        for image_id, digest in told.by_image.items():
            original = server.api.follow(server.api.get(f"/image/{image_id}"))
            assert hashlib.sha256(original.body).hexdigest() == digest
    swept = command(tmp_path, "sweep", "--dry-run")
    assert (swept.returncode, swept.stderr) == (0, ""), swept
    assert "0 broken invariants" in swept.stdout
    print(f"{KILLS} kills, {len(told.by_image)} acknowledged uploads, none lost")


def _ended(api: Api, upload_id: str) -> int | None:
    state = api.status(upload_id)
    assert state["status"] in ("pending", "processing", "stored", "duplicate"), state
    image_id: int | None = state.get("image_id")
    return image_id
