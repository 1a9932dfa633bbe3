"""The application over a folder of the test's own, in this process or as a server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib import runtime
from chalicelib.local import composition
from chalicelib.repository import Decoder, Repository
from chalicelib.settings import Settings
from tests.catalog_files import put_catalog
from tests.http.client import Api, in_process
from tests.http.server import Server, running

PUBLIC_URL = "http://repository.test"

MakeRuntime = Callable[..., Repository]


def in_process_api() -> Api:
    """The application in this process, over the runtime that was made last."""
    return Api(in_process(app), PUBLIC_URL)


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    """The decoders' children, started once for all tests."""
    return composition.isolated_decoder(Settings(storage=tmp_path_factory.mktemp("decoder")))


@pytest.fixture
def make_runtime(tmp_path: Path, decoder: Decoder) -> MakeRuntime:
    """Puts a repository together over the test's folder, and makes it the one that the application serves."""

    def make(decoder: Decoder = decoder, **settings: Any) -> Repository:
        put_catalog(tmp_path / "repository" / "catalog.sqlite3")
        built = runtime.build(Settings(**{"storage": tmp_path / "repository", "public_url": PUBLIC_URL, **settings}), decoder)
        runtime.use(built)
        return built

    return make


@pytest.fixture
def repository(make_runtime: MakeRuntime) -> Repository:
    return make_runtime()


@pytest.fixture
def api(repository: Repository) -> Api:  # noqa: ARG001 - it is what the application serves
    """The application in this process."""
    return in_process_api()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`chalice local`, one for a module."""
    with running(tmp_path_factory.mktemp("served")) as server:
        yield server
