"""`imagerepo list`, `show`, `delete` and `status`, and what all commands share: flags, environment, configuration."""

import os
import pty
from pathlib import Path

from imagerepo import Client, UploadedImage

from tests import pictures
from tests.client.command import ImageRepo
from tests.client.conftest import MakePhotos
from tests.client.scripted import reply, scripted
from tests.http.server import Server

NOBODY = "http://127.0.0.1:9"
EMPTY = reply(200, {"images": [], "next_cursor": None})


def test_a_list_is_a_table_or_lines_of_json(imagerepo: ImageRepo, client: Client, server: Server) -> None:
    client.send(pictures.photo(), "camera.jpg")
    client.send(pictures.png(), "plain name.png")
    header, first, second = imagerepo("list", "--sort", "name").out.splitlines()
    assert header.split() == ["ID", "TAKEN", "FORMAT", "PIXELS", "SIZE", "NAME"]
    assert first.split()[1:5] == ["2008-10-22", "16:28:39", "JPEG", "64x48"]
    assert first.endswith("  camera.jpg")
    assert second.endswith("  plain name.png")
    assert imagerepo("list", "--sort", "name", "--json").lines() == server.api.list({"sort": "name"})["images"]
    assert len(imagerepo("list", "--limit", "1", "--json").lines()) == 1


def test_every_filter_is_a_flag(imagerepo: ImageRepo, client: Client) -> None:
    client.send(pictures.photo(), "camera.jpg")
    matching = [
        *("--name=CAMERA", "--format=jpeg", "--format=gif", "--camera-make=nikon", "--has-location", "--bbox=-10,43,12,44"),
        *("--iso-min=100", "--iso-max=100", "--f-number-min=7", "--exposure-time-max=0.01", "--focal-length-min=18"),
        *("--width-min=64", "--height-max=48", "--byte-size-min=100"),
        *("--taken-after=2008-10-22", "--taken-before=2008-10-23T00:00:00", "--uploaded-after=2020-01-01"),
    ]
    assert len(imagerepo("list", "--json", *matching).lines()) == 1
    for other in ("--no-has-location", "--name=no", "--taken-after=2009-01-01", "--lens-model=none"):
        ended = imagerepo("list", "--json", other)
        assert (ended.code, ended.out, ended.err) == (0, "", "No image matches.\n")
    ended = imagerepo("list", "--taken-after", "yesterday")
    assert ended.code == 1
    assert ended.err.startswith("imagerepo: The query parameter 'taken_after' takes a date or time")
    assert ended.err.endswith("(BadRequestError)\n")


def test_all_that_is_known_of_an_image_is_shown(imagerepo: ImageRepo, client: Client, server: Server) -> None:
    image = client.send(pictures.photo(), "camera.jpg")
    assert isinstance(image, UploadedImage)
    shown = imagerepo("show", str(image.id)).out
    for fact in ("camera.jpg", "2008-10-22 16:28:39", "COOLPIX P6000", "0.004 s", "f/7.1", "18 mm", "43.467", image.sha256):
        assert fact in shown
    assert imagerepo("show", str(image.id), "--json").lines() == [server.api.details(image.id)]
    missing = imagerepo("show", "999999999")
    assert missing.code == 1
    assert "There is no such image" in missing.err


def test_delete_asks_first(imagerepo: ImageRepo, client: Client) -> None:
    image = client.send(pictures.photo(), "camera.jpg")
    assert isinstance(image, UploadedImage)
    assert imagerepo("delete", str(image.id)).code == 2
    for answer, code, left in ((b"\n", 1, 1), (b"n\n", 1, 1), (b"y\n", 0, 0)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        ended = imagerepo("delete", str(image.id), stdin=theirs)
        os.close(ours)
        os.close(theirs)
        assert ended.code == code
        assert "camera.jpg" in ended.err
        assert len(list(client.images())) == left
    again = imagerepo("delete", "--yes", str(image.id))
    assert again.code == 1
    assert "(NotFoundError)" in again.err


def test_status_tells_what_is_held_and_what_is_unfinished(imagerepo: ImageRepo, photos: MakePhotos) -> None:
    imagerepo("upload", photos(2))
    told = imagerepo("status")
    assert told.code == 0
    assert "images:       2\n" in told.out
    assert "unfinished:   0 uploads" in told.out
    (line,) = imagerepo("status", "--json").lines()
    assert (line["images"], line["unfinished"], line["health"]["status"], line["ready"]["status"]) == (2, 0, "ok", "ok")
    assert "health:       catalog ok, store ok\n" in told.out


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    for command in (["list"], ["status"], ["show", "1"], ["delete", "--yes", "1"], ["download", "--all"]):
        ended = ImageRepo(NOBODY, tmp_path / "home")(*command, "--patience", "0")
        assert ended.code == 3
        last = ended.err.splitlines()[-1]
        assert last == "imagerepo: No connection to 127.0.0.1:9: check the address, and that the server runs."


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    with scripted(lambda _: EMPTY) as one, scripted(lambda _: EMPTY) as two, scripted(lambda _: EMPTY) as three:
        config.write_text(f'server = "{one.url}/"\nkey = "of-the-file"\n')
        command = ImageRepo("", tmp_path / "home")
        named = {"IMAGEREPO_CONFIG": str(config)}
        command("list", environment=named)
        command("list", "--server", two.url, environment=named)
        command("list", environment={**named, "IMAGEREPO_SERVER": two.url, "IMAGEREPO_KEY": "of-the-environment"})
        command(
            "list", "--server", three.url, "--key", "of-the-flag", environment={**named, "IMAGEREPO_KEY": "of-the-environment"}
        )
        sent = [[request.headers.get("authorization") for request in server.requests] for server in (one, two, three)]
    assert sent == [["Bearer of-the-file"], [None, "Bearer of-the-environment"], ["Bearer of-the-flag"]]


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    command = ImageRepo("", tmp_path / "home")
    for content, sentence in (
        ("server = ", "is not TOML"),
        ("key = 5", "may hold server and key, each a text in quotes, but not 'key'"),
        ('secret = "x"', "but not 'secret'"),
        ('server = "pictures"', "must look like https://"),
    ):
        config.write_text(content)
        ended = command("list", environment={"IMAGEREPO_CONFIG": str(config)})
        assert (ended.code, len(ended.err.splitlines())) == (2, 1)
        assert sentence in ended.err
    ended = command("list", "--server", NOBODY, "--key", "my key")
    assert ended.code == 2
    assert "my key" not in ended.err
