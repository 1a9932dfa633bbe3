"""What only the store in a bucket promises: it signs as botocore does but without it, and outlives broken connections."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotocoreCredentials

from chalicelib import sigv4
from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.sigv4 import Credentials
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged
from chalicelib.storage.s3 import S3Store
from tests.contract.store.conftest import CREDENTIALS, PATIENCE, REGION, client, free_port, new_bucket, now, read

ROOT = Path(__file__).parents[3]
UPLOAD = "0" * 36
INCOMING = keys.incoming(UPLOAD)
ORIGINAL = keys.original("0" * 32)
TEMPORARY = Credentials("ASIAIOSFODNN7EXAMPLE", "secret/+=", "token/+= " * 100)
NAMES = ["IMG_0001.JPG", "Größe & Maß.jpg", 'a "b" \\c;~*.jpg', "日本 🎉+%41.jpg"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("credentials", [CREDENTIALS, TEMPORARY])
@pytest.mark.parametrize("endpoint_url", [None, "http://127.0.0.1:9000"])
def test_a_url_is_signed_as_botocore_signs_it(credentials: Credentials, endpoint_url: str | None, name: str) -> None:
    url = S3Store("bucket", REGION, now, endpoint_url, credentials).url(ORIGINAL, "image/jpeg", name, "inline")
    ours = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    response = {key: value for key, value in ours.items() if key.startswith("response-")}
    request = AWSRequest("GET", urlsplit(url)._replace(query="").geturl(), params=response)
    known = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    S3SigV4QueryAuth(known, "s3", REGION, expires=7200).add_auth(request)
    theirs = dict(parse_qsl(urlsplit(str(request.url)).query, strict_parsing=True))
    # botocore dates a URL with this second and we with this hour: sign once more, with its date.
    path, served = urlsplit(url).path, ours["response-content-disposition"]
    query = sigv4.presigned_get(credentials, REGION, urlsplit(url).netloc, path, theirs["X-Amz-Date"], served, "image/jpeg")
    assert dict(parse_qsl(query, strict_parsing=True)) == theirs


def _conditions(policy: str) -> set[str]:
    return {json.dumps(condition, sort_keys=True) for condition in json.loads(base64.b64decode(policy))["conditions"]}


@pytest.mark.parametrize("credentials", [CREDENTIALS, TEMPORARY])
@pytest.mark.parametrize("endpoint_url", [None, "http://127.0.0.1:9000"])
def test_a_ticket_is_that_of_botocore(credentials: Credentials, endpoint_url: str | None) -> None:
    session = boto3.session.Session(credentials.access_key, credentials.secret_key, credentials.token, region_name=REGION)
    config = Config(signature_version="s3v4", s3={"addressing_style": "path" if endpoint_url else "virtual"})
    presign = session.client("s3", endpoint_url=endpoint_url, config=config).generate_presigned_post
    theirs = presign("bucket", INCOMING, Conditions=[["content-length-range", 10, 10]], ExpiresIn=3600)
    ours = S3Store("bucket", REGION, now, endpoint_url, credentials).ticket(INCOMING, 10, now() + timedelta(hours=1))
    assert ours.url.rstrip("/") == theirs["url"].rstrip("/")
    assert ours.fields.keys() == theirs["fields"].keys()
    date, policy = theirs["fields"]["x-amz-date"], theirs["fields"]["policy"]
    same_second = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    again = sigv4.post_fields(credentials, REGION, "bucket", INCOMING, 10, same_second + timedelta(hours=1), same_second)
    assert _conditions(again["policy"]) == _conditions(policy)
    assert sigv4.sign(credentials.secret_key, date, REGION, policy) == theirs["fields"]["x-amz-signature"]


def test_a_url_is_the_same_for_an_hour_and_lives_for_one_to_two() -> None:
    def url(moment: datetime) -> str:
        return S3Store("bucket", REGION, lambda: moment, None, CREDENTIALS).url(ORIGINAL, "image/jpeg", "name", "inline")

    start = datetime(2026, 5, 17, 12, tzinfo=UTC)
    last = start + timedelta(hours=1, microseconds=-1)
    assert url(start) == url(last)
    assert url(last) != url(start + timedelta(hours=1))
    assert "X-Amz-Date=20260517T120000Z&X-Amz-Expires=7200&" in url(last)


SIGNER = f"""
import sys
from datetime import UTC, datetime
from chalicelib.storage.s3 import S3Store
from chalicelib.sigv4 import Credentials
store = S3Store("bucket", "{REGION}", lambda: datetime.now(UTC), None, Credentials("key", "secret"))
store.ticket("{INCOMING}", 1, datetime.now(UTC))
store.url("{ORIGINAL}", "image/jpeg", "name.jpg", "inline")
print(*(name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore", "urllib3", "s3transfer")))
"""


def test_signing_needs_nothing_of_boto3() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNER], capture_output=True, cwd=ROOT, text=True, check=True)
    assert done.stdout.strip() == ""


FINDER = f"""
from datetime import UTC, datetime
from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.storage.s3 import S3Store
store = S3Store("bucket", "{REGION}", lambda: datetime.now(UTC))
try:
    print(store.ticket("{INCOMING}", 1, datetime.now(UTC)).fields)
except UnavailableError as error:
    print(error)
"""


def test_without_credentials_of_its_own_a_store_signs_with_those_that_boto3_finds(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "[someone]\naws_access_key_id = AKIASOMEONE\naws_secret_access_key = secret\naws_session_token = token\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}

    def signed_with(**more: str) -> str:
        arguments = [sys.executable, "-c", FINDER]
        return subprocess.run(arguments, env=environment | more, capture_output=True, cwd=ROOT, text=True, check=True).stdout

    fields = signed_with(AWS_PROFILE="someone")
    assert "'x-amz-credential': 'AKIASOMEONE/" in fields
    assert "'x-amz-security-token': 'token'" in fields
    assert "no AWS credentials" in signed_with()


def test_raising_an_event_makes_the_bucket_speak_of_the_object_again(emulator: str) -> None:
    bucket, queues = new_bucket(emulator), client("sqs", emulator)
    store = S3Store(bucket, REGION, now, emulator, CREDENTIALS)
    store.put(INCOMING, b"content", "image/png")
    queue = queues.create_queue(QueueName=bucket)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    client("s3", emulator).put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    store.raise_event(INCOMING)
    records = _records(queues, queue)
    assert [unquote_plus(record["s3"]["object"]["key"]) for record in records] == [INCOMING]
    assert client("s3", emulator).head_object(Bucket=bucket, Key=INCOMING)["ContentType"] == "image/png"
    with store.open(INCOMING) as reading:
        assert read(reading) == b"content"


def _records(queues: Any, queue: str) -> list[dict[str, Any]]:
    """The first records that arrive; the test event that S3 sends at first holds none."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for message in queues.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", ()):
            queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if records := json.loads(message["Body"]).get("Records"):
                return list(records)
    return []


def test_a_copy_takes_the_type_it_is_given(emulator: str) -> None:
    bucket = new_bucket(emulator)
    store = S3Store(bucket, REGION, now, emulator, CREDENTIALS)
    store.put(INCOMING, b"content", "application/octet-stream")
    with store.open(INCOMING) as reading:
        store.copy(INCOMING, reading.etag, ORIGINAL, "image/jpeg")
    assert client("s3", emulator).head_object(Bucket=bucket, Key=ORIGINAL)["ContentType"] == "image/jpeg"


def test_a_bucket_that_keeps_versions_is_where_an_object_lies_aside(moto: str) -> None:
    bucket, s3 = new_bucket(moto), client("s3", moto)
    store = S3Store(bucket, REGION, now, moto, CREDENTIALS)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put(ORIGINAL, b"content", "image/jpeg")
    store.set_aside([ORIGINAL], now())
    assert store.head(ORIGINAL) is None
    assert store.forget_aside(now().date() + timedelta(days=30), dry_run=False) == 0
    found = s3.list_object_versions(Bucket=bucket)
    assert [(version["Key"], version["IsLatest"]) for version in found["Versions"]] == [(ORIGINAL, False)]
    # What docs/operations.md tells an operator to do.
    [marker] = found["DeleteMarkers"]
    s3.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])
    with store.open(ORIGINAL) as reading:
        assert read(reading) == b"content"


