"""Watching a store: each object that arrives is announced, once for each time that it was written."""

import os
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.local.queue import Notification
from chalicelib.local.watch import Watch
from chalicelib.storage import keys
from chalicelib.storage.disk import DiskStore
from tests.repositories import disk_at

ONE, OTHER = keys.incoming("0" * 36), keys.incoming("1" * 36)


class Heard:
    """What was announced since it was last asked."""

    def __init__(self) -> None:
        self._events: list[Any] = []

    def send(self, notification: Notification) -> None:
        self._events.append(notification)

    def keys(self) -> list[str]:
        events, self._events = self._events, []
        return [record["s3"]["object"]["key"] for event in events for record in event["Records"]]


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return disk_at(tmp_path / "store")


def test_an_object_is_announced_once_and_again_when_it_comes_back(store: DiskStore) -> None:
    heard = Heard()
    watch = Watch(store, heard.send)
    watch.look()
    assert heard.keys() == []
    store.put(ONE, b"one", "image/png")
    watch.look()
    store.put(OTHER, b"other", "image/png")
    watch.look()
    watch.look()
    assert heard.keys() == [ONE.replace("/", "%2F"), OTHER.replace("/", "%2F")]
    store.delete([ONE])
    watch.look()
    store.put(ONE, b"one", "image/png")
    watch.look()
    assert heard.keys() == [ONE.replace("/", "%2F")]


def test_an_object_that_is_written_anew_is_announced_anew(store: DiskStore, tmp_path: Path) -> None:
    heard = Heard()
    watch = Watch(store, heard.send)
    store.put(ONE, b"one", "image/png")
    watch.look()
    (file,) = (path for path in (tmp_path / "store" / "incoming").rglob("*") if path.is_file())
    os.utime(file, (2_000_000_000, 2_000_000_000))
    watch.look()
    watch.look()
    assert heard.keys() == [ONE.replace("/", "%2F")] * 2


def test_a_store_that_does_not_answer_for_a_while_has_nothing_announced_twice(store: DiskStore, tmp_path: Path) -> None:
    heard = Heard()
    watch = Watch(store, heard.send)
    store.put(ONE, b"one", "image/png")
    watch.look()
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(UnavailableError):
        watch.look()
    (tmp_path / "away").rename(tmp_path / "store")
    watch.look()
    assert heard.keys() == [ONE.replace("/", "%2F")]
