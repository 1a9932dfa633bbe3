"""Killed at any step, an upload or a delete is brought to its end by the next start, and nothing is lost or kept twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from chalicelib.services.ingest import MAX_STRIKES
from tests.contract.interrupted import DAMAGED, DEEDS, HELD, NEW, OTHER, SAME_PIXELS
from tests.contract.interrupting import (
    Interruption,
    Template,
    assert_nothing_is_broken_or_orphaned,
    contents,
    interruptions,
    start_again,
    template_in,
    template_of,
)
from tests.repositories import disk_of, repository_in


@pytest.fixture
def template(tmp_path: Path, empty_url: URL) -> Template:
    return template_in(tmp_path, empty_url)


def killed(deed: str, template: Template) -> Iterator[Interruption]:
    return interruptions(deed, "SIGKILL", template)


@pytest.mark.parametrize(
    ("deed", "status", "kept"),
    [
        ("new", "stored", {HELD, NEW}),
        ("same file", "duplicate", {HELD}),
        ("same pixels", "duplicate", {HELD}),
        ("damaged", "rejected", {HELD}),
    ],
)
def test_an_upload_killed_at_any_step_ends_as_if_nothing_had_happened(
    template: Template, deed: str, status: str, kept: set[bytes]
) -> None:
    content = DEEDS[deed][1]
    accepted = 0
    for interruption in killed(deed, template):
        repository, ticket = interruption.repository, interruption.ticket
        start_again(repository)
        if repository.uploads.status("local", ticket["upload_id"]).status == "pending":
            assert accepted == 0, "an upload whose bytes had been accepted at an earlier step is lost"
            disk_of(repository).post(ticket["fields"].items(), [content])  # as the client does, who got no answer
            repository.queue.drain()
        else:
            accepted += 1
        upload = repository.uploads.status("local", ticket["upload_id"])
        assert (interruption.steps, upload.status, upload.strikes) == (interruption.steps, status, 0)
        assert contents(repository) == kept
        assert_nothing_is_broken_or_orphaned(repository, images=len(kept))
        start_again(repository)
        assert repository.uploads.status("local", ticket["upload_id"]) == upload
    assert accepted > 3


def test_a_delete_killed_at_any_step_is_whole_or_has_not_begun(template: Template) -> None:
    gone = 0
    for interruption in killed("delete", template):
        repository = interruption.repository
        start_again(repository)
        held = repository.catalog.images.get("local", 1)
        assert held is None or gone == 0
        gone += held is None
        assert contents(repository) == (set() if held is None else {HELD})
        assert_nothing_is_broken_or_orphaned(repository, images=0 if held is None else 1)
    assert gone > 3


def test_a_server_killed_again_and_again_while_it_decodes_a_file_never_refuses_it(template: Template, tmp_path: Path) -> None:
    template = killed_while_decoding("new", template)
    for _ in range(MAX_STRIKES):
        template = killed_while_decoding("start", template)
    template.copy_to(tmp_path / "last")
    repository = repository_in(tmp_path / "last", database_url=template.database_url)
    start_again(repository)
    assert contents(repository) == {HELD, NEW}
    assert_nothing_is_broken_or_orphaned(repository, images=2)


def killed_while_decoding(deed: str, template: Template) -> Template:
    """The repository as a kill between the strike and its taking back leaves it."""
    for interruption in killed(deed, template):
        repository = interruption.repository
        if repository.uploads.status("local", interruption.ticket["upload_id"]).strikes == 1:
            return template_of(repository, template.url)
    raise AssertionError("no kill hit the decoding")


def test_the_files_of_these_tests_are_what_their_names_say() -> None:
    assert len({HELD, NEW, OTHER, SAME_PIXELS, DAMAGED}) == 5
    assert len(NEW) == len(OTHER)
