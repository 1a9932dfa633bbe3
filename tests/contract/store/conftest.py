"""Every store there is, each for real, behind one way to look at it."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
import urllib3

from chalicelib.sigv4 import Credentials
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.disk_presign import StoreError
from chalicelib.storage.port import ObjectStore, Reading
from chalicelib.storage.s3 import S3Store

REGION = "eu-central-1"
CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#: Seconds; a server that takes longer to come up will not.
PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """What a store says to a client over HTTP: `code` is S3's, empty where it did as asked."""

    status: int
    code: str
    content: bytes
    content_type: str = ""
    content_disposition: str = ""
    cache_control: str = ""


@dataclass(frozen=True)
class Backend:
    """A store and what a client can do with what it signs."""

    store: ObjectStore
    post: Callable[[Mapping[str, str], bytes], Answer]
    get: Callable[[str], Answer]


def now() -> datetime:
    return datetime.now(UTC)


def read(reading: Reading) -> bytes:
    return b"".join(reading.chunks())


def on_disk(folder: Path) -> Backend:
    store = DiskStore(folder, "http://127.0.0.1:8000/store", now, None)

    def post(fields: Mapping[str, str], content: bytes) -> Answer:
        try:
            store.post(fields.items(), [content])
        except StoreError as refusal:
            return Answer(refusal.status, refusal.code, b"")
        return Answer(204, "", b"")

    def get(url: str) -> Answer:
        try:
            grant = store.presigner.check_get(parse_qsl(urlsplit(url).query))
        except StoreError as refusal:
            return Answer(refusal.status, refusal.code, b"")
        with store.open(grant.key) as reading:
            content = read(reading)
        return Answer(200, "", content, grant.content_type, grant.content_disposition, grant.cache_control)

    return Backend(store, post, get)


def client(service: str, endpoint_url: str) -> Any:
    """Another client than the store's own, to arrange things with and to look at them."""
    session = boto3.session.Session(CREDENTIALS.access_key, CREDENTIALS.secret_key, region_name=REGION)
    return session.client(service, endpoint_url=endpoint_url)  # type: ignore[call-overload] # any service


def new_bucket(endpoint_url: str) -> str:
    bucket = f"bucket-{secrets.token_hex(8)}"
    client("s3", endpoint_url).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def in_bucket(endpoint_url: str) -> Backend:
    bucket = new_bucket(endpoint_url)

    def post(fields: Mapping[str, str], content: bytes) -> Answer:
        form: dict[str, str | tuple[str, bytes, str]] = {**fields, "file": ("IMG_0001.JPG", content, "image/jpeg")}
        return _answer(urllib3.request("POST", f"{endpoint_url}/{bucket}/", fields=list(form.items())))

    def get(url: str) -> Answer:
        return _answer(urllib3.request("GET", url))

    return Backend(S3Store(bucket, REGION, now, endpoint_url, CREDENTIALS), post, get)


def _answer(response: urllib3.BaseHTTPResponse) -> Answer:
    code = re.search(rb"<Code>(\w+)</Code>", response.data)
    served = [response.headers.get(name, "") for name in ("Content-Type", "Content-Disposition", "Cache-Control")]
    return Answer(response.status, code[1].decode() if code else "", response.data, *served)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an S3 that checks signatures and policies, for the whole session."""
    folder, port = tmp_path_factory.mktemp("emulator"), free_port()
    environment = {
        **os.environ,
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "SERVICES": "s3,sqs",
        "TMPDIR": str(folder),
    }
    yield from _server([sys.executable, "-m", "ministack"], port, folder, environment)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of another S3, written by others, for the whole session; it looks at no signature and no copy's ETag."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    yield from _server(command, port, tmp_path_factory.mktemp("moto"), dict(os.environ))


def _server(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["disk", "emulator"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "disk":
        return on_disk(tmp_path / "store")
    return in_bucket(request.getfixturevalue(request.param))


@pytest.fixture(params=["disk", "emulator", "moto"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "disk":
        return on_disk(tmp_path / "store").store
    return in_bucket(request.getfixturevalue(request.param)).store
