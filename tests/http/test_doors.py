"""The server's doors: who is let in, before how much has been read of what they send, and what it costs the machine."""

import contextlib
import hashlib
import http.client
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import pictures
from tests.access_table import GARBAGE
from tests.http.client import FORM, JSON, Answer, Api, assert_refused, file_part, form
from tests.http.conftest import MakeRuntime, in_process_api
from tests.http.server import Server, command, refusal_at_start, running
from tests.http.waiting import wait_until

PHOTO = pictures.photo(1)
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.org"}


def upload(api: Api, headers: Mapping[str, str]) -> Answer:
    return api.send("POST", "/image/upload", {**FORM, **headers}, form([file_part("image", "photo.jpg", PHOTO)]))


def connected(server: Server) -> socket.socket:
    port = urlsplit(server.api.public_url).port
    return socket.create_connection(("127.0.0.1", port or 0), timeout=60)


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    with contextlib.closing(http.client.HTTPResponse(connection)) as answer:
        answer.begin()
        return answer.status, json.loads(answer.read())


# Pages of elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        ELSEWHERE,
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "something new"},
    ],
)
def test_a_page_of_elsewhere_gets_the_same_refusal_for_whatever_it_asks(server: Server, headers: dict[str, str]) -> None:
    api = server.api
    image = upload(api, {}).json()
    held = api.list({"limit": 1, "include_total": "true"})["total"]
    refusals = [
        api.send("GET", f"/image/{image['id']}", headers, b""),
        api.send("GET", "/image/999999", headers, b""),
        api.send("GET", f"/image/{image['id']}/thumbnail", headers, b""),
        api.send("GET", "/image/list", headers, b""),
        api.send("GET", "/health", headers, b""),
        api.send("DELETE", f"/image/{image['id']}", headers, b""),
        api.send("POST", "/image/upload", {**FORM, **headers}, form([file_part("image", "b.png", pictures.png(9))])),
        api.send("POST", "/image/uploads", {**JSON, **headers}, b'{"files": [{"name": "a", "size": 5}]}'),
    ]
    for answer in refusals:
        assert_refused(answer, 403, "ForbiddenError")
        assert answer.body == refusals[0].body
    assert api.list({"limit": 1, "include_total": "true"})["total"] == held


def test_the_page_itself_and_programs_are_let_in(server: Server) -> None:
    api = server.api
    own = f"http://{urlsplit(api.public_url).netloc}"
    for headers in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": own}, {"Sec-Fetch-Site": "none"}, {"Origin": own}):
        assert upload(api, headers).status in (200, 201), headers
        answer = api.send("GET", "/image/list", headers, b"")
        assert (answer.status, answer.headers["cross-origin-resource-policy"]) == (200, "same-origin")
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert api.send("GET", "/", link, b"").status == 200
    assert api.send("GET", "/image/list", link, b"").status == 403


def test_a_signed_url_is_good_wherever_it_is_used(server: Server) -> None:
    image = upload(server.api, {}).json()
    answer = server.api.send("GET", server.api.target(image["thumbnail_url"]), ELSEWHERE, b"")
    assert answer.status == 200
    assert "cross-origin-resource-policy" not in answer.headers


@pytest.mark.parametrize("allowed", ["https://gallery.example.org", "*"])
def test_the_origin_that_the_settings_name_is_let_in(make_runtime: MakeRuntime, allowed: str) -> None:
    make_runtime(allowed_origin=allowed)
    api = in_process_api()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://gallery.example.org"}
    answer = api.send("GET", "/image/list", headers, b"")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, allowed)
    assert api.send("GET", "/image/list", {"Sec-Fetch-Site": "cross-site"}, b"").status == 403


# Machines of elsewhere


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "pictures.example.org"])  # noqa: S104 - that is the point
def test_an_open_server_does_not_listen_to_the_network_unasked(tmp_path: Path, host: str) -> None:
    said = refusal_at_start(tmp_path / "new", None, "--host", host)
    # An address that is not this machine's cannot be listened on at all, which is said first.
    assert "OPEN_TO_NETWORK=true" in said or "cannot listen" in said
    assert not (tmp_path / "new").exists()


# Bodies


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("guarded"), {"AUTH": "keys"}) as server:
        yield server


@pytest.fixture(scope="module")
def reader(guarded: Server) -> str:
    made = command(guarded.folder, "keys", "create", "--owner", "alice", "--scope", "read", settings={"AUTH": "keys"})
    found = re.search(r"imr_\S+", made.stdout)
    assert found, made
    return found[0]


