"""What the client makes of local files: names, digests, changes under its hands, and what it remembers of them."""

import hashlib
import json
import os
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagerepo import Client, FileChangedError, Offer, Refusal, UploadAnswer
from imagerepo.cli.output import json_line, printable
from imagerepo.journal import Journal, file_name
from imagerepo.localfile import Snapshot, ignore_bytes, sendable_name, sha256_of
from imagerepo.retrying import retry_after
from imagerepo.walking import Found, walk

from chalicelib.services.names import clean_name
from tests import pictures

A_MINUTE_NS = 60_000_000_000
paths = st.binary(min_size=1, max_size=300).filter(lambda name: not {b"/", b"\0"} & {name[i : i + 1] for i in range(len(name))})


@given(paths)
def test_any_file_name_is_sent_as_one_that_the_server_takes(raw: bytes) -> None:
    name = sendable_name(Path(os.fsdecode(b"folder/x" + raw)))
    assert clean_name(name) == name


def test_a_long_name_keeps_its_extension() -> None:
    assert sendable_name(Path("é" * 400 + ".jpeg")) == "é" * 250 + ".jpeg"


@given(st.text(st.characters()))
def test_what_is_printed_of_a_name_is_one_line_that_no_terminal_obeys(text: str) -> None:
    assert not {unicodedata.category(sign) for sign in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "\n" not in json_line({"name": text})
    assert json.loads(json_line({"name": text})) == {"name": text}


@pytest.mark.parametrize("changed", [b"short", b"x" * 1_000_000])
def test_a_file_that_grows_or_shrinks_while_it_is_sent_is_not_sent(client: Client, tmp_path: Path, changed: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(os.urandom(300_000))
    (ticket,) = client.ask([Offer("photo.png", 300_000)])
    assert isinstance(ticket, UploadAnswer)

    def change(_: int) -> None:
        path.write_bytes(changed)

    with path.open("rb", buffering=0) as file, pytest.raises(FileChangedError):
        client.post(ticket, file, 300_000, change)
    assert client.upload_status(ticket.upload_id).status == "pending"


def test_a_file_that_changes_while_it_is_hashed_has_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 5_000_000)

    def append(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"y")

    calls = iter([append])
    with pytest.raises(FileChangedError):
        sha256_of(path, lambda count: next(calls, ignore_bytes)(count))


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd\xff.jpg")
    path.write_bytes(pictures.png())
    with Journal(tmp_path / "journal") as journal:
        snapshot, digest = sha256_of(path)
        journal.add_digest(path, snapshot, digest)
        assert journal.digest(path, snapshot) is None, "it may still change within the same tick of the clock"
        old = Snapshot(snapshot.size, snapshot.mtime_ns - A_MINUTE_NS, snapshot.ctime_ns - A_MINUTE_NS, 2**64 - 1)
        journal.add_digest(path, old, digest)
    with Journal(tmp_path / "journal") as journal:
        assert journal.digest(path, old) == digest
        assert journal.digest(path, snapshot) is None


def test_open_uploads_and_refusals_are_remembered_until_they_end(tmp_path: Path) -> None:
    one, two = hashlib.sha256(b"1").digest(), hashlib.sha256(b"2").digest()
    with Journal(tmp_path / "deep" / "journal") as journal:
        journal.add_open_upload(one, "u1")
        journal.mark_sent(one)
        journal.add_open_upload(two, "u2")
        journal.add_refusal(two, Refusal("BadImageError", "No."))
    with Journal(tmp_path / "deep" / "journal") as journal:
        found = journal.open_upload(one), journal.open_upload(two)
        assert [(upload.id, upload.sent) for upload in found if upload] == [("u1", True), ("u2", False)]
        assert journal.refusal(two) == Refusal("BadImageError", "No.")
        assert journal.open_count() == 2
        journal.close_upload(one)
        journal.forget_refusal(two)
        assert (journal.open_upload(one), journal.refusal(two), journal.open_count()) == (None, None, 1)


def test_servers_do_not_share_a_journal() -> None:
    names = {file_name(server) for server in ("http://a:1", "http://a_1", "https://a:1", "http://a:1/prod")}
    assert len(names) == 4
    assert all(os.sep not in name for name in names)


def test_a_file_that_is_named_twice_is_found_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    os.link(path, tmp_path / "b.jpg")
    found = list(walk([tmp_path, path, tmp_path / "." / "a.jpg", tmp_path]))
    assert [file.path.name for file in found if isinstance(file, Found)] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "٣", "99 Foo 2026 00:00:00 GMT", "Mon, 01 Jan 1990 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_usable_asks_for_no_wait(text: str) -> None:
    assert retry_after(text) == 0


def test_a_retry_after_may_be_a_date() -> None:
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    assert 3000 < retry_after(later) <= 3600
