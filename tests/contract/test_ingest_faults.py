"""The database server is killed while uploads are under way: all that was acknowledged is taken in, and nothing twice."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.model.records import Filters
from chalicelib.repository import Repository
from chalicelib.services.uploads import Offer, UploadAnswer
from tests import pictures
from tests.contract.interrupting import assert_nothing_is_broken_or_orphaned, contents
from tests.databases import MariaDb, mariadb, new_database
from tests.repositories import disk_of, repository_in

CLIENTS, PICTURES = 6, 20
FILES = [pictures.png(number) for number in range(PICTURES)]


@pytest.fixture
def own_server() -> Iterator[MariaDb]:
    """A server that the test may kill, and must leave running."""
    with mariadb() as server:
        yield server


class Clients:
    """Each sends all the files, one half by ticket and the other in the request, and again until each is acknowledged."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.acknowledged: list[str] = []
        self.refused = threading.Event()
        self.some_acknowledged = threading.Event()

    def work(self, client: int) -> None:
        for number in range(PICTURES):
            file = FILES[(number + client) % PICTURES]
            send = self._send_by_ticket if (number + client // 2) % 2 else self._send_at_once
            while not self._sent(send(file)):
                pass

    def _sent(self, upload_id: str | None) -> bool:
        if upload_id is None:
            self.refused.set()
            return False
        self.acknowledged.append(upload_id)
        if len(self.acknowledged) >= CLIENTS * PICTURES // 4:
            self.some_acknowledged.set()
        return True

    def _send_by_ticket(self, file: bytes) -> str | None:
        """The store has taken the bytes: from here on nobody but the repository is to blame."""
        try:
            (answer,) = self._repository.uploads.ask("local", [Offer("photo.png", len(file), None)])
        except UnavailableError:
            return None
        assert isinstance(answer, UploadAnswer)
        disk_of(self._repository).post(answer.ticket.fields.items(), [file])
        return answer.upload.id

    def _send_at_once(self, file: bytes) -> str | None:
        try:
            return self._repository.uploads.receive("local", "photo.png", file).id
        except UnavailableError:
            return None


def test_whatever_was_acknowledged_is_taken_in_though_the_database_server_was_killed(
    tmp_path: Path, own_server: MariaDb
) -> None:
    with new_database(own_server.url) as url:
        repository = repository_in(tmp_path / "repository", database_url=url.render_as_string())
        clients = Clients(repository)
        with ThreadPoolExecutor(CLIENTS) as threads:
            working = [threads.submit(clients.work, client) for client in range(CLIENTS)]
            clients.some_acknowledged.wait()
            own_server.kill()
            clients.refused.wait()
            own_server.start()
            for work in working:
                work.result()
        repository.queue.drain()
        ended = [repository.uploads.status("local", upload_id) for upload_id in clients.acknowledged]
        assert len(ended) == CLIENTS * PICTURES
        assert {upload.status for upload in ended} <= {"stored", "duplicate"}
        images = repository.catalog.images.page("local", Filters(), "name", 200, None).images
        assert {upload.image_id for upload in ended} == {image.id for image in images}
        assert max(Counter(upload.image_id for upload in ended if upload.status == "stored").values()) == 1
        assert contents(repository) == set(FILES)
        assert_nothing_is_broken_or_orphaned(repository, images=PICTURES)
