"""A sweep destroys nothing at once, gets past what it cannot do, and knows a store that is down from one that is broken."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chalice.local import LambdaContext

from app import app
from chalicelib import runtime
from chalicelib.errors import BadRequestError, ForeignStoreError, UnavailableError
from chalicelib.model.pictures import Thumbnails
from chalicelib.model.records import Checkpoint
from chalicelib.repository import Repository
from chalicelib.services.orphans import Orphans
from chalicelib.storage import keys
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.port import StoredObject
from tests import pictures
from tests.repositories import STORE_URL, clock_ahead, decoder_here, disk_of, files_in, repository_in, sweep_ahead, take_in

DAY = timedelta(days=1)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_in(tmp_path / "repository")


def put_orphans(repository: Repository, count: int) -> list[str]:
    """The keys of as many originals that no row names."""
    stored = [keys.original(keys.new_storage_id()) for number in range(count)]
    for key in stored:
        repository.store.put(key, b"bytes of " + key.encode(), "image/jpeg")
    return stored


def put_named(repository: Repository, count: int) -> None:
    """As many objects that a row names, beside the four of a picture."""
    take_in(repository, pictures.png(1))
    (live,) = repository.catalog.inventory.live_originals("", 10)
    for size in range(10_000, 10_000 + count):
        repository.store.put(keys.thumbnail(live.file.storage_id, size, "jpg"), b"named", "image/jpeg")


def originals_in(repository: Repository) -> set[str]:
    return {item.key for item in repository.store.list(keys.ORIGINALS)}


def test_an_orphan_can_be_brought_back_for_seven_days_and_is_gone_after(repository: Repository) -> None:
    folder = repository.settings.storage
    orphans = put_orphans(repository, 3)
    before = {path: path.read_bytes() for path in files_in(folder)}
    assert sweep_ahead(repository, 2 * DAY).run().done == {"orphans set aside": 3}
    assert originals_in(repository) == set()
    assert files_in(folder) == []
    assert repository.store.head(orphans[0]) is None
    assert sweep_ahead(repository, 9 * DAY - timedelta(minutes=1)).run().done == {}
    # What docs/operations.md tells an operator to do.
    (day,) = (folder / "aside").iterdir()
    shutil.copytree(day, folder, dirs_exist_ok=True)
    assert {path: path.read_bytes() for path in files_in(folder)} == before
    assert originals_in(repository) == set(orphans)
    assert sweep_ahead(repository, 10 * DAY).run(dry_run=True).done["objects set aside a week ago destroyed"] == 3
    assert day.is_dir()
    assert sweep_ahead(repository, 10 * DAY).run().done["objects set aside a week ago destroyed"] == 3
    assert not day.exists()


def test_what_an_owner_deleted_goes_at_once(repository: Repository) -> None:
    upload = take_in(repository, pictures.png(1))
    repository.catalog.images.delete("local", upload.image_id or 0)
    assert repository.sweep.run().done == {"tombstones cleared": 1}
    assert files_in(repository.settings.storage) == []
    assert not (repository.settings.storage / "aside").exists()


@pytest.mark.parametrize("time_is_up", [None, lambda: False], ids=["whole", "sliced"])
def test_more_than_a_tenth_of_a_store_is_left_alone_unless_told_otherwise(
    repository: Repository, time_is_up: Callable[[], bool] | None
) -> None:
    put_named(repository, 120)
    orphans = put_orphans(repository, 14)
    sweep = sweep_ahead(repository, 2 * DAY)
    for dry_run in (True, False):
        report = sweep.run(time_is_up=time_is_up, dry_run=dry_run)
        assert report.done == {}
        (problem,) = report.problems
        assert problem.startswith("14 objects that no row names were left alone")
        assert "--all" in problem
        assert (report.broken, report.fault) == (0, None)
    assert originals_in(repository) > set(orphans)
    disk_of(repository).delete(orphans[:1])
    assert sweep.run(dry_run=True, time_is_up=time_is_up).done == {"orphans set aside": 13}
    put_orphans(repository, 14)
    report = sweep.run(time_is_up=time_is_up, remove_all=True)
    assert (report.done, report.problems) == ({"orphans set aside": 13 + 14}, [])


def test_a_small_store_may_consist_of_orphans(repository: Repository) -> None:
    put_orphans(repository, 100)
    assert sweep_ahead(repository, 2 * DAY).run().done == {"orphans set aside": 100}


def test_the_slices_of_a_store_count_one_by_one_and_together() -> None:
    clean, spoilt = list[str](), [str(number) for number in range(60)]
    slices = Orphans(sliced=True, allow_all=False, store_size=lambda: 2000)
    for _ in range(20):
        assert slices.add(500, clean) == []
    assert slices.add(500, spoilt) == [], "60 of this slice's 500"
    assert slices.add(500, spoilt[:50]) == spoilt[:50]
    assert slices.add(3, spoilt[:2]) == spoilt[:2], "the rest of a large store is no store of its own"
    assert slices.withheld == 60
    first = Orphans(sliced=True, allow_all=False, store_size=lambda: 360)
    assert first.add(90, [str(number) for number in range(90)]) == [], "a small slice, but of a store that is not small"


def test_the_admin_function_is_told_to_set_all_aside(repository: Repository) -> None:
    put_orphans(repository, 101)
    runtime.use(replace(repository, sweep=sweep_ahead(repository, 2 * DAY)))
    context = LambdaContext("admin", 256, 900_000)
    answer = app.handler_map["admin"]({"command": "sweep"}, context)
    assert (answer["done"], len(answer["problems"])) == ({}, 1)
    answer = app.handler_map["admin"]({"command": "sweep", "all": True}, context)
    assert (answer["done"], answer["problems"]) == ({"orphans set aside": 101}, [])


def spoil(repository: Repository, key: str) -> Path:
    """Have a folder that is not empty in an object's place: no file can be removed or made there."""
    section, _, rest = key.partition("/")
    (path,) = (repository.settings.storage / section).rglob(rest)
    path.unlink(missing_ok=True)
    (path / "in the way").mkdir(parents=True)
    return path