def test_a_bucket_that_keeps_versions_keeps_the_last_of_those_put_under_one_key(emulator: str) -> None:
    bucket, s3 = new_bucket(emulator), client("s3", emulator)
    store = S3Store(bucket, REGION, now, emulator, CREDENTIALS)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"first", b"second", b"last"):
        store.put(INCOMING, content, "image/jpeg")
    store.put(ORIGINAL, b"kept", "image/jpeg")
    store.put(ORIGINAL, b"kept too", "image/jpeg")
    store.delete([INCOMING])
    store.forget_earlier(INCOMING)
    found = {key: [version for version in s3.list_object_versions(Bucket=bucket)["Versions"] if version["Key"] == key]
             for key in (INCOMING, ORIGINAL)}  # fmt: skip
    [last] = found[INCOMING]
    assert s3.get_object(Bucket=bucket, Key=INCOMING, VersionId=last["VersionId"])["Body"].read() == b"last"
    assert len(found[ORIGINAL]) == 2


def test_a_store_that_is_down_says_so_from_every_method() -> None:
    store = S3Store("bucket", REGION, now, f"http://127.0.0.1:{free_port()}", CREDENTIALS)
    acts: list[Callable[[], object]] = [
        store.check,
        lambda: store.put(INCOMING, b"x", "image/jpeg"),
        lambda: store.open(INCOMING).__enter__(),
        lambda: store.head(INCOMING),
        lambda: store.copy(INCOMING, '"0"', ORIGINAL, "image/jpeg"),
        lambda: store.delete([INCOMING]),
        lambda: store.forget_earlier(INCOMING),
        lambda: list(store.list("incoming/")),
        lambda: store.raise_event(INCOMING),
        lambda: store.set_aside([ORIGINAL], now()),
        lambda: store.forget_aside(now().date(), dry_run=True),
        store.repository_id,
        lambda: store.keep_repository_id("0" * 32),
    ]
    with ThreadPoolExecutor(len(acts)) as threads:
        for answer in [threads.submit(act) for act in acts]:
            with pytest.raises(UnavailableError):
                answer.result()


