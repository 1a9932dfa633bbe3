"""Many uploads at once, while the database is killed, the stack is updated and functions die at work: none is lost."""

import os
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import pictures
from tests.databases import MariaDb
from tests.deployed.client import ENDED, Stack, post, redrive, until
from tests.deployed.conftest import CODE_BUCKET, STACK, run
from tests.deployed.emulator import Emulator
from tests.http.waiting import wait_until

pytestmark = [
    pytest.mark.usefixtures("impatient_queue"),
    pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "soak", reason="it takes minutes: make soak"),
]
UPLOADS = 200
#: Seconds: longer than a dead function's lease on an upload is taken for alive, and its queue's delays.
PATIENCE = 900.0


def test_whatever_happens_under_load_every_upload_ends_and_none_is_lost(
    stack: Stack, database: MariaDb, deployable: Path
) -> None:
    load = Load(stack, "load")
    with load.sending():
        load.wait_for(0.3)
        database.kill()
        load.wait_for(0.3)
        database.start()
        # The emulator ends functions at work when it updates them.
        run("infra.deploy", "--stack", STACK, "--bucket", CODE_BUCKET, "--package", str(deployable), "LogRetentionDays=14")
    load.assert_nothing_is_lost()


@pytest.mark.parametrize("function", ["Decode", "Ingest"])
def test_functions_that_are_killed_at_work_lose_nothing(aws: Emulator, stack: Stack, function: str) -> None:
    load = Load(stack, f"killed in {function}")
    with load.sending():
        for _ in range(10):
            load.wait_for(0.08)
            assert wait_until(lambda: aws.kill_functions(function)) > 0
    load.assert_nothing_is_lost()


class Load:
    """Uploads of as many pictures at once, none like another."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack, self._name = stack, name
        seed = zlib.crc32(name.encode())
        self._files = [(f"{name} {number}.png", pictures.png(seed + number)) for number in range(UPLOADS)]
        self._tickets = [ticket for begin in range(0, UPLOADS, 50) for ticket in stack.ask(*self._files[begin : begin + 50])]
        self._sent = threading.Semaphore(0)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Every post is under way meanwhile, twenty at a time, and done afterwards."""
        with ThreadPoolExecutor(20) as pool:
            posted = [pool.submit(self._send, number) for number in range(UPLOADS)]
            yield
        assert {each.result() for each in posted} == {204}

    def _send(self, number: int) -> int:
        status = post(self._tickets[number], self._files[number][1]).status_code
        self._sent.release()
        return status

    def wait_for(self, share: float) -> None:
        for _ in range(int(UPLOADS * share)):
            assert self._sent.acquire(timeout=120)

    def assert_nothing_is_lost(self) -> None:
        found = until(self._statuses, lambda counted: sum(counted[status] for status in ENDED) == UPLOADS, PATIENCE)
        assert found == {"stored": UPLOADS}
        until(lambda: self._stack.objects("incoming/") + self._stack.objects("decoded/"), lambda left: left == [], PATIENCE)
        listed = {item["name"] for item in self._stack.get(f"/image/list?limit=200&name={quote(self._name)}")["images"]}
        assert listed == {name for name, _ in self._files}
        assert self._stack.admin(command="sweep", dry_run=True)["problems"] == []

    def _statuses(self) -> Counter[str]:
        redrive(self._stack)
        return Counter(self._stack.status(ticket["upload_id"])["status"] for ticket in self._tickets)
