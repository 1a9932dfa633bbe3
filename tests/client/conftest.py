"""A server, a folder of photos, and the two ways to them: the command and the client."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from imagerepo import Client

from tests import pictures
from tests.client.command import ImageRepo
from tests.http.server import Server, running

MakePhotos = Callable[[int], Path]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("repository")) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """`chalice local` over a repository without images."""
    while images := shared_server.api.list({"limit": 200})["images"]:
        for image in images:
            shared_server.api.delete(image["id"])
    shared_server.log.clear()
    return shared_server


@pytest.fixture
def imagerepo(server: Server, tmp_path: Path) -> ImageRepo:
    return ImageRepo(server.api.public_url, tmp_path / "home")


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.api.public_url) as client:
        yield client


@pytest.fixture
def photos(tmp_path: Path) -> MakePhotos:
    """Makes a folder with so many different photos."""

    def make(count: int) -> Path:
        folder = tmp_path / "photos"
        folder.mkdir()
        for number in range(count):
            (folder / f"IMG_{number:03}.JPG").write_bytes(pictures.photo(number))
        return folder

    return make