def test_what_s3_refuses_is_a_store_that_is_down_and_tells_no_secret(emulator: str) -> None:
    bucket = new_bucket(emulator)
    strangers = S3Store(bucket, REGION, now, emulator, Credentials("AKIAI44QH8DHBEXAMPLE", "another secret"))
    for store in (strangers, S3Store("no-such-bucket", REGION, now, emulator, CREDENTIALS)):
        with pytest.raises(UnavailableError) as caught:
            store.put(INCOMING, b"x", "image/jpeg")
        assert "secret" not in caught.value.message
        with pytest.raises(UnavailableError):
            store.check()


def test_what_has_to_be_mended_is_told_apart_from_a_bucket_that_is_down(emulator: str) -> None:
    """With its cause, and what to do; an answer to a look is enough, that there is no such object."""
    there = S3Store(new_bucket(emulator), REGION, now, emulator, CREDENTIALS)
    there.check()
    there.check_writing()
    nowhere = S3Store("no-such-bucket", REGION, now, emulator, CREDENTIALS)
    with pytest.raises(MisconfiguredError) as caught:
        nowhere.check()
    assert (caught.value.status, caught.value.code) == (503, "UnavailableError")
    assert caught.value.cause == "there is no such bucket: see IMAGE_BUCKET [GetObject: NoSuchBucket]"
    with pytest.raises(UnavailableError) as down:
        S3Store("bucket", REGION, now, f"http://127.0.0.1:{free_port()}", CREDENTIALS).check()
    assert not isinstance(down.value, MisconfiguredError)
    assert "EndpointConnectionError" in down.value.cause


