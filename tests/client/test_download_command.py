"""`imagerepo download`: where files go, what is never overwritten, and how a broken download goes on."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagerepo import Client, DigestError
from imagerepo.downloading import file_name

from tests import pictures
from tests.client.command import ImageRepo
from tests.client.scripted import HANG_UP, Request, reply, scripted
from tests.client.test_client import details_of

CONTENT = pictures.encoded(pictures.image(5, 300, 200))


def stored(client: Client, content: bytes, name: str) -> int:
    image = client.send(content, name)
    assert hasattr(image, "id")
    number: int = image.id
    return number


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_go_into_a_folder_for_their_day(imagerepo: ImageRepo, client: Client, tmp_path: Path) -> None:
    stored(client, pictures.photo(1), "camera.jpg")
    undated = client.details(stored(client, pictures.png(1), "plain.png"))
    ended = imagerepo("download", "--all", "--to", tmp_path / "out")
    assert (ended.code, ended.err) == (0, "2 downloaded.\n")
    assert files_below(tmp_path / "out") == {
        "2008/10/22/camera.jpg": pictures.photo(1),
        f"{undated.uploaded_at:%Y/%m/%d}/plain.png": pictures.png(1),
    }
    again = imagerepo("download", "--all", "--to", tmp_path / "out")
    assert (again.code, again.err) == (0, "2 there already.\n")


def test_filters_and_ids_choose(imagerepo: ImageRepo, client: Client, tmp_path: Path) -> None:
    wanted = stored(client, pictures.png(1), "one.png")
    stored(client, pictures.photo(2), "two.jpg")
    assert imagerepo("download", "--flat", "--format", "jpeg", "--to", tmp_path / "a").code == 0
    assert set(files_below(tmp_path / "a")) == {"two.jpg"}
    lines = imagerepo("download", "--flat", "--json", str(wanted), "999999", "--to", tmp_path / "b").lines()
    assert {(line["image_id"], line["kind"]) for line in lines} == {(wanted, "downloaded"), (999999, "failed")}
    assert set(files_below(tmp_path / "b")) == {"one.png"}
    assert imagerepo("download", "--to", tmp_path / "c").code == 2


def test_a_file_that_is_there_is_never_overwritten(imagerepo: ImageRepo, client: Client, tmp_path: Path) -> None:
    first, second = stored(client, pictures.png(1), "same.png"), stored(client, pictures.png(2), "same.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "same.png").write_bytes(b"the user's own")
    ended = imagerepo("download", "--all", "--flat", "--to", out)
    assert (ended.code, ended.err) == (0, "2 downloaded.\n")
    assert files_below(out) == {
        "same.png": b"the user's own",
        f"same-{first}.png": pictures.png(1),
        f"same-{second}.png": pictures.png(2),
    }
    (out / f"same-{first}.png").write_bytes(b"the user's own, too")
    ended = imagerepo("download", str(first), "--flat", "--to", out)
    assert ended.code == 1
    assert "Other files are in its place" in ended.err
    assert (out / f"same-{first}.png").read_bytes() == b"the user's own, too"


def test_a_partial_file_is_completed_and_a_wrong_one_begun_anew(imagerepo: ImageRepo, client: Client, tmp_path: Path) -> None:
    good, bad = stored(client, pictures.photo(1), "good.jpg"), stored(client, pictures.photo(2), "bad.jpg")
    out = tmp_path / "out"
    out.mkdir()
    (out / f"good.jpg.{good}.part").write_bytes(pictures.photo(1)[:100])
    (out / f"bad.jpg.{bad}.part").write_bytes(b"x" * 100)
    ended = imagerepo("download", "--all", "--flat", "--to", out)
    assert (ended.code, ended.err) == (0, "2 downloaded.\n")
    assert files_below(out) == {"good.jpg": pictures.photo(1), "bad.jpg": pictures.photo(2)}


def test_a_download_that_breaks_off_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    half = len(CONTENT) // 2

    def store(request: Request) -> bytes:
        if "range" not in request.headers:
            return reply(200, CONTENT)[: half - len(CONTENT)] + HANG_UP
        return reply(206, CONTENT[half:], Content_Range=f"bytes {half}-{len(CONTENT) - 1}/{len(CONTENT)}")

    with scripted(store) as behind, scripted(lambda _: reply(200, details_of(CONTENT, f"{behind.url}/x?s=1"))) as server:
        with Client(server.url) as client:
            client.download(1, tmp_path / "file.part")
        assert [request.headers.get("range") for request in behind.requests] == [None, f"bytes={half}-"]
    assert (tmp_path / "file.part").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "whole", [reply(200, CONTENT), reply(206, CONTENT, Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")]
)
def test_a_store_that_does_not_go_on_is_read_from_the_start(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT[:50])
    with (
        scripted(lambda _: whole) as behind,
        scripted(lambda _: reply(200, details_of(CONTENT, f"{behind.url}/x"))) as server,
        Client(server.url) as client,
    ):
        client.download(1, tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"?", CONTENT + b"?", CONTENT[:-1], b""])
def test_bytes_that_are_not_the_image_are_thrown_away(tmp_path: Path, wrong: bytes) -> None:
    with (
        scripted(lambda _: reply(200, wrong)) as behind,
        scripted(lambda _: reply(200, details_of(CONTENT, f"{behind.url}/x"))) as server,
        Client(server.url) as client,
    ):
        with pytest.raises(DigestError):
            client.download(1, tmp_path / "file.part")
        ended = ImageRepo(server.url, tmp_path / "home")("download", "1", "--to", tmp_path / "out")
    assert ended.code == 1
    assert "it was thrown away" in ended.err
    assert set(files_below(tmp_path / "out").values()) <= {b""}


def test_a_signature_that_has_run_out_is_renewed(tmp_path: Path) -> None:
    expired = reply(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
    answers = [reply(200, CONTENT), expired]
    with (
        scripted(lambda _: answers.pop()) as behind,
        scripted(lambda _: reply(200, details_of(CONTENT, f"{behind.url}/x"))) as server,
        Client(server.url) as client,
    ):
        client.download(1, tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == CONTENT


@given(st.text(max_size=300))
def test_a_name_from_the_server_is_a_visible_file_in_its_folder(name: str) -> None:
    usable = file_name(name)
    assert len(usable.encode()) <= 200
    assert Path(usable).name == usable
    assert not usable.startswith(".")
    assert "\0" not in usable
