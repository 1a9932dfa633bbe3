"""What an upload survives: servers that die, clients that are killed, and answers that no decent server gives."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from imagerepo import Client
from imagerepo.journal import Journal

from tests.client.command import ImageRepo
from tests.client.conftest import MakePhotos
from tests.client.scripted import HANG_UP, Answer, Front, Request, reply, scripted
from tests.http.server import Server, running

Kind = Callable[[Request], bool]

KEY = "a-key-that-nobody-may-see"


def is_store(request: Request) -> bool:
    return request.method == "POST" and request.target == "/store"


def is_status(request: Request) -> bool:
    return request.method == "GET" and request.target.startswith("/image/uploads/")


class AtThird:
    """Does something when the third request of a kind comes, while the others wait for it to be done."""

    def __init__(self, kind: Callable[[Request], bool], act: Callable[[], None]) -> None:
        self._kind = kind
        self._act = act
        self._seen = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> None:
        with self._lock:
            self._seen += self._kind(request)
            if self._seen == 3:
                self._seen += 1
                self._act()


@pytest.mark.parametrize("kind", [is_status, is_store], ids=["ending", "sending"])
def test_a_server_that_dies_and_comes_back_is_waited_for(tmp_path: Path, photos: MakePhotos, kind: Kind) -> None:
    folder = photos(12)
    died = threading.Event()

    def die() -> None:
        server.kill()
        died.set()

    front = Front(AtThird(kind, die))
    with scripted(front) as address:
        command = ImageRepo(address.url, tmp_path / "home")
        settings = {"PUBLIC_URL": address.url}
        with running(tmp_path / "repository", settings) as server:
            front.port = server.port
            process = command.start("upload", folder)
            assert died.wait(60)
        with running(tmp_path / "repository", settings) as server:
            front.port = server.port
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            _check_each_is_held_once(address.url, folder)
    assert _unfinished(command) == 0


@pytest.mark.parametrize("kind", [is_status, is_store], ids=["ending", "sending"])
def test_a_run_that_gives_up_on_a_dead_server_is_continued_by_the_next(tmp_path: Path, photos: MakePhotos, kind: Kind) -> None:
    folder = photos(12)
    front = Front(AtThird(kind, lambda: server.kill()))
    with scripted(front) as address:
        command = ImageRepo(address.url, tmp_path / "home")
        settings = {"PUBLIC_URL": address.url}
        with running(tmp_path / "repository", settings) as server:
            front.port = server.port
            ended = command("upload", folder, "--patience", "0")
        assert ended.code == 3
        assert "left for the next run" in ended.err
        assert ended.err.endswith("broke off before the answer was complete.\n")
        with running(tmp_path / "repository", settings) as server:
            front.port = server.port
            ended = command("upload", folder)
            assert ended.code == 0, ended.err
            _check_each_is_held_once(address.url, folder)
    assert _unfinished(command) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("kind", [is_status, is_store], ids=["ending", "sending"])
def test_a_client_that_is_stopped_goes_on_where_it_was(
    tmp_path: Path, photos: MakePhotos, kind: Kind, number: signal.Signals
) -> None:
    folder = photos(12)
    reached, stopped = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        assert stopped.wait(60)

    front = Front(AtThird(kind, hold))
    with scripted(front) as address, running(tmp_path / "repository", {"PUBLIC_URL": address.url}) as server:
        front.port = server.port
        command = ImageRepo(address.url, tmp_path / "home")
        process = command.start("upload", folder)
        assert reached.wait(60)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        stopped.set()
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert "left for the next run." in err
            assert err.endswith("Stopped. The same command goes on from here.\n")
        ended = command("upload", folder)
        assert ended.code == 0, ended.err
        _check_each_is_held_once(address.url, folder)
        assert sum(map(is_store, address.requests)) <= 12 + 4  # what was on its way when it stopped is sent twice
    assert _unfinished(command) == 0


def test_what_was_sent_but_not_finished_is_left_to_the_server_and_found_later(
    imagerepo: ImageRepo, server: Server, photos: MakePhotos
) -> None:
    folder = photos(8)
    ended = imagerepo("upload", folder, "--wait", "0", "--json")
    assert ended.code == 0
    assert {line["kind"] for line in ended.lines()} <= {"unfinished", "stored"}
    ended = imagerepo("upload", folder)
    assert ended.code == 0
    _check_each_is_held_once(server.api.public_url, folder)
    assert sum("POST /store" in line for line in server.log) == 8


def test_a_reader_that_goes_away_ends_the_command_quietly(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    imagerepo("upload", photos(3))
    ours, theirs = os.pipe()
    os.close(ours)
    process = imagerepo.start("list", stdout=theirs)
    os.close(theirs)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (141, "")


def test_a_damaged_journal_is_put_aside(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    folder = photos(2)
    imagerepo("upload", folder)
    imagerepo.journals()[0].write_bytes(b"this is no database" * 1000)
    for journal in imagerepo.journals()[0].parent.glob("*-wal"):
        journal.unlink()
    ended = imagerepo("upload", folder)
    assert (ended.code, ended.err) == (0, "2 files: 2 held already.\n")


def test_without_a_place_for_the_journal_files_are_uploaded_all_the_same(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    (imagerepo.home / ".local").parent.mkdir()
    (imagerepo.home / ".local").write_text("a file where a folder should be")
    ended = imagerepo("upload", photos(2))
    assert ended.code == 0
    assert "No journal can be kept in " in ended.err
    assert "2 files: 2 new.\n" in ended.err


TICKET: dict[str, Any] = {
    "action": "upload",
    "name": "IMG_000.JPG",
    "upload_id": "u1",
    "method": "POST",
    "url": "to be filled in",
    "fields": {"key": "incoming/u1", "policy": "signed"},
    "file_field": "file",
    "expires_at": "2999-01-01T00:00:00Z",
    "status_url": "https://pictures.example.org/image/uploads/u1",
}
STORED = {
    "upload_id": "u1",
    "name": "IMG_000.JPG",
    "status": "stored",
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-01T01:00:00Z",
    "image_id": 7,
}


@contextmanager
def repository(store: Answer, server_faults: Sequence[bytes | None] = ()) -> Iterator[str]:
    """A server that gives one ticket for a store, and answers that all is stored; first come its faults, one per request."""

    faults = list(server_faults)

    def answer(request: Request) -> bytes | None:
        if faults:
            return faults.pop()
        if request.target == "/image/uploads":
            return reply(201, {"uploads": [{**TICKET, "url": f"{behind.url}/bucket?signature=secret"}]})
        return reply(200, STORED)

    with scripted(store) as behind, scripted(answer) as front:
        yield front.url
        assert all("authorization" not in request.headers for request in behind.requests)
        assert {request.headers["authorization"] for request in front.requests} == {f"Bearer {KEY}"}


def accept(_: Request) -> bytes:
    return reply(204)


FAULTS = {
    "busy": reply(503, {"Code": "UnavailableError", "Message": "Not now."}, Retry_After="0"),
    "throttled": reply(429, {"Code": "TooManyRequestsError", "Message": "Slowly."}, Retry_After="0"),
    "gateway": reply(502, b"<html>Bad Gateway</html>"),
    "closed": None,
    "garbage": b"\x00\x01garbage\r\n\r\n" + HANG_UP,
    "half an answer": reply(201, b"x" * 100)[:-50] + HANG_UP,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_that_passes_is_not_noticed(tmp_path: Path, photos: MakePhotos, fault: str) -> None:
    with repository(accept, [FAULTS[fault]] * 2) as url:
        ended = ImageRepo(url, tmp_path / "home")("upload", photos(1), "--key", KEY)
    assert (ended.code, ended.err) == (0, "1 file: 1 new.\n")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_store_that_passes_is_not_noticed(tmp_path: Path, photos: MakePhotos, fault: str) -> None:
    faults = iter([FAULTS[fault], FAULTS[fault]])
    with repository(lambda _: next(faults, reply(204))) as url:
        ended = ImageRepo(url, tmp_path / "home")("upload", photos(1), "--key", KEY)
    assert (ended.code, ended.err) == (0, "1 file: 1 new.\n")


def test_a_ticket_that_has_expired_is_asked_for_anew(tmp_path: Path, photos: MakePhotos) -> None:
    expired = reply(403, b"<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>")
    answers = iter([expired])
    with repository(lambda _: next(answers, reply(204))) as url:
        ended = ImageRepo(url, tmp_path / "home")("upload", photos(1), "--key", KEY)
    assert (ended.code, ended.err) == (0, "1 file: 1 new.\n")


def test_a_store_that_always_refuses_is_told_and_fails(tmp_path: Path, photos: MakePhotos) -> None:
    refusal = reply(403, b"<Error><Code>AccessDenied</Code></Error>")
    with repository(lambda _: refusal) as url:
        ended = ImageRepo(url, tmp_path / "home")("upload", photos(1), "--key", KEY)
    assert ended.code == 1
    assert "IMG_000.JPG: The store refused with status 403 (AccessDenied). (StoreError)" in ended.err


def test_a_longer_wait_than_anyone_has_patience_for_ends_at_once_with_the_servers_words(
    tmp_path: Path, photos: MakePhotos
) -> None:
    busy = reply(503, {"Code": "UnavailableError", "Message": "Not now."}, Retry_After="86400")
    with repository(accept, [busy]) as url:
        command = ImageRepo(url, tmp_path / "home")
        ended = command("upload", photos(1), "--key", KEY)
    assert ended.code == 3
    assert ended.err == "1 file: 1 left for the next run.\nimagerepo: Not now. (UnavailableError)\n"
    assert KEY not in ended.err + ended.out
    assert all(KEY.encode() not in path.read_bytes() for path in command.home.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        (reply(401, {"Code": "UnauthorizedError", "Message": "Send a key."}), 4, "Send a key. (UnauthorizedError)"),
        (reply(403, {"Code": "QuotaExceededError", "Message": "Full."}), 1, "Full. (QuotaExceededError)"),
        (reply(200, b"<html>Welcome to the airport</html>"), 1, "does not answer as an image repository does"),
        (reply(201, {"uploads": []}), 1, "0 answers about 1 files"),
        (reply(201, {"uploads": [{"action": "dance"}]}), 1, "does not answer as an image repository does"),
        (reply(301, b"", Location="https://elsewhere.example.org"), 1, "redirects"),
    ],
)
def test_what_concerns_every_file_ends_the_run_in_one_sentence(
    tmp_path: Path, photos: MakePhotos, answer: bytes, code: int, sentence: str
) -> None:
    with scripted(lambda _: answer) as server:
        ended = ImageRepo(server.url, tmp_path / "home")("upload", photos(1), "--key", KEY)
    assert ended.code == code
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 2
    assert "Traceback" not in ended.err
    assert KEY not in ended.err


def _check_each_is_held_once(url: str, folder: Path) -> None:
    with Client(url) as client:
        held = [(image.name, client.original(image.id)) for image in client.images()]
    assert sorted(held) == sorted((path.name, path.read_bytes()) for path in folder.iterdir())


def _unfinished(command: ImageRepo) -> int:
    (path,) = command.journals()
    with Journal(path) as journal:
        return journal.open_count()