@pytest.mark.parametrize("path", ["/image/upload", "/image/uploads"])
@pytest.mark.parametrize("bearing", ["nothing", "garbage", "unknown", "reader"])
@pytest.mark.parametrize("size", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
def test_no_body_is_read_before_the_key(guarded: Server, reader: str, path: str, bearing: str, size: str) -> None:
    """The answer comes although not one byte of the body ever does; `100 Continue` does not."""
    bearers = {"garbage": "Bearer imr_x", "unknown": GARBAGE, "reader": f"Bearer {reader}"}
    key = f"Authorization: {bearers[bearing]}\r\n" if bearing in bearers else ""
    with connected(guarded) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n{key}{size}\r\n\r\n"
        connection.sendall(head.encode())
        status, body = answer_of(connection)
    expected = (401, "UnauthorizedError") if bearing in ("nothing", "garbage") else (403, "ForbiddenError")
    assert (status, body["Code"]) == expected


def test_an_unsigned_form_is_refused_before_its_file_has_come(server: Server) -> None:
    ticket = server.api.ask_for(PHOTO)
    fields = {**ticket["fields"], "x-amz-signature": "0" * 64}
    parts = [b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (n.encode(), v.encode()) for n, v in fields.items()]
    body = form([*parts, file_part("file", "blob", PHOTO)])
    begun = body[: body.index(PHOTO) + 10]
    head = (
        f"POST /store HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: 50000000\r\n\r\n"
    )
    with connected(server) as connection:
        connection.sendall(head.encode() + begun)
        with contextlib.closing(http.client.HTTPResponse(connection)) as answer:
            answer.begin()
            assert (answer.status, b"SignatureDoesNotMatch" in answer.read()) == (403, True)


def test_a_body_in_chunks_is_taken(server: Server) -> None:
    content = pictures.png(31)
    ticket = server.api.ask_for(content)
    parts = [
        b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (name.encode(), value.encode())
        for name, value in ticket["fields"].items()
    ]
    for path, body in (
        ("/image/upload", form([file_part("image", "chunked.png", pictures.png(30))])),
        ("/store", form([*parts, file_part("file", "blob", content)])),
    ):
        pieces = [body[at : at + 997] for at in range(0, len(body), 997)]
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.api.public_url).port, timeout=60)
        try:
            connection.request("POST", path, iter(pieces), FORM, encode_chunked=True)
            answer = connection.getresponse()
            assert (answer.status, path) in ((201, "/image/upload"), (204, "/store"))
            answer.read()
            connection.request("GET", "/health")  # the connection goes on where the body ended
            assert connection.getresponse().status == 200
        finally:
            connection.close()
    state = wait_until(lambda: _ended(server.api, ticket["upload_id"]))
    assert server.api.details(state["image_id"])["sha256"] == hashlib.sha256(content).hexdigest()


def _ended(api: Api, upload_id: str) -> Any:
    state = api.status(upload_id)
    return state if state["status"] not in ("pending", "processing") else None


def test_chunks_without_end_are_refused_at_the_limit(tmp_path: Path) -> None:
    with running(tmp_path, {"MAX_BYTES": "1000"}) as server, connected(server) as connection:
        head = f"POST /image/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM['Content-Type']}\r\n"
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(40):
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        status, body = answer_of(connection)
        assert (status, body["Code"]) == (413, "PayloadTooLargeError")
        assert server.api.get("/health").status == 200


def resident(server: Server) -> int:
    """The memory of the server's own process, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bodies_that_are_coming_and_files_that_are_going_take_no_memory(tmp_path: Path) -> None:
    """Eight of 30 MB of each: in memory they would be 480 MB."""
    size, count = 30_000_000, 8
    with running(tmp_path) as server, contextlib.ExitStack() as stack:
        large = stack.enter_context(contextlib.closing(_store_large(server, size)))
        before = resident(server)
        coming = [stack.enter_context(connected(server)) for _ in range(count)]
        for connection in coming:
            head = f"POST /image/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM['Content-Type']}\r\n"
            connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode() + bytes(size - 1))
        going = [stack.enter_context(connected(server)) for _ in range(count)]
        for connection in going:
            connection.sendall(f"GET {large.target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert connection.recv(1000)
        assert resident(server) - before < 100_000_000
        one = server.api.send("GET", large.target, {"Range": "bytes=29999999-"}, b"")
        assert (one.status, len(one.body)) == (206, 1)


class _Large:
    """A stored original of a size, put where the store keeps it, and its signed URL."""

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self.target = target

    def close(self) -> None:
        self._path.unlink(missing_ok=True)


def _store_large(server: Server, size: int) -> _Large:
    image = server.api.upload(pictures.png(1)).json()
    path = next(path for path in (server.folder / "originals").rglob("*") if path.is_file())
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(size)
    return _Large(path, server.api.target(image["original_url"]))


def test_two_uploads_that_hang_do_not_hold_up_a_third(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(connected(server))
            connection.sendall(b"POST /image/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert upload(server.api, {}).status in (200, 201)


# Ranges


def test_a_range_is_of_the_version_that_the_client_has_begun_with(server: Server) -> None:
    image = upload(server.api, {}).json()
    target = server.api.target(image["original_url"])
    whole = server.api.send("GET", target, {}, b"")
    etag = whole.headers["etag"]
    for if_range, status in ((etag, 206), ('"another"', 200), (f"W/{etag}", 200)):
        answer = server.api.send("GET", target, {"Range": "bytes=0-9", "If-Range": if_range}, b"")
        assert (answer.status, answer.body) == (status, PHOTO[:10] if status == 206 else PHOTO)
    again = server.api.send("GET", target, {"If-None-Match": etag}, b"")
    assert (again.status, again.body) == (304, b"")


# The log


def test_no_escape_reaches_the_log(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /\x1b]0;title\x07\x9b2J\x7f HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer_of(connection)[0] in (400, 404)
    server.api.send("GET", "/%1b%5d", {}, b"")
    wait_until(lambda: any("title" in line or "could not be read" in line for line in server.log))
    assert not set("".join(server.log)) & {"\x1b", "\x07", "\x9b", "\x7f"}


def test_a_path_that_is_not_there_answers_in_the_contracts_shape_and_does_not_echo_a_key(server: Server) -> None:
    for path in ("/nothing", "/image/1/2/3", "/store/x"):
        answer = server.api.send("GET", path, {"Authorization": "Bearer imr_0123456789abcdef_secret"}, b"")
        assert_refused(answer, 404, "NotFoundError")
        assert b"secret" not in answer.body


def test_many_connections_that_say_nothing_do_not_keep_others_out(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connected(server))
        done = threading.Event()

        def ask() -> None:
            assert server.api.get("/health").status == 200
            done.set()

        threading.Thread(target=ask, daemon=True).start()
        assert done.wait(60)
