"""Every store there is, each for real, behind one way to look at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.storage.disk import DiskStore
from chalicelib.storage.port import ObjectStore, Reading
from chalicelib.storage.presign import StoreRefusal


@dataclass(frozen=True)
class Answer:
    """What a store says to a client over HTTP: `code` is S3's, empty where it did as asked."""

    status: int
    code: str = ""
    content_type: str = ""
    content_disposition: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Backend:
    """A store and what a client can do with what it signs."""

    store: ObjectStore
    post: Callable[[Mapping[str, str], bytes], Answer]
    get: Callable[[str], Answer]


def read(reading: Reading) -> bytes:
    return b"".join(reading.chunks())


def on_disk(folder: Path) -> Backend:
    store = DiskStore(folder, "http://127.0.0.1:8000/store", lambda: datetime.now(UTC), None)

    def post(fields: Mapping[str, str], content: bytes) -> Answer:
        try:
            store.post(fields.items(), content)
        except StoreRefusal as refusal:
            return Answer(refusal.status, refusal.code)
        return Answer(204)

    def get(url: str) -> Answer:
        try:
            grant = store.presigner.check_get(parse_qsl(urlsplit(url).query))
        except StoreRefusal as refusal:
            return Answer(refusal.status, refusal.code)
        with store.open(grant.key) as reading:
            return Answer(200, "", grant.content_type, grant.content_disposition, read(reading))

    return Backend(store, post, get)


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return on_disk(tmp_path / "store")


@pytest.fixture
def store(backend: Backend) -> ObjectStore:
    return backend.store