def test_a_deleted_file_that_cannot_be_removed_costs_a_line_and_nothing_behind_it(repository: Repository) -> None:
    tombstone, kept = take_in(repository, pictures.png(1)), take_in(repository, pictures.png(2))
    also = take_in(repository, pictures.png(3))
    bad, whole = (repository.library.image("local", upload.image_id or 0).file.storage_id for upload in (tombstone, kept))
    for upload in (tombstone, also):
        repository.catalog.images.delete("local", upload.image_id or 0)
    path = spoil(repository, keys.original(bad))
    for thumbnail in repository.store.list(keys.THUMBNAILS):
        if whole in thumbnail.key:
            repository.store.delete([thumbnail.key])
    put_orphans(repository, 2)
    report = sweep_ahead(repository, 2 * DAY).run()
    assert report.done["tombstones cleared"] == 1
    assert report.done["orphans set aside"] >= 2
    assert report.done["sets of thumbnails made"] == 1
    problems = [problem for problem in report.problems if bad in problem]
    assert len(problems) == len(report.problems) >= 1
    assert "Is a directory" in problems[0] or "Operation not permitted" in problems[0]
    assert (report.broken, report.fault) == (0, None)
    shutil.rmtree(path)
    assert sweep_ahead(repository, 2 * DAY).run().done["tombstones cleared"] == 1


class _Stubborn(DiskStore):
    """A store in which some things always fail, and which may be gone after so many questions."""

    refuses: tuple[str, ...] = ()
    answers: int = 10**9

    def _ask(self, key: str = "") -> None:
        self.answers -= 1
        if self.answers < 0:
            raise UnavailableError("The store does not answer: it has been unplugged.")
        if key in self.refuses:
            raise UnavailableError("The store does not answer: AccessDenied.")

    def head(self, key: str) -> StoredObject | None:
        self._ask()
        return super().head(key)

    def set_aside(self, keys: Iterable[str], now: datetime) -> None:
        for key in keys:
            self._ask(key)
            super().set_aside([key], now)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        self._ask(prefix)
        return super().list(prefix, after)

    def check(self) -> None:
        self._ask()
        super().check()

    def check_writing(self) -> None:
        self._ask()
        super().check_writing()


def stubborn(repository: Repository) -> _Stubborn:
    return _Stubborn(repository.settings.storage, STORE_URL, lambda: datetime.now(UTC), None)


def test_one_object_that_cannot_be_set_aside_does_not_keep_the_others(repository: Repository) -> None:
    orphans = put_orphans(repository, 5)
    store = stubborn(repository)
    store.refuses = (orphans[2],)
    report = replace(sweep_ahead(repository, 2 * DAY), store=store).run()
    assert report.done == {"orphans set aside": 4}
    (problem,) = report.problems
    assert problem == f"The orphan {orphans[2]} could not be dealt with: The store does not answer: AccessDenied."
    assert originals_in(repository) == {orphans[2]}


