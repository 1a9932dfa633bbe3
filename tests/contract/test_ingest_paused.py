"""A worker that was taken for dead goes on where it stopped: by then others have done its work, and it changes nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from chalicelib.model.records import Filters, ListedImage, Upload
from chalicelib.repository import Repository
from chalicelib.storage import keys
from tests.contract.interrupted import DEEDS, HELD, NEW, OTHER
from tests.contract.interrupting import (
    Interruption,
    Template,
    assert_nothing_is_broken_or_orphaned,
    contents,
    interruptions,
    start_again,
    template_in,
)
from tests.repositories import clock_ahead, disk_at, sweep_ahead, take_in

LONG_AFTERWARDS = timedelta(hours=1)


@pytest.fixture
def template(tmp_path: Path, empty_url: URL) -> Template:
    return template_in(tmp_path, empty_url)


def overtake(interruption: Interruption, content: bytes) -> Upload:
    """Another worker brings the upload to its end, once the client has sent what has not arrived."""
    repository, upload_id = interruption.repository, interruption.ticket["upload_id"]
    upload = repository.uploads.status("local", upload_id)
    if upload.status in ("pending", "processing") and not repository.store.head(keys.incoming(upload_id)):
        disk_at(repository.settings.storage).put(keys.incoming(upload_id), content, "image/bmp")
    replace(repository.ingest, clock=clock_ahead(LONG_AFTERWARDS)).take_in(upload_id)
    return repository.uploads.status("local", upload_id)


def listed(repository: Repository) -> tuple[ListedImage, ...]:
    return repository.catalog.images.page("local", Filters(), "name", 200, None).images


def leave(_repository: Repository, _upload: Upload, _content: bytes) -> None:
    """The user does nothing."""


def delete(repository: Repository, upload: Upload, _content: bytes) -> None:
    if upload.image_id is not None:
        repository.library.delete("local", upload.image_id)


def delete_and_send_again(repository: Repository, upload: Upload, content: bytes) -> None:
    delete(repository, upload, content)
    assert take_in(repository, content).status == "stored"


@pytest.mark.parametrize(
    ("deed", "status", "then"),
    [
        ("new", "stored", leave),
        ("new", "stored", delete),
        ("new", "stored", delete_and_send_again),
        ("same file", "duplicate", delete),
        ("same pixels", "duplicate", delete_and_send_again),
        ("damaged", "rejected", leave),
    ],
)
def test_a_worker_paused_at_any_step_and_overtaken_changes_nothing_when_it_goes_on(
    template: Template, deed: str, status: str, then: Callable[[Repository, Upload, bytes], None]
) -> None:
    content = DEEDS[deed][1]
    overtaken = 0
    for interruption in interruptions(deed, "SIGSTOP", template):
        repository = interruption.repository
        upload = overtake(interruption, content)
        assert (interruption.steps, upload.status) == (interruption.steps, status)
        overtaken += upload.attempt > 1
        then(repository, upload, content)
        before = listed(repository), contents(repository)
        interruption.go_on()
        start_again(repository)
        assert repository.uploads.status("local", upload.id) == upload
        assert (listed(repository), contents(repository)) == before
        assert_nothing_is_broken_or_orphaned(repository, images=len(before[0]))
        assert (listed(repository), contents(repository)) == before
    assert overtaken > 1


def test_a_delete_paused_at_any_step_takes_nothing_of_what_is_sent_meanwhile(template: Template) -> None:
    statuses = set()
    for interruption in interruptions("delete", "SIGSTOP", template):
        repository = interruption.repository
        sweep_ahead(repository, LONG_AFTERWARDS).run()
        sent = take_in(repository, HELD)
        statuses.add(sent.status)
        interruption.go_on()
        kept = repository.catalog.images.get("local", sent.image_id or 0)
        assert kept is not None or sent.status == "duplicate", "what was sent after the delete went with it"
        assert contents(repository) == ({HELD} if kept else set())
        assert_nothing_is_broken_or_orphaned(repository, images=1 if kept else 0)
    assert "stored" in statuses


def test_a_ticket_used_again_with_other_bytes_at_any_step_leaves_one_of_the_two_files_whole(template: Template) -> None:
    kept = set()
    for interruption in interruptions("new", "SIGSTOP", template):
        repository = interruption.repository
        ticket = interruption.ticket
        disk_at(repository.settings.storage).post(ticket["fields"].items(), [OTHER])
        interruption.go_on()
        start_again(repository)
        upload = repository.uploads.status("local", ticket["upload_id"])
        assert upload.status == "stored"
        image = repository.library.image("local", upload.image_id or 0)
        (content,) = contents(repository) - {HELD}
        assert content in (NEW, OTHER)
        assert image.sha256 == hashlib.sha256(content).digest()
        kept.add(content)
        assert_nothing_is_broken_or_orphaned(repository, images=2)
    assert kept == {NEW, OTHER}