class Strict(BaseHTTPRequestHandler):
    """Answers DeleteObjects as S3 does where the emulators do not: a thousand keys at most, and refusals key by key."""

    def do_POST(self) -> None:
        named = re.findall(rb"<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])))
        refused = [key for key in named if key.startswith(b"originals/")]
        errors = b"".join(b"<Error><Key>%s</Key><Code>AccessDenied</Code></Error>" % key for key in refused)
        self.send_response(200 if len(named) <= 1000 else 400)
        self.end_headers()
        self.wfile.write(b"<DeleteResult>%s</DeleteResult>" % errors)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def strict() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Strict) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_delete_that_is_refused_in_part_is_not_passed_over(strict: str) -> None:
    store = S3Store("bucket", REGION, now, strict, CREDENTIALS)
    store.delete([INCOMING])
    with pytest.raises(UnavailableError, match="AccessDenied"):
        store.delete([INCOMING, ORIGINAL])


def test_no_delete_names_more_keys_than_s3_takes(strict: str) -> None:
    S3Store("bucket", REGION, now, strict, CREDENTIALS).delete(keys.incoming(f"{number:036}") for number in range(2001))


class Cutter:
    """Stands between a client and a server, and cuts the first answers of more than `after` bytes when they reach that."""

    def __init__(self, server: str, after: int) -> None:
        self._server = ("127.0.0.1", urlsplit(server).port or 0)
        self.after = after
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()
            threading.Thread(target=self._answer, args=(far, near), daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65536):
                far.sendall(data)
        _hang_up(far)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := far.recv(65536):
                passed += len(data)
                if self.cuts > 0 and passed > self.after:
                    self.cuts -= 1
                    break
                near.sendall(data)
        _hang_up(near)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


LARGE = bytes(range(256)) * 4096 * 5


@pytest.fixture
def cutter(emulator: str) -> Iterator[Cutter]:
    cutter = Cutter(emulator, after=2_000_000)
    yield cutter
    cutter.close()


@pytest.fixture
def cut_off(emulator: str, cutter: Cutter) -> S3Store:
    store = S3Store(new_bucket(emulator), REGION, now, cutter.url, CREDENTIALS)
    store.put(INCOMING, LARGE, "image/jpeg")
    return store


def test_reading_goes_on_where_a_connection_broke(cutter: Cutter, cut_off: S3Store) -> None:
    cutter.cuts = 2
    with cut_off.open(INCOMING) as reading:
        assert read(reading) == LARGE
        assert read(reading) == LARGE, "a second look is at the same bytes"
    assert cutter.cuts == 0


def test_an_object_replaced_while_its_connection_was_broken_has_changed(cutter: Cutter, cut_off: S3Store) -> None:
    cutter.cuts = 1
    with cut_off.open(INCOMING) as reading:
        chunks = reading.chunks()
        next(chunks)
        cut_off.put(INCOMING, LARGE[::-1], "image/jpeg")
        with pytest.raises(ObjectChanged):
            list(chunks)


def test_an_object_deleted_while_its_connection_was_broken_has_changed(cutter: Cutter, cut_off: S3Store) -> None:
    cutter.cuts = 1
    with cut_off.open(INCOMING) as reading:
        chunks = reading.chunks()
        next(chunks)
        cut_off.delete([INCOMING])
        with pytest.raises(ObjectChanged):
            list(chunks)


def test_connections_that_always_break_are_a_store_that_is_down(cutter: Cutter, cut_off: S3Store) -> None:
    cutter.cuts, cutter.after = 1_000, 600_000
    with pytest.raises(UnavailableError), cut_off.open(INCOMING) as reading:
        read(reading)