def test_a_section_that_cannot_be_listed_costs_a_line_and_the_other_steps_are_done(repository: Repository) -> None:
    take_in(repository, pictures.png(1))
    store = stubborn(repository)
    store.refuses = (keys.ORIGINALS,)
    for upload in (take_in(repository, pictures.png(2)),):
        repository.catalog.images.delete("local", upload.image_id or 0)
    report = replace(sweep_ahead(repository, 31 * DAY), store=store).run()
    assert report.done["tombstones cleared"] == 1
    assert report.done["ended uploads forgotten"] == 2
    assert [problem.partition(" broke off")[0] for problem in report.problems] == [
        "The step 'originals' of the sweep",
        "The step 'missing' of the sweep",
    ]


def test_a_store_that_goes_down_in_the_middle_is_a_fault_and_breaks_nothing(repository: Repository) -> None:
    """At every point: whatever it was, no picture is called lost and nothing is removed that was no orphan."""
    for seed in range(2):
        take_in(repository, pictures.png(seed))
    kept = files_in(repository.settings.storage)
    faults = 0
    for answers in range(40):
        store = stubborn(repository)
        store.answers = answers
        report = replace(sweep_ahead(repository, 2 * DAY), store=store).run()
        assert report.problems == []
        assert report.fault in (None, "The store does not answer: it has been unplugged.")
        faults += report.fault is not None
        if report.fault is None:
            break
    assert faults > 10
    assert report.fault is None
    assert files_in(repository.settings.storage) == kept


def test_a_scheduled_sweep_that_meets_a_fault_fails_for_the_alarm(repository: Repository) -> None:
    store = stubborn(repository)
    store.answers = 1
    runtime.use(replace(repository, sweep=replace(repository.sweep, store=store)))
    with pytest.raises(UnavailableError, match="unplugged"):
        app.handler_map["sweep"]({**dict.fromkeys(("version", "id", "source", "account", "time", "region"), "0"),
                                  "detail-type": "", "detail": {}, "resources": []},
                                 LambdaContext("sweep", 256, 900_000))  # fmt: skip
    assert repository.sweep.go_on(lambda: True).stopped_at == Checkpoint("tickets")


def test_a_picture_deleted_while_it_is_looked_at_is_no_broken_invariant(repository: Repository) -> None:
    """Its thumbnails are missing, and go on being so: nothing of it comes back."""
    upload = take_in(repository, pictures.png(1))
    repository.store.delete([item.key for item in repository.store.list(keys.THUMBNAILS)])
    makes = decoder_here().make_thumbnails

    def make(path: Path) -> Thumbnails:
        thumbnails = makes(path)
        repository.library.delete("local", upload.image_id or 0)
        return thumbnails

    report = replace(repository.sweep, make_thumbnails=make).run()
    assert (report.done, report.problems) == ({}, [])
    assert files_in(repository.settings.storage) == []


@pytest.mark.parametrize("command", ["sweep", "ingest", "admin"])
def test_functions_refuse_a_catalog_that_is_not_the_stores(repository: Repository, command: str) -> None:
    take_in(repository, pictures.png(1))
    repository.store.keep_repository_id("b" * 32)
    runtime.use(replace(repository, sweep=replace(repository.sweep, clock=clock_ahead(2 * DAY))))
    events = {
        "sweep": {**dict.fromkeys(("version", "id", "source", "account", "time", "region"), "0")}
        | {"detail-type": "", "detail": {}, "resources": []},
        "ingest": {"Records": []},
        "admin": {"command": "list-keys"},
    }
    for _ in range(2):
        with pytest.raises(ForeignStoreError, match="do not belong together"):
            app.handler_map[command](events[command], LambdaContext(command, 256, 900_000))
    admin, context = app.handler_map["admin"], LambdaContext("admin", 256, 900_000)
    assert "would" in admin({"command": "adopt"}, context)
    assert repository.store.repository_id() == "b" * 32
    assert admin({"command": "migrate"}, context) == {"done": "The catalog is up to date."}
    assert "belong together" in admin({"command": "adopt", "confirm": True}, context)["done"]
    app.handler_map[command](events[command], context)
    assert len(files_in(repository.settings.storage)) == 4


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"command": "sweeep"},
        {"command": ["sweep"]},
        {"command": "sweep", "dryrun": True},
        {"command": "create-key"},
        {"command": "sweep", "start": {"step": "a step of next year", "after": ""}},
        {"command": "sweep", "start": {"step": "tombstones"}},
    ],
)
def test_what_the_admin_function_does_not_know_is_answered_in_a_sentence(repository: Repository, event: object) -> None:
    runtime.use(repository)
    with pytest.raises(BadRequestError):
        app.handler_map["admin"](event, LambdaContext("admin", 256, 900_000))
