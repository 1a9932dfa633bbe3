"""The sweep: each step puts right one kind of what faults leave behind, touches nothing else, and says what it did."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chalice.local import Clock, LambdaContext

from app import app
from chalicelib import runtime
from chalicelib.catalog.images import ImageRows
from chalicelib.catalog.inventory import Inventory
from chalicelib.model.records import Admission, Admitted, Checkpoint, Filters, NoLease
from chalicelib.repository import Repository
from chalicelib.services.sweep_report import Report
from chalicelib.services.uploads import Offer, UploadAnswer
from chalicelib.storage import keys
from tests import pictures
from tests.repositories import disk_at, disk_of, files_in, repository_in, sweep_ahead, take_in

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_in(tmp_path / "repository")


def state_of(repository: Repository) -> object:
    """All that a sweep could change: every file with its bytes, and every row it could touch."""
    storage = repository.settings.storage
    inventory = repository.catalog.inventory
    far = datetime.now(UTC) + 1000 * DAY
    return (
        {path: (path.read_bytes(), path.stat().st_ctime_ns) for path in files_in(storage)},
        repository.library.page("local", Filters(), "name", 200, None),
        inventory.overdue(far, "", 1000),
        inventory.stale(far, "", 1000),
        inventory.live_originals("", 1000),
        inventory.tombstones(0, 1000),
        inventory.forget_uploads(far, 1000, dry_run=True),
        inventory.violations(),
    )


def swept(repository: Repository, ahead: timedelta) -> Report:
    """Sweep at a later time: first as a dry run, which must announce the same and change nothing."""
    sweep = sweep_ahead(repository, ahead)
    before = state_of(repository)
    announced = sweep.run(dry_run=True)
    assert state_of(repository) == before
    report = sweep.run()
    repository.queue.drain()
    assert announced.done == report.done
    return report


def ask(repository: Repository, content: bytes) -> UploadAnswer:
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", len(content), None)])
    assert isinstance(answer, UploadAnswer)
    return answer


def lose_event(repository: Repository, answer: UploadAnswer, content: bytes) -> None:
    """Bytes arrive, and nobody is told."""
    deaf = disk_at(repository.settings.storage)
    deaf.put(keys.incoming(answer.upload.id), content, "image/png")


def status(repository: Repository, upload_id: str) -> str:
    return repository.uploads.status("local", upload_id).status


def test_a_healthy_repository_needs_nothing(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    take_in(repository, pictures.encoded(pictures.image(1), "BMP"))
    take_in(repository, b"no image")
    ask(repository, b"to come")
    before = state_of(repository)
    report = swept(repository, timedelta(0))
    assert (report.done, report.problems, report.stopped_at) == ({}, [], None)
    assert state_of(repository) == before


def test_a_ticket_without_bytes_expires_a_day_after_its_time_and_not_before(repository: Repository) -> None:
    answer = ask(repository, b"never sent")
    assert swept(repository, DAY + HOUR - timedelta(minutes=1)).done == {}
    assert status(repository, answer.upload.id) == "pending"
    assert swept(repository, DAY + HOUR + timedelta(minutes=1)).done == {"tickets expired": 1}
    assert status(repository, answer.upload.id) == "expired"


def test_a_ticket_whose_event_was_lost_is_taken_in_after_the_stale_age(repository: Repository) -> None:
    answer = ask(repository, pictures.png(1))
    lose_event(repository, answer, pictures.png(1))
    stale = timedelta(seconds=repository.settings.stale_seconds)
    assert swept(repository, stale - timedelta(minutes=1)).done == {}
    assert status(repository, answer.upload.id) == "pending"
    assert swept(repository, stale + timedelta(minutes=1)).done == {"events raised anew": 1}
    assert status(repository, answer.upload.id) == "stored"
    assert len(files_in(repository.settings.storage)) == 4


def test_bytes_that_came_after_the_ticket_was_given_up_are_taken_in(repository: Repository) -> None:
    answer = ask(repository, pictures.png(1))
    swept(repository, DAY + 2 * HOUR)
    lose_event(repository, answer, pictures.png(1))
    swept(repository, 2 * DAY)
    assert status(repository, answer.upload.id) == "stored"


def lease(repository: Repository, upload_id: str) -> None:
    """Take the upload in hand as a worker that is then never heard of again."""
    now = datetime.now(UTC)
    assert not isinstance(repository.catalog.uploads.lease(upload_id, now, now), NoLease)


def test_an_upload_whose_worker_is_gone_is_taken_in_by_another(repository: Repository) -> None:
    answer = ask(repository, pictures.png(1))
    lose_event(repository, answer, pictures.png(1))
    lease(repository, answer.upload.id)
    stale = timedelta(seconds=repository.settings.stale_seconds)
    assert swept(repository, stale - timedelta(minutes=1)).done == {}
    assert status(repository, answer.upload.id) == "processing"
    later = replace(repository.ingest, clock=lambda: datetime.now(UTC) + stale + timedelta(minutes=1))
    assert sweep_ahead(repository, stale + timedelta(minutes=1)).run(dry_run=True).done == {"events raised anew": 1}
    later.take_in(answer.upload.id)
    assert status(repository, answer.upload.id) == "stored"
    assert repository.uploads.status("local", answer.upload.id).attempt == 2


def test_an_upload_whose_worker_and_bytes_are_gone_waits_for_bytes_again(repository: Repository) -> None:
    answer = ask(repository, pictures.png(1))
    lease(repository, answer.upload.id)
    assert swept(repository, HOUR).done == {"leases without bytes released": 1}
    assert status(repository, answer.upload.id) == "pending"
    disk_of(repository).post(answer.ticket.fields.items(), [pictures.png(1)])
    repository.queue.drain()
    assert status(repository, answer.upload.id) == "stored"


def test_bytes_of_an_upload_that_has_ended_go_after_a_day(repository: Repository) -> None:
    ended = take_in(repository, pictures.png(1))
    deaf = disk_at(repository.settings.storage)
    deaf.put(keys.incoming(ended.id), pictures.png(2), "image/png")
    assert swept(repository, DAY - HOUR).done == {}
    assert swept(repository, DAY + HOUR).done == {"orphans set aside": 1}
    assert len(files_in(repository.settings.storage)) == 4


def test_bytes_that_belong_to_no_upload_go_after_a_day(repository: Repository) -> None:
    repository.store.put(keys.incoming("0" * 36), b"whose?", "image/png")
    repository.queue.drain()
    assert swept(repository, DAY - HOUR).done == {}
    assert swept(repository, DAY + HOUR).done == {"orphans set aside": 1}
    assert files_in(repository.settings.storage) == []


def objects_of_nobody(repository: Repository, storage_id: str) -> None:
    repository.store.put(keys.original(storage_id), b"original", "image/png")
    repository.store.put(keys.thumbnail(storage_id, 256, "jpg"), b"thumbnail", "image/jpeg")


def test_objects_that_no_row_names_go_after_a_day(repository: Repository) -> None:
    kept = take_in(repository, pictures.png(1))
    objects_of_nobody(repository, f"{kept.id}-7")
    objects_of_nobody(repository, keys.new_storage_id())
    assert swept(repository, DAY - HOUR).done == {}
    assert swept(repository, DAY + HOUR).done == {"orphans set aside": 4}
    assert len(files_in(repository.settings.storage)) == 4


@pytest.mark.parametrize("earlier", [False, True])
def test_objects_of_an_upload_that_is_worked_on_stay(repository: Repository, earlier: bool) -> None:
    answer = ask(repository, pictures.png(1))
    storage_id = f"{answer.upload.id}-1" if earlier else keys.new_storage_id()
    now = datetime.now(UTC)
    repository.catalog.uploads.lease(answer.upload.id, now, now, None if earlier else storage_id)
    objects_of_nobody(repository, storage_id)
    assert "orphans set aside" not in sweep_ahead(repository, DAY + timedelta(minutes=1)).run(dry_run=True).done
    assert len(files_in(repository.settings.storage)) == 2


@pytest.fixture
def interrupted(repository: Repository) -> Repository:
    """With a tombstone left by a delete that got no further."""
    upload = take_in(repository, pictures.png(1))
    repository.catalog.images.delete("local", upload.image_id or 0)  # the row is a tombstone, its objects are still there
    return repository


def test_the_objects_and_row_that_a_tombstone_names_go_at_once(interrupted: Repository) -> None:
    assert len(files_in(interrupted.settings.storage)) == 4
    assert swept(interrupted, timedelta(0)).done == {"tombstones cleared": 1}
    assert files_in(interrupted.settings.storage) == []
    assert interrupted.catalog.inventory.tombstones(0, 10) == []


def test_missing_thumbnails_are_made_again(repository: Repository) -> None:
    take_in(repository, pictures.png(1, 600, 300))
    before = {path: path.read_bytes() for path in files_in(repository.settings.storage)}
    lost = [path for path in before if "thumbnails" in path.parts]
    lost[0].unlink()
    assert swept(repository, timedelta(0)).done == {"sets of thumbnails made": 1}
    for path in lost[1:]:
        path.unlink()
    assert swept(repository, timedelta(0)).done == {"sets of thumbnails made": 1}
    assert {path: path.read_bytes() for path in files_in(repository.settings.storage)} == before


def test_a_lost_original_is_reported_and_nothing_of_it_is_removed(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    (original,) = (path for path in files_in(repository.settings.storage) if "originals" in path.parts)
    original.unlink()
    report = swept(repository, 2 * DAY)
    assert report.done == {}
    (problem,) = report.problems
    assert original.name in problem
    assert len(files_in(repository.settings.storage)) == 3
    assert repository.library.count("local", Filters()) == 1


def test_thumbnails_that_cannot_be_made_are_reported(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    for path in files_in(repository.settings.storage):
        if "thumbnails" in path.parts:
            path.unlink()
        else:
            path.write_bytes(b"bit rot")
    report = sweep_ahead(repository, timedelta(0)).run()
    (problem,) = report.problems
    assert "cannot be made" in problem


def test_ended_uploads_are_forgotten_after_thirty_days_and_open_ones_are_not(repository: Repository) -> None:
    ended = [take_in(repository, pictures.png(1)), take_in(repository, pictures.png(1)), take_in(repository, b"no image")]
    assert swept(repository, 30 * DAY - HOUR).done == {}
    assert swept(repository, 30 * DAY + HOUR).done == {"ended uploads forgotten": 3}
    assert [repository.catalog.uploads.get(upload.id) for upload in ended] == [None] * 3
    assert repository.library.count("local", Filters()) == 1
    assert len(files_in(repository.settings.storage)) == 4


def test_everything_at_once_is_put_right_in_one_run_and_the_next_finds_nothing(interrupted: Repository) -> None:
    wreck(interrupted)
    assert sweep_ahead(interrupted, 2 * DAY).run().problems == []
    interrupted.queue.drain()
    assert sweep_ahead(interrupted, 2 * DAY).run().done == AFTERWARDS
    third = sweep_ahead(interrupted, 2 * DAY).run()
    assert (third.done, third.problems) == ({}, [])
    assert len(files_in(interrupted.settings.storage)) == 2 * 4


#: What was given back without bytes is overdue at the next run.
AFTERWARDS = {"tickets expired": 1}


def wreck(repository: Repository) -> None:
    take_in(repository, pictures.png(3))
    for path in files_in(repository.settings.storage):
        if path.name.startswith("512"):
            path.unlink()
    for seed in range(3):
        ask(repository, pictures.png(seed))
    lose_event(repository, ask(repository, pictures.png(4)), pictures.png(4))
    lease(repository, ask(repository, pictures.png(5)).upload.id)
    objects_of_nobody(repository, keys.new_storage_id())
    repository.store.put(keys.incoming("1" * 36), b"whose?", "image/png")
    repository.queue.drain()


def test_a_run_cut_into_the_smallest_slices_does_what_one_run_does(interrupted: Repository) -> None:
    wreck(interrupted)
    sweep = sweep_ahead(interrupted, 2 * DAY)
    announced = sweep.run(dry_run=True).done
    done: dict[str, int] = {}
    report, runs = sweep.run(time_is_up=lambda: True), 1
    assert report.stopped_at == Checkpoint("tickets")
    while report.stopped_at is not None:
        report, runs = sweep.run(start=report.stopped_at, time_is_up=one_slice()), runs + 1
        done = {kind: done.get(kind, 0) + report.done[kind] for kind in {*done, *report.done}}
        assert runs < 100
        interrupted.queue.drain()  # to a sweep from the future, whatever is in hand has been so for days
    assert runs > 10
    assert done == announced
    assert sweep.run().done == AFTERWARDS
    third = sweep.run()
    assert (third.done, third.problems) == ({}, [])


def one_slice() -> Callable[[], bool]:
    """Time for one slice, and then no more."""
    answers = itertools.chain([False], itertools.repeat(True))
    return lambda: next(answers)


def test_runs_that_have_time_for_one_slice_go_on_from_each_other_until_everything_is_done(interrupted: Repository) -> None:
    wreck(interrupted)
    sweep = sweep_ahead(interrupted, 2 * DAY)
    announced = sweep.run(dry_run=True).done
    done = Counter[str]()
    stops = []
    while (report := sweep.go_on(one_slice())).stopped_at is not None:
        done += report.done
        stops.append(report.stopped_at)
        assert len(stops) < 100
        interrupted.queue.drain()  # to a sweep from the future, whatever is in hand has been so for days
    assert {place.step for place in stops} >= {
        "leases",
        "incoming",
        "unreferenced",
        "tombstones",
        "originals",
        "missing",
        "invariants",
    }
    assert len(set(stops)) == len(stops)
    assert done + report.done == announced
    assert sweep.go_on(lambda: True).stopped_at == Checkpoint("tickets"), "a new pass begins at the beginning"


def test_a_run_of_all_steps_leaves_the_place_of_another_alone(repository: Repository) -> None:
    repository.catalog.inventory.keep_checkpoint(Checkpoint("tombstones", "7"))
    assert repository.sweep.run().stopped_at is None
    assert repository.catalog.inventory.take_checkpoint() == Checkpoint("tombstones", "7")
    assert repository.catalog.inventory.take_checkpoint() is None


def test_after_a_run_that_broke_off_the_next_begins_anew(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    repository.catalog.inventory.keep_checkpoint(Checkpoint("incoming"))
    temporary = repository.settings.storage / "temporary"
    temporary.rename(temporary.with_name("gone"))
    report = repository.sweep.go_on(lambda: False)
    assert (report.fault, report.problems) == ("The store does not answer: its folder has gone or cannot be written.", [])
    temporary.with_name("gone").rename(temporary)
    assert repository.sweep.go_on(lambda: True).stopped_at == Checkpoint("tickets")


def test_a_place_that_another_release_kept_is_the_beginning(repository: Repository) -> None:
    repository.catalog.inventory.keep_checkpoint(Checkpoint("a step of next year"))
    assert repository.sweep.go_on(lambda: True).stopped_at == Checkpoint("tickets")


class _Hurrying(Clock):
    """Ten minutes pass between two looks."""

    def __init__(self) -> None:
        self._looks = itertools.count()

    def time(self) -> float:
        return 600.0 * next(self._looks)


def test_the_function_that_the_clock_calls_goes_on_where_it_stopped(interrupted: Repository) -> None:
    """It has fifteen minutes, so time for one slice."""
    runtime.use(interrupted)
    stops = []
    while True:
        context = LambdaContext("sweep", 256, 900_000, _Hurrying())
        answer = app.handler_map["sweep"](EVENT, context)
        if answer["stopped_at"] is None:
            break
        stops.append((answer["stopped_at"]["step"], answer["stopped_at"]["after"]))
        assert len(stops) < 100
    assert {step for step, _ in stops} >= {"leases", "unreferenced", "tombstones", "originals", "missing", "invariants"}
    assert len(set(stops)) == len(stops)
    assert files_in(interrupted.settings.storage) == []


#: As EventBridge sends it.
EVENT = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}} | {
    "account": "0", "time": "2026-01-01T00:00:00Z", "region": "any", "resources": []
}  # fmt: skip


def corrupt(repository: Repository, *statements: str) -> None:
    """What no code of ours does, a hand in the database can."""
    with closing(sqlite3.connect(repository.settings.storage / "catalog.sqlite3")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_live_original_without_an_image_becomes_a_tombstone_and_is_cleared(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    take_in(repository, pictures.png(2))
    corrupt(
        repository,
        "DELETE FROM known_files WHERE image_id = 1",
        "DELETE FROM image_tags WHERE image_id = 1",
        "DELETE FROM images WHERE id = 1",
    )
    assert sweep_ahead(repository, timedelta(0)).run(dry_run=True).problems == [
        "Live originals without an image: 1, the first is 1.",
        "Owners whose counters are not what their rows say: 1, the first is local.",
    ]
    report = sweep_ahead(repository, timedelta(0)).run()
    assert report.done == {
        "originals without an image marked as deleted": 1,
        "tombstones cleared": 1,
        "owners counted anew": 1,
    }
    assert report.problems == []
    assert len(files_in(repository.settings.storage)) == 4


@pytest.mark.parametrize(
    ("statement", "beginning"),
    [
        ("UPDATE originals SET live = NULL", "Images without a live original: 1"),
        ("DELETE FROM known_files", "Images whose own file is not among their owner's known files: 1"),
        ("DELETE FROM image_tags", "Images without a row for their tags: 1"),
        ("UPDATE uploads SET ended_at = NULL", "Ended uploads without an end time, or open ones with one: 1"),
        ("UPDATE uploads SET image_id = NULL", "Uploads stored or duplicate without an image, or others with one: 1"),
    ],
)
def test_a_broken_invariant_is_reported_in_a_sentence(repository: Repository, statement: str, beginning: str) -> None:
    take_in(repository, pictures.png(1))
    corrupt(repository, statement)
    problems = repository.sweep.run(dry_run=True).problems
    assert [problem for problem in problems if problem.startswith(beginning)]


class _WatchedInventory(Inventory):
    """An inventory in which something happens behind the first question about what the store holds."""

    def __init__(self, inventory: Inventory, happens: Callable[[], None]) -> None:
        self.__dict__.update(vars(inventory))
        self._happens = [happens]

    def named_storage_ids(self, ids: Collection[str]) -> set[str]:
        return self._behind(super().named_storage_ids(ids))

    def open_uploads(self, ids: Collection[str]) -> set[str]:
        return self._behind(super().open_uploads(ids))

    def _behind(self, found: set[str]) -> set[str]:
        while self._happens:
            self._happens.pop()()
        return found


class _SweptImages(ImageRows):
    """Admits a file in the middle of a sweep."""

    def __init__(self, repository: Repository, ahead: timedelta) -> None:
        self.__dict__.update(vars(repository.catalog.images))
        self._repository, self._ahead = repository, ahead

    def admit(self, admission: Admission, now: datetime) -> Admitted:
        admitted: list[Admitted] = []
        catalog = copy(self._repository.catalog)
        admits = super().admit
        catalog.inventory = _WatchedInventory(catalog.inventory, lambda: admitted.append(admits(admission, now)))
        replace(sweep_ahead(self._repository, self._ahead), catalog=catalog).run()
        return admitted[0]


def test_a_file_admitted_while_the_sweep_asks_about_its_objects_keeps_them(repository: Repository) -> None:
    answer = ask(repository, pictures.png(1))
    lose_event(repository, answer, pictures.png(1))
    catalog = copy(repository.catalog)
    catalog.images = _SweptImages(repository, 2 * DAY)  # as where the laptop slept between writing and admitting
    replace(repository.ingest, catalog=catalog).take_in(answer.upload.id)
    repository.queue.drain()
    assert status(repository, answer.upload.id) == "stored"
    assert len(files_in(repository.settings.storage)) == 4
    assert repository.sweep.run().problems == []
