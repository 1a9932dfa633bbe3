"""The examples in the client's README do what they say."""

import re
import shlex
from pathlib import Path

import pytest
from imagerepo import Client

from tests import pictures
from tests.client.command import ImageRepo
from tests.http.server import CHECKOUT, Server

README = (CHECKOUT / "client" / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_python_examples_upload_find_download_and_delete(
    client: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(pictures.photo(1))
    first, second, third = blocks("python")
    _run(first, server)
    (image,) = client.images()
    assert f"stored as image {image.id}\n" in capsys.readouterr().out
    _run(first, server)
    assert f"held already, as image {image.id}\n" in capsys.readouterr().out
    Path("photo.jpg").unlink()
    _run(second.replace("download(1,", f"download({image.id},"), server)
    assert Path("photo.jpg").read_bytes() == pictures.photo(1)
    assert list(client.images()) == []
    _run(second, server)
    assert "NotFoundError" in capsys.readouterr().out
    _run(third, server)
    (image,) = client.images()
    assert f"stored {image.id}\n" in capsys.readouterr().out


def _run(example: str, server: Server) -> None:
    exec(compile(example, "README.md", "exec"), {"server": server.api.public_url})  # noqa: S102 - our own text


def test_the_commands_get_a_picture_in_find_it_and_get_it_out(imagerepo: ImageRepo, client: Client) -> None:
    (imagerepo.home / "Pictures").mkdir(parents=True)
    (imagerepo.home / "Pictures" / "photo.jpg").write_bytes(pictures.photo(1))
    _, session = blocks("console")
    for line in session.splitlines():
        name, *arguments = shlex.split(line.removeprefix("$ ").replace("~", str(imagerepo.home)))
        assert name == "imagerepo"
        number = next((image.id for image in client.images()), 0)
        ended = imagerepo(*(str(number) if argument == "1" else argument for argument in arguments))
        assert ended.code == 0, ended
        if arguments[0] in ("list", "show"):
            assert "photo.jpg" in ended.out
    assert (imagerepo.home / "Out/2008/10/22/photo.jpg").read_bytes() == pictures.photo(1)
    assert list(client.images()) == []


def test_the_configuration_shown_is_read(tmp_path: Path) -> None:
    (content,) = blocks("toml")
    config = tmp_path / "config.toml"
    config.write_text(content.replace("…", "a-key"), "utf-8")
    ended = ImageRepo("", tmp_path / "home")("upload", tmp_path, "--dry-run", environment={"IMAGEREPO_CONFIG": str(config)})
    assert ended.code == 0, ended


def test_the_exit_codes_are_those_of_the_help(tmp_path: Path) -> None:
    told = ImageRepo("", tmp_path / "home")("--help").out
    for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE):
        assert re.search(rf"\b{code} ", told), code


def test_every_command_and_flag_that_the_readme_names_exists(tmp_path: Path) -> None:
    command = ImageRepo("", tmp_path / "home")
    helps = "".join(command(name, "--help").out for name in ("upload", "list", "show", "download", "delete", "status"))
    for flag in set(re.findall(r"`(--[a-z-]+)`", README)) - {"--help"}:
        assert flag in helps, flag
