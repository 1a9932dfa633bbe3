"""`chalice local` itself: what only a process and a socket can show."""

import http.client
import json
import py_compile
import re
import shutil
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import pictures
from tests.http.client import FORM, Answer, Api, assert_refused, file_part, form
from tests.http.server import CHECKOUT, Server, command, running
from tests.http.waiting import wait_until
from tests.repositories import files_in

#: What http.server reads of one line; one byte more is too long, and no byte is left unread to spoil the answer.
LONGEST_LINE = 65_536


def port_of(server: Server) -> int:
    port = urlsplit(server.api.public_url).port
    assert port
    return port


def raw(server: Server, request: bytes) -> tuple[int, Any]:
    """The status and JSON of the answer to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with closing(http.client.HTTPResponse(connection)) as answer:
            answer.begin()
            return answer.status, json.loads(answer.read())


def test_a_picture_goes_in_both_ways_and_comes_back(server: Server) -> None:
    api = server.api
    first = api.upload(pictures.photo(1, 600, 400), "first.jpg")
    assert first.status == 201, first
    assert api.follow(api.get(f"/image/{first.json()['id']}")).body == pictures.photo(1, 600, 400)
    ticket = api.ask_for(pictures.png(2), "second.png")
    assert api.post_ticket(ticket, pictures.png(2)).status == 204
    state = wait_until(lambda: ended(api, ticket["upload_id"]))
    assert state["status"] == "stored"
    assert api.follow(api.get(f"/image/{state['image_id']}/thumbnail")).status == 200
    assert [image["name"] for image in api.list([("sort", "name")])["images"]] == ["first.jpg", "second.png"]
    assert api.delete(first.json()["id"]).status == api.delete(state["image_id"]).status == 204


def ended(api: Api, upload_id: str) -> Any:
    state = api.status(upload_id)
    return state if state["status"] not in ("pending", "processing") else None


def test_a_first_start_says_where_it_is_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path / "new") as server:
        assert [line for line in server.log if not line.startswith("The image repository is at ")] == []


def test_a_client_that_goes_away_is_told_of_in_a_line(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
        connection.sendall(b"POST /image/upload HTTP/1.1\r\nContent-Length: 1000\r\n\r\nno more")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets the connection
    wait_until(lambda: any("went away" in line for line in server.log))
    assert not any("Traceback" in line for line in server.log)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello6\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n",
        b"POST /image/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"POST /image/upload HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel",
        b"POST /image/upload HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /image/upload HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello",
        b"GET /image/list HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET /image/list HTTP/1.1\r\n X: a\r\n\r\n",
        b"GET /image/list HTTP/1.1\r\nno header\r\n\r\n",
        b"GET /\xff\xfe / / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * (LONGEST_LINE - 4),
        b"GET / HTTP/1.1\r\nX: " + b"x" * (LONGEST_LINE - 2),
        b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    ],
)
def test_a_request_that_cannot_be_read_is_a_400(server: Server, request_bytes: bytes) -> None:
    status, body = raw(server, request_bytes)
    assert (status, body["Code"]) == (400, "BadRequestError")
    assert server.api.get("/health").status == 200


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "get", "X" * 1000])
def test_a_method_that_nobody_knows_is_a_405_that_says_which_there_are(server: Server, method: str) -> None:
    answer = server.api.send(method, "/image/list", {}, b"")
    assert_refused(answer, 405, "MethodNotAllowedError")
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_host_of_another_name_is_a_403(server: Server) -> None:
    """A page on the Internet must not read a laptop's pictures by having its own name lead here."""
    assert_refused(server.api.get("/image/list", Host="evil.example.org"), 403, "ForbiddenError")
    for host in ("localhost:1", "127.0.0.1", "[::1]:8000"):
        assert server.api.get("/image/list", Host=host).status == 200


def test_head_has_no_body_and_leaves_the_connection_usable(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
    try:
        for path, status in (("/image/list", 200), ("/store", 405), ("/nothing", 404)):
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
            connection.request("GET", "/health")
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["status"]) == (200, "ok")
    finally:
        connection.close()


def test_a_client_that_hangs_up_halfway_leaves_nothing_behind(server: Server) -> None:
    body = form([file_part("image", "a.png", pictures.png(7))])
    headers = f"Host: 127.0.0.1\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}"
    head = f"POST /image/upload HTTP/1.1\r\n{headers}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
    assert server.api.get("/health").status == 200
    assert server.api.ask_for(pictures.png(7), digest=True)["action"] == "upload"


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("small"), {"MAX_BYTES": "1000"}) as server:
        yield server


def test_a_body_far_beyond_the_limit_is_refused_without_being_kept(small_server: Server) -> None:
    api = small_server.api
    huge = bytes(3_000_000)
    assert_refused(api.upload(huge), 413, "PayloadTooLargeError")
    answer = api.post_ticket(api.ask_for(b"x"), huge)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/xml")
    assert b"<Code>EntityTooLarge</Code>" in answer.body
    assert_refused(api.upload(bytes(1001)), 413, "PayloadTooLargeError")
    assert api.upload(pictures.png(1)).status == 201


