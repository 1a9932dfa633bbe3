"""Nothing waits for what will not come: a fault of the catalog never leaves an upload to a worker that does not exist."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chalicelib.errors import QuotaExceededError, UnavailableError
from chalicelib.local.queue import EventQueue
from chalicelib.repository import Repository
from chalicelib.services.uploads import Offer, UploadAnswer
from tests import pictures
from tests.contract.conftest import Servers
from tests.contract.interrupting import assert_nothing_is_broken_or_orphaned
from tests.databases import new_database
from tests.lines import Line
from tests.repositories import disk_of, repository_in

#: Nothing in these tests can wait for a lease to grow stale, or waits for longer than this, in seconds.
NEVER, BOUND = 86_400, 60
#: More than a transaction tries by itself, so that giving the upload back fails, too.
REFUSALS = 5


@pytest.fixture
def line(servers: Servers) -> Iterator[Line]:
    with new_database(servers.server("mariadb")) as url:
        line = Line(url)
        yield line
        line.close()


def posted(repository: Repository, content: bytes) -> str:
    """The id of an upload whose bytes the store has accepted; the line is as it was before."""
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", len(content), None)])
    assert isinstance(answer, UploadAnswer)
    disk_of(repository).post(answer.ticket.fields.items(), [content])
    return answer.upload.id


def test_an_upload_is_taken_in_at_once_whichever_commit_lost_its_answer(line: Line, tmp_path: Path) -> None:
    repository = repository_in(tmp_path, database_url=line.url.render_as_string(False), stale_seconds=NEVER)
    assert isinstance(repository.queue, EventQueue)
    repository.queue.patience = BOUND
    lost = 0
    while True:
        line.lose_an_answer(1 + lost, REFUSALS)  # the first is that of the ticket
        upload_id = posted(repository, pictures.png(lost))
        repository.queue.drain()
        if not line.is_whole_again:
            break
        lost += 1
        upload = repository.uploads.status("local", upload_id)
        assert (lost, upload.status, upload.strikes) == (lost, "stored", 0)
    assert lost >= 4  # the lease, the strike, its end, and the transaction that takes the picture in
    assert_nothing_is_broken_or_orphaned(repository, images=lost + 1)


def test_an_ask_whose_commit_lost_its_answer_does_not_count_for_the_limits(line: Line, tmp_path: Path) -> None:
    database_url = line.url.render_as_string(False)
    repository = repository_in(tmp_path, database_url=database_url, owner_max_open_uploads=1)
    for _ in range(3):
        line.lose_an_answer(0, REFUSALS)
        with pytest.raises(UnavailableError):
            ask(repository)
        granted = ask_again_and_again(repository)
        with pytest.raises(QuotaExceededError):
            ask(repository)
        repository.catalog.uploads.withdraw([granted.upload])


def ask(repository: Repository) -> UploadAnswer:
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", 5, None)])
    assert isinstance(answer, UploadAnswer)
    return answer


def ask_again_and_again(repository: Repository) -> UploadAnswer:
    """As a client does that is told to try again."""
    while True:
        with suppress(UnavailableError):
            return ask(repository)
