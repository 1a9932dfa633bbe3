"""What a server that means harm cannot do to the computer of who asks it."""

import gzip
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from imagerepo import Client, DigestError, ImageRepoError

from tests import pictures
from tests.client.command import ImageRepo
from tests.client.scripted import Request, reply, scripted
from tests.client.test_client import details_of

CONTENT = pictures.encoded(pictures.image(5, 300, 200))
#: Sets a window's title, clears the screen, moves the cursor up, turns the direction of text round; in 7 and in 8 bits.
ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b1A\u202e\r\n"


def harmless(text: str) -> bool:
    """A line's end is for the command to write; in a server's word it would be shown as an escape."""
    return not set(text) & {"\x1b", "\x07", "\x9b", "\u202e", "\r"}


def listed(name: str) -> dict[str, Any]:
    details = {"id": 7, "name": name, "uploaded_at": "2026-01-02T03:04:05Z", "taken_at": None, "format": name}
    return {**details, "content_type": name, "byte_size": 5, "width": 1, "height": 1, "thumbnail_url": "http://127.0.0.1/x"}


def test_no_word_of_a_server_is_obeyed_by_a_terminal(tmp_path: Path) -> None:
    refusal = {"Code": ESCAPES, "Message": ESCAPES}

    def answer(request: Request) -> bytes:
        if request.target.startswith("/image/list"):
            return reply(200, {"images": [listed(ESCAPES)], "next_cursor": None})
        if request.method == "POST":
            return reply(201, {"uploads": [{"action": "reject", "name": "x", "error": refusal}]})
        return reply(400, refusal)

    (tmp_path / "photo.jpg").write_bytes(CONTENT)
    with scripted(answer) as server:
        command = ImageRepo(server.url, tmp_path / "home")
        for arguments in (["list"], ["list", "--json"], ["show", "7"], ["status"], ["delete", "7", "--yes"]):
            ended = command(*arguments)
            assert harmless(ended.out + ended.err), arguments
        for arguments in (["upload", str(tmp_path)], ["upload", "--json", str(tmp_path)]):
            ended = command(*arguments)
            assert harmless(ended.out + ended.err), arguments
            assert "title" in ended.out + ended.err
        assert command("list", "--json").lines()[0]["name"] == ESCAPES


def test_a_name_on_disk_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        if request.target.startswith("/image/"):
            return reply(200, {**details_of(CONTENT, f"http://{request.headers['host']}/stored"), "name": f"a{ESCAPES}.png"})
        return reply(200, CONTENT)

    with scripted(answer) as server:
        ended = ImageRepo(server.url, tmp_path / "home")("download", "1", "--flat", "--to", tmp_path / "out")
        assert ended.code == 0, ended.err
    (name,) = os.listdir(tmp_path / "out")
    assert harmless(name)


@pytest.mark.parametrize("beginning", [b"", CONTENT[:10]], ids=["anew", "going on"])
def test_no_more_is_written_than_was_announced(tmp_path: Path, beginning: bytes) -> None:
    largest = 0
    partial = tmp_path / "photo.part"

    def answer(request: Request) -> bytes:
        nonlocal largest
        if request.target == "/stored":
            first = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            return reply(206 if first else 200, CONTENT[first:] + bytes(40_000_000), Content_Range=f"bytes {first}-")
        return reply(200, details_of(CONTENT, f"http://{request.headers['host']}/stored"))

    def watch(_: int) -> None:
        nonlocal largest
        largest = max(largest, partial.stat().st_size)

    if beginning:
        partial.write_bytes(beginning)
    with scripted(answer) as server, Client(server.url, patience=0) as client:
        with pytest.raises(DigestError):
            client.download(1, partial, watch)
        assert largest <= len(CONTENT)
        assert not partial.exists() or partial.stat().st_size <= len(CONTENT)


def test_a_part_is_never_written_through_a_link(imagerepo: ImageRepo, client: Client, tmp_path: Path) -> None:
    sent = client.send(CONTENT, "photo.png")
    assert hasattr(sent, "id")
    precious, out = tmp_path / "precious", tmp_path / "out"
    precious.write_bytes(b"do not touch")
    out.mkdir()
    (out / f"photo.png.{sent.id}.part").symlink_to(precious)
    ended = imagerepo("download", str(sent.id), "--flat", "--to", out)
    assert (ended.code, precious.read_bytes()) == (1, b"do not touch")
    assert "link" in ended.err
    with pytest.raises(OSError, match="link"):
        client.download(sent.id, out / f"photo.png.{sent.id}.part")


@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_has_a_bound(packed: bool) -> None:
    body = b'{"status": "' + b"x" * 40_000_000
    content = gzip.compress(body) if packed else body
    headers = {"Content_Encoding": "gzip"} if packed else {}
    refused = pytest.raises(ImageRepoError, match="does not answer as an image repository does")
    with scripted(lambda _: reply(200, content, **headers)) as server, Client(server.url, patience=0) as client, refused:
        client.health()


@pytest.mark.parametrize("images", [[], [listed("a")]])
def test_a_list_that_does_not_go_on_ends(images: list[dict[str, Any]]) -> None:
    page = {"images": images, "next_cursor": "the same as ever"}
    with scripted(lambda _: reply(200, page)) as server, Client(server.url, patience=0) as client:
        with pytest.raises(ImageRepoError, match="does not go on"):
            list(client.images())
        assert len(server.requests) <= 2


def test_a_file_without_an_announced_length_is_not_read_without_end() -> None:
    def answer(request: Request) -> bytes:
        if request.target.startswith("/image/"):
            return reply(302, None, Location=f"http://{request.headers['host']}/stored")
        return b"HTTP/1.1 200 Scripted\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 10

    refused = pytest.raises(ImageRepoError, match="does not announce")
    with scripted(answer) as server, Client(server.url, patience=0) as client, refused:
        client.original(1)


def test_a_key_that_others_can_read_is_pointed_out(tmp_path: Path) -> None:
    with scripted(lambda _: reply(200, {"images": [], "next_cursor": None})) as server:
        command = ImageRepo(server.url, tmp_path / "home")
        config = tmp_path / "home" / ".config" / "imagerepo" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'server = "{server.url}"\nkey = "a-key"\n')
        for mode, warned in ((0o644, True), (0o640, True), (0o600, False)):
            config.chmod(mode)
            assert stat.S_IMODE(config.stat().st_mode) == mode
            ended = command("list")
            assert ("Others on this computer can read the key" in ended.err) == warned
            assert "a-key" not in ended.err
