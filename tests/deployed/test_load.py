"""Many uploads at once, while the database is killed, the stack is updated and functions die at work: none is lost."""

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import pictures
from tests.databases import MariaDb
from tests.deployed.client import ENDED, Stack, post, redrive, until
from tests.deployed.conftest import CODE_BUCKET, STACK, run
from tests.http.waiting import wait_until

pytestmark = [
    pytest.mark.usefixtures("impatient_queue"),
    pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "soak", reason="it takes minutes: make soak"),
]
UPLOADS = 200


def test_whatever_happens_under_load_every_upload_ends_and_none_is_lost(
    stack: Stack, database: MariaDb, deployable: Path
) -> None:
    files = [(f"load {number}.png", pictures.png(1000 + number)) for number in range(UPLOADS)]
    tickets = [ticket for begin in range(0, UPLOADS, 50) for ticket in stack.ask(*files[begin : begin + 50])]
    sent = threading.Semaphore(0)

    def send(number: int) -> int:
        status = post(tickets[number], files[number][1]).status_code
        sent.release()
        return status

    def after(share: float) -> None:
        for _ in range(int(UPLOADS * share)):
            assert sent.acquire(timeout=120)

    with ThreadPoolExecutor(20) as pool:
        posted = [pool.submit(send, number) for number in range(UPLOADS)]
        after(0.3)
        database.kill()
        after(0.3)
        database.start()
        # The emulator ends functions at work when it updates them.
        run("infra.deploy", "--stack", STACK, "--bucket", CODE_BUCKET, "--package", str(deployable), "LogRetentionDays=14")
    assert {each.result() for each in posted} == {204}

    def statuses() -> Counter[str]:
        redrive(stack)
        return Counter(stack.status(ticket["upload_id"])["status"] for ticket in tickets)

    found = until(statuses, lambda counted: sum(counted[status] for status in ENDED) == UPLOADS)
    assert found == {"stored": UPLOADS}
    wait_until(lambda: stack.objects("incoming/") + stack.objects("decoded/") == [])
    listed = {item["name"] for item in stack.get("/image/list?limit=200&name=load")["images"]}
    assert listed == {name for name, _ in files}
    assert stack.admin(command="sweep", dry_run=True)["problems"] == []