def test_neither_keys_nor_signed_urls_reach_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        api = server.api
        image = api.upload(pictures.png(1), "secret name.png").json()
        ticket = api.ask_for(pictures.png(2))
        api.post_ticket(ticket, pictures.png(2))
        api.fetch(image["original_url"])
        api.fetch(image["original_url"] + "0")
        api.get("/image/list", {"name": "secret"}, Authorization="Bearer imr_0123456789abcdef_secret")
        api.delete(image["id"])
        server.kill()
        log = "".join(server.log)
    signatures = [*re.findall("Signature=([0-9a-f]+)", image["original_url"]), ticket["fields"]["x-amz-signature"]]
    for secret in (*signatures, ticket["fields"]["policy"], "X-Amz", "secret", (tmp_path / "signing-key").read_bytes().hex()):
        assert secret not in log


def test_a_second_start_finds_everything_still_there(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        image = server.api.upload(pictures.png(1), "kept.png").json()
    with running(tmp_path) as server:
        details = server.api.details(image["id"])
        assert (details["name"], details["sha512"]) == ("kept.png", image["sha512"])
        assert server.api.fetch(details["original_url"]).body == pictures.png(1)
        assert server.api.upload(pictures.png(1)).json()["duplicate"] is True


def test_a_bare_chalice_local_restarts_for_a_change_of_the_code_and_for_nothing_else(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "chalicelib", checkout / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CHECKOUT / ".chalice", checkout / ".chalice")
    shutil.copy(CHECKOUT / "app.py", checkout)
    py_compile.compile(str(checkout / "app.py"))  # chalice does so itself, as it begins to watch: either may come first
    with running(tmp_path / "served", {"PYTHONDONTWRITEBYTECODE": ""}, options=(), checkout=checkout) as server:
        before, workers = files_of(checkout), server.children()
        assert server.api.upload(pictures.png(1)).status == 201
        ticket = server.api.ask_for(pictures.photo(2))
        server.api.post_ticket(ticket, pictures.photo(2))
        wait_until(lambda: ended(server.api, ticket["upload_id"]))
        assert files_of(checkout) == before
        assert server.children() == workers
        (checkout / "app.py").write_text((checkout / "app.py").read_text() + "\n")
        wait_until(lambda: started(server) == 2)
        assert server.children() != workers
        assert len(server.api.list()["images"]) == 2


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def started(server: Server) -> int:
    return sum(line.startswith("The image repository is at") for line in server.log)


CLIENTS = 16
TURNS = 6


def test_sixteen_clients_uploading_and_deleting_at_once_see_no_error(server: Server) -> None:
    contents = [pictures.encoded(pictures.image(seed), kind) for seed in range(3) for kind in ("PNG", "BMP", "TIFF")]
    api = server.api
    trouble: list[Answer] = []
    together = threading.Barrier(CLIENTS)

    def expect(answer: Answer, *statuses: int) -> Answer:
        if answer.status not in statuses:
            trouble.append(answer)
        return answer

    def client(number: int) -> None:
        together.wait()
        for turn in range(TURNS):
            content = contents[(number * 5 + turn * 2) % len(contents)]
            if (number + turn) % 3 == 0:
                ticket = expect(api.ask({"name": "a", "size": len(content)}), 201).json()["uploads"][0]
                expect(api.post_ticket(ticket, content), 204)
                expect(api.get(f"/image/uploads/{ticket['upload_id']}"), 200)
            else:
                expect(api.upload(content), 200, 201, 202)
            for image in expect(api.get("/image/list", {"limit": 2}), 200).json()["images"]:
                expect(api.get(f"/image/{image['id']}/details"), 200, 404)
                expect(api.fetch(image["thumbnail_url"]), 200, 404)
                expect(api.delete(image["id"]), 204, 404)

    run_all([partial(client, number) for number in range(CLIENTS)])
    assert trouble == []
    wait_until(lambda: not list((server.folder / "incoming").iterdir()))
    for content in contents:
        expect(api.upload(content), 200, 201)
    assert trouble == []
    assert len(api.list()["images"]) == 3
    assert len(files_in(server.folder)) == 3 * 4
    swept = command(server.folder, "sweep", "--dry-run")
    assert (swept.returncode, swept.stderr) == (0, "")
    assert swept.stdout.endswith("Nothing needed doing.\n0 broken invariants.\n")


def run_all(tasks: list[Callable[[], None]]) -> None:
    """Run the tasks at once, and raise what the first of them to fail raised."""
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_ctrl_c_ends_the_server_and_its_decoders(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.api.upload(pictures.png(1)).status == 201
        children = server.children()
        assert children
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: server.process.poll() is not None)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
