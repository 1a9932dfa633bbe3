"""The laptop's event queue."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chalicelib.local.queue import EventQueue, Notification
from tests.repositories import repository_in

BOUND_SECONDS = 60.0


def numbered(number: int) -> Notification:
    return {"number": number}


def test_everything_sent_is_delivered_before_drain_returns() -> None:
    seen: Counter[Any] = Counter()
    queue = EventQueue(lambda notification: seen.update([notification["number"]]), workers=3, patience=BOUND_SECONDS)
    queue.drain()
    for number in range(200):
        queue.send(numbered(number))
    queue.drain()
    assert seen == Counter(range(200))


def test_what_a_handler_fails_at_is_delivered_again_until_it_succeeds() -> None:
    tries: Counter[Any] = Counter()

    def handle(notification: Notification) -> None:
        tries.update([notification["number"]])
        if notification["number"] == 1 and tries[1] < 3:
            raise RuntimeError("not yet")

    queue = EventQueue(handle, workers=1, patience=BOUND_SECONDS)
    for number in range(3):
        queue.send(numbered(number))
    queue.drain()
    assert tries == {0: 1, 1: 3, 2: 1}


def test_a_failing_delivery_does_not_hold_up_the_others() -> None:
    order: list[int] = []

    def handle(notification: Notification) -> None:
        if notification["number"] == 0 and not order:
            order.append(-1)
            raise RuntimeError("later, please")
        order.append(notification["number"])

    queue = EventQueue(handle, workers=1, patience=BOUND_SECONDS)
    for number in range(3):
        queue.send(numbered(number))
    queue.drain()
    assert order == [-1, 1, 2, 0]


def test_as_many_are_handled_at_once_as_there_are_workers_and_no_more() -> None:
    together = threading.Barrier(3, timeout=BOUND_SECONDS)
    at_once, most = 0, 0
    lock = threading.Lock()

    def handle(_: Notification) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        together.wait()
        with lock:
            at_once -= 1

    queue = EventQueue(handle, workers=3, patience=BOUND_SECONDS)
    for number in range(9):
        queue.send(numbered(number))
    queue.drain()
    assert most == 3


def test_an_event_that_a_handler_sends_is_waited_for_too() -> None:
    seen: list[int] = []

    def handle(notification: Notification) -> None:
        seen.append(notification["number"])
        if notification["number"] < 5:
            queue.send(numbered(notification["number"] + 1))

    queue = EventQueue(handle, workers=2, patience=BOUND_SECONDS)
    queue.send(numbered(0))
    queue.drain()
    assert seen == [0, 1, 2, 3, 4, 5]


def test_what_is_not_waited_for_any_longer_is_delivered_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """However long it fails, and the log tells of it once: when it begins, and when it ends."""
    delivered, mended = threading.Event(), threading.Event()

    def handle(_: Notification) -> None:
        if not mended.is_set():
            raise RuntimeError("not yet")
        delivered.set()

    queue = EventQueue(handle, workers=1, patience=0.6)  # by then it has failed twice
    queue.send(numbered(0))
    queue.drain()
    assert not delivered.is_set()
    mended.set()
    assert delivered.wait(BOUND_SECONDS)
    queue.patience = BOUND_SECONDS
    queue.drain()
    told = [record.getMessage() for record in caplog.records if "an event" in record.getMessage()]
    assert [message.partition("(")[0] for message in told] == [
        "an event will be delivered again until it succeeds ",
        "an event succeeded at its delivery number 3",
    ]


def test_whoever_waits_outwaits_the_lease_of_a_worker_that_is_gone(tmp_path: Path) -> None:
    repository = repository_in(tmp_path, stale_seconds=5000)
    assert isinstance(repository.queue, EventQueue)
    assert repository.queue.patience > repository.ingest.stale_after.total_seconds() == 5000


def test_a_handler_that_only_waits_lets_others_be_handled() -> None:
    """Beyond the number of workers, which counts those at work."""
    gate, handled = threading.Event(), list[object]()

    def handle(notification: Notification) -> None:
        if notification["number"]:
            with queue.aside():
                assert gate.wait(BOUND_SECONDS)
        handled.append(notification["number"])
        if not notification["number"]:
            gate.set()

    queue = EventQueue(handle, workers=1, patience=BOUND_SECONDS)
    for number in (1, 2, 3, 0):
        queue.send({"number": number})
    queue.drain()
    assert handled[0] == 0
    assert sorted(handled, key=str) == [0, 1, 2, 3]
