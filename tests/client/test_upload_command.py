"""`imagerepo upload`: what gets sent, what is told, and what is left alone."""

import os
import pty
from collections import Counter
from pathlib import Path

from imagerepo import Client

from tests import pictures
from tests.client.command import ImageRepo
from tests.client.conftest import MakePhotos
from tests.http.server import Server


def kinds(lines: list[dict[str, str]]) -> dict[str, int]:
    return dict(Counter(line["kind"] for line in lines))


def test_a_folder_is_uploaded_and_every_file_can_be_read_back(imagerepo: ImageRepo, client: Client, photos: MakePhotos) -> None:
    folder = photos(12)
    ended = imagerepo("upload", folder)
    assert (ended.code, ended.err) == (0, "12 files: 12 new.\n")
    held = {image.name: client.original(image.id) for image in client.images()}
    assert held == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_run_sends_nothing(imagerepo: ImageRepo, client: Client, server: Server, photos: MakePhotos) -> None:
    folder = photos(5)
    imagerepo("upload", folder)
    ended = imagerepo("upload", folder)
    assert (ended.code, ended.err) == (0, "5 files: 5 held already.\n")
    assert sum("POST /store" in line for line in server.log) == 5
    assert len(list(client.images())) == 5


def test_files_of_one_content_are_sent_once(imagerepo: ImageRepo, client: Client, photos: MakePhotos) -> None:
    folder = photos(2)
    (folder / "copy.jpg").write_bytes((folder / "IMG_000.JPG").read_bytes())
    lines = imagerepo("upload", folder, "--json").lines()
    by_name = {Path(line["path"]).name: line for line in lines}
    assert kinds(lines) == {"stored": 2, "duplicate": 1}
    assert by_name["copy.jpg"]["image_id"] == by_name["IMG_000.JPG"]["image_id"]
    assert len(list(client.images())) == 2


def test_what_is_no_picture_is_refused_with_the_reason_and_not_sent_again(
    imagerepo: ImageRepo, client: Client, photos: MakePhotos
) -> None:
    folder = photos(1)
    (folder / "broken.jpg").write_bytes(pictures.truncated_jpeg())
    (folder / "empty.png").touch()
    first, second = imagerepo("upload", folder), imagerepo("upload", folder)
    for ended, summary in ((first, "1 new, 2 refused"), (second, "1 held already, 2 refused")):
        assert ended.code == 1
        assert f"3 files: {summary}." in ended.err
        assert "broken.jpg: " in ended.err
        assert "(BadImageError)" in ended.err
    assert len(list(client.images())) == 1


def test_a_walk_takes_pictures_and_leaves_hidden_files_and_others(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    folder = photos(1)
    deep = folder / "deep" / "er"
    deep.mkdir(parents=True)
    (deep / "one.PNG").write_bytes(pictures.png(1))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(pictures.png(2))
    (folder / ".cache").mkdir()
    (folder / ".cache" / "two.png").write_bytes(pictures.png(3))
    (deep / "up").symlink_to(folder, target_is_directory=True)
    assert "2 files: 2 new." in imagerepo("upload", folder).err
    everything = imagerepo("upload", folder, "--all")
    assert everything.code == 1
    assert "notes.txt" in everything.err
    assert "3 files: 2 held already, 1 refused." in everything.err
    assert "1 file: 1 new." in imagerepo("upload", folder / ".hidden.png").err


def test_a_dry_run_lists_the_files_and_asks_nobody(tmp_path: Path, photos: MakePhotos) -> None:
    folder = photos(3)
    nobody = ImageRepo("http://127.0.0.1:9", tmp_path / "home")
    ended = nobody("upload", folder, "--dry-run")
    assert ended.code == 0
    assert ended.out.splitlines() == sorted(str(path) for path in folder.iterdir())
    assert nobody.journals() == []


def test_what_cannot_be_read_is_told_and_the_rest_is_uploaded(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    folder = photos(2)
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    ended = imagerepo("upload", folder, folder / "pipe.jpg", folder / "missing.jpg")
    assert ended.code == 1
    assert "gone.jpg: Not read: no such file or directory. (UnreadableFileError)" in ended.err
    assert "pipe.jpg: Not read: it is not a regular file. (UnreadableFileError)" in ended.err
    assert "missing.jpg: Not read: no such file or directory." in ended.err
    assert "5 files: 2 new, 3 failed." in ended.err


def test_names_of_any_bytes_are_uploaded_under_a_name_that_can_be_shown(
    imagerepo: ImageRepo, client: Client, tmp_path: Path
) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    names = [
        b"latin\xe9.png",
        b"new\nline.png",
        b"back\\slash.png",
        b"\x1b[31mred.png",
        "ü".encode() * 100 + b"end.png",
        b" .png",
    ]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_bytes(pictures.png(number))
    ended = imagerepo("upload", folder, "--json")
    assert ended.code == 0, ended.err
    assert {os.fsencode(Path(line["path"]).name) for line in ended.lines()} == set(names)
    stored = {image.name for image in client.images()}
    assert stored == {"latin\ufffd.png", "new_line.png", "back_slash.png", "_[31mred.png", "ü" * 100 + "end.png", ".png"}
    listed = imagerepo("upload", folder, "--dry-run").out
    assert "\x1b" not in listed
    assert "new\\nline.png" in listed


def test_bars_are_drawn_on_a_terminal_and_answers_stay_out_of_them(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    folder = photos(3)
    ours, theirs = pty.openpty()
    process = imagerepo.start("upload", folder, "--json", stderr=theirs, environment={"TERM": "xterm"})
    os.close(theirs)
    assert process.stdout
    out = process.stdout.read()
    drawn = _read_all(ours)
    assert process.wait() == 0
    process.stdout.close()
    assert len(out.splitlines()) == 3
    assert "sending" in drawn
    assert "3/3 files done" in drawn
    assert '"path"' not in drawn


def _read_all(terminal: int) -> str:
    pieces = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(terminal)
    return b"".join(pieces).decode("utf-8", "replace")
