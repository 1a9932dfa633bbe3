"""A server that asks for keys, and one that sets limits."""

import os
import subprocess
import sys
from pathlib import Path

from tests.client.command import ImageRepo
from tests.client.conftest import MakePhotos
from tests.http.server import CHECKOUT, running


def make_key(folder: Path, owner: str, *scopes: str) -> str:
    command = [sys.executable, "-m", "chalicelib.cli", "keys", "create", "--owner", owner]
    environment = {**os.environ, "FILE_STORAGE_LOCATION": str(folder), "AUTH": "keys"}
    flags = [flag for scope in scopes for flag in ("--scope", scope)]
    made = subprocess.run([*command, *flags], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()[-1]


def test_with_a_key_an_owner_works_alone_and_without_one_nobody_does(tmp_path: Path, photos: MakePhotos) -> None:
    folder = photos(3)
    with running(tmp_path / "repository", {"AUTH": "keys"}) as server:
        command = ImageRepo(server.api.public_url, tmp_path / "home")
        alice = make_key(server.folder, "alice", "read", "write")
        bob = make_key(server.folder, "bob", "write")
        admin = make_key(server.folder, "admin", "admin")
        for wrong in ((), ("--key", "no-such-key")):
            ended = command("upload", folder, *wrong)
            assert ended.code == 4
            assert ended.err.splitlines()[-1].endswith(("(UnauthorizedError)", "(ForbiddenError)"))
        assert command("upload", folder, "--key", alice).code == 0
        ended = command("upload", folder, environment={"IMAGEREPO_KEY": bob})
        assert (ended.code, ended.err) == (0, "3 files: 3 new.\n")
        assert len(command("list", "--json", "--key", alice).lines()) == 3
        assert command("list", "--key", bob).code == 4
        assert command("status", "--key", alice).code == 0
        assert command("status", "--key", bob).code == 4
        of_bob = command("list", "--json", "--key", admin, "--owner", "bob").lines()
        assert len(of_bob) == 3
        ended = command("download", str(of_bob[0]["id"]), "--key", admin, "--owner", "bob", "--flat", "--to", tmp_path / "out")
        assert ended.code == 0, ended.err
        name = of_bob[0]["name"]
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
        kept = b"".join(path.read_bytes() for path in command.home.rglob("*") if path.is_file())
        assert not any(key.encode() in kept for key in (alice, bob, admin))
        assert not any(key in line for line in server.log for key in (alice, bob, admin))


def test_a_limit_of_open_uploads_makes_an_upload_slower_but_whole(tmp_path: Path, photos: MakePhotos) -> None:
    with running(tmp_path / "repository", {"OWNER_MAX_OPEN_UPLOADS": "3"}) as server:
        ended = ImageRepo(server.api.public_url, tmp_path / "home")("upload", photos(20))
    assert (ended.code, ended.err) == (0, "20 files: 20 new.\n")


def test_what_a_quota_takes_is_sent_and_the_rest_is_left(tmp_path: Path, photos: MakePhotos) -> None:
    with running(tmp_path / "repository", {"OWNER_MAX_IMAGES": "5"}) as server:
        ended = ImageRepo(server.api.public_url, tmp_path / "home")("upload", photos(12))
        assert len(server.api.list()["images"]) == 5
    assert ended.code == 1
    summary, reason = ended.err.splitlines()
    assert summary == "12 files: 5 new, 7 left for the next run."
    assert reason.endswith("(QuotaExceededError)")
