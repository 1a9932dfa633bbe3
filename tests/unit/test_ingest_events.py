"""Events, leases and faults: what an ingest does besides the straight way."""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import BadImageError, UnavailableError
from chalicelib.model.pictures import Picture
from chalicelib.model.records import Admission, Admitted, Filters, NoLease, Upload
from chalicelib.repository import Decoder, Repository
from chalicelib.services.ingest import MAX_RESTARTS, Busy
from chalicelib.services.uploads import Offer, UploadAnswer
from chalicelib.storage import keys
from tests import pictures
from tests.repositories import clock_ahead, decoder_here, disk_at, disk_of, files_in, repository_in, sweep_ahead, take_in

CONTENT = pictures.png(1)
Examine = Callable[[Path, bytes, str], Picture]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_in(tmp_path / "repository")


def arrived(repository: Repository, content: bytes = CONTENT, size: int | None = None) -> str:
    """Bytes lie in the store, and nobody has been told; returns the upload's id."""
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", size or len(content), None)])
    assert isinstance(answer, UploadAnswer)
    put_quietly(repository, answer.upload.id, content)
    return answer.upload.id


def put_quietly(repository: Repository, upload_id: str, content: bytes) -> None:
    deaf = disk_at(repository.settings.storage)
    deaf.put(keys.incoming(upload_id), content, "image/png")


def event(*uploads: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """As S3 sends it; keys are URL-encoded."""
    objects = ({"key": f"incoming%2F{upload}", "size": 1, "eTag": "x", "sequencer": "1"} for upload in uploads)
    return {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": {"object": one}} for one in objects]}


def upload_of(repository: Repository, upload_id: str) -> Upload:
    return repository.uploads.status("local", upload_id)


def test_every_record_of_an_event_is_taken_in_and_a_second_delivery_changes_nothing(repository: Repository) -> None:
    both = [arrived(repository), arrived(repository, pictures.png(2))]
    repository.ingest.handle(event(*both))
    ended = [upload_of(repository, upload) for upload in both]
    assert [upload.status for upload in ended] == ["stored", "stored"]
    files = files_in(repository.settings.storage)
    repository.ingest.handle(event(*both, *both))
    assert [upload_of(repository, upload) for upload in both] == ended
    assert files_in(repository.settings.storage) == files


@pytest.mark.parametrize(
    "notification",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        {},
        {"Records": []},
        event("0" * 36),
        event("../../etc/passwd", "not an id", ""),
        event("0" * 36, name="ObjectRemoved:Delete"),
    ],
)
def test_an_event_that_is_about_no_upload_of_ours_is_passed_over(
    repository: Repository, notification: Mapping[str, Any]
) -> None:
    before = files_in(repository.settings.storage)
    repository.ingest.handle(notification)
    assert files_in(repository.settings.storage) == before


def test_an_upload_in_other_hands_is_left_alone_and_its_event_comes_again(repository: Repository) -> None:
    upload_id = arrived(repository)
    now = datetime.now(UTC)
    held = repository.catalog.uploads.lease(upload_id, now, now)
    assert not isinstance(held, NoLease)
    with pytest.raises(Busy):
        repository.ingest.handle(event(upload_id))
    assert upload_of(repository, upload_id) == held


def test_an_event_without_bytes_leaves_the_upload_waiting_for_them(repository: Repository) -> None:
    (answer,) = repository.uploads.ask("local", [Offer("photo.png", len(CONTENT), None)])
    assert isinstance(answer, UploadAnswer)
    repository.ingest.handle(event(answer.upload.id))
    assert upload_of(repository, answer.upload.id).status == "pending"
    disk_of(repository).post(answer.ticket.fields.items(), [CONTENT])
    repository.queue.drain()
    assert upload_of(repository, answer.upload.id).status == "stored"


def test_a_size_that_the_bytes_belie_is_refused(repository: Repository) -> None:
    upload_id = arrived(repository, CONTENT, size=len(CONTENT) + 1)
    repository.ingest.handle(event(upload_id))
    upload = upload_of(repository, upload_id)
    assert (upload.status, upload.error_code) == ("rejected", "BadDigestError")
    assert files_in(repository.settings.storage) == []


def with_examine(folder: Path, wrap: Callable[[Examine], Examine]) -> Repository:
    decoder = decoder_here()
    return repository_in(folder, Decoder(wrap(decoder.examine), decoder.make_thumbnails))


def test_a_fault_gives_the_upload_back_and_raises_so_that_the_event_comes_again(tmp_path: Path) -> None:
    faults: list[Exception] = [OSError("no space left on device"), RuntimeError("a bug"), UnavailableError("away")]

    def failing(examine: Examine) -> Examine:
        def fail_first(path: Path, sha256: bytes, owner: str) -> Picture:
            if faults:
                raise faults.pop()
            return examine(path, sha256, owner)

        return fail_first

    repository = with_examine(tmp_path, failing)
    upload_id = arrived(repository)
    for kind in (UnavailableError, RuntimeError, OSError):
        with pytest.raises(kind):
            repository.ingest.handle(event(upload_id))
        assert upload_of(repository, upload_id).status == "pending"
    repository.ingest.handle(event(upload_id))
    assert (upload_of(repository, upload_id).status, upload_of(repository, upload_id).attempt) == ("stored", 4)
    assert len(files_in(repository.settings.storage)) == 4


def test_a_refusal_takes_the_strike_back(tmp_path: Path) -> None:
    def refusing(_: Examine) -> Examine:
        def refuse(*_: object) -> Picture:
            raise BadImageError("The file is damaged.")

        return refuse

    repository = with_examine(tmp_path, refusing)
    upload_id = arrived(repository)
    repository.ingest.handle(event(upload_id))
    upload = upload_of(repository, upload_id)
    assert (upload.status, upload.error_message, upload.strikes) == ("rejected", "The file is damaged.", 0)


def test_a_worker_that_was_taken_for_dead_undoes_what_it_wrote_and_stops(tmp_path: Path) -> None:
    """A second worker takes over, and comes to the end, while the first one decodes."""
    first_is_at_work: list[bool] = [True]

    def overtaken(examine: Examine) -> Examine:
        def examine_late(path: Path, sha256: bytes, owner: str) -> Picture:
            if first_is_at_work and first_is_at_work.pop():
                later = replace(repository.ingest, clock=clock_ahead(timedelta(hours=1)))
                later.handle(event(upload_id))
            return examine(path, sha256, owner)

        return examine_late

    repository = with_examine(tmp_path, overtaken)
    upload_id = arrived(repository)
    repository.ingest.handle(event(upload_id))
    upload = upload_of(repository, upload_id)
    assert (upload.status, upload.attempt) == ("stored", 2)
    files = files_in(repository.settings.storage)
    assert len(files) == 4
    assert upload.storage_id is not None
    assert all(upload.storage_id in str(file) for file in files)
    assert sweep_ahead(repository, timedelta(days=2)).run().problems == []
    assert files_in(repository.settings.storage) == files


def test_bytes_that_change_with_every_look_are_left_to_a_later_delivery(tmp_path: Path) -> None:
    looks: list[bytes] = []

    def replaced(examine: Examine) -> Examine:
        def examine_and_replace(path: Path, sha256: bytes, owner: str) -> Picture:
            looks.append(sha256)
            other = pictures.encoded(pictures.image(len(looks)), "BMP")
            if len(looks) <= MAX_RESTARTS:
                put_quietly(repository, upload_id, other)
            return examine(path, sha256, owner)

        return examine_and_replace

    repository = with_examine(tmp_path, replaced)
    upload_id = arrived(repository, pictures.encoded(pictures.image(0), "BMP"))
    with pytest.raises(UnavailableError):
        repository.ingest.handle(event(upload_id))
    assert len(looks) == len(set(looks)) == MAX_RESTARTS
    assert upload_of(repository, upload_id).status == "pending"
    repository.ingest.handle(event(upload_id))
    assert upload_of(repository, upload_id).status == "stored"
    assert len(files_in(repository.settings.storage)) == 4


class DeletedMeanwhile:
    """The rows of images, in which the owner deletes an entry as soon as it has been counted on."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def known(self, owner: str, digests: Collection[bytes]) -> dict[bytes, int]:
        found = self._repository.catalog.images.known(owner, digests)
        self._delete(found)
        return found

    def holds(self, owner: str, identity: bytes) -> bool:
        found = self._repository.catalog.images.holds(owner, identity)
        self._delete(found)
        return found

    def _delete(self, found: object) -> None:
        for image in images_of(self._repository, "local") if found else []:
            self._repository.library.delete("local", image)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository.catalog.images, name)


@pytest.mark.parametrize("held", [CONTENT, pictures.encoded(pictures.image(1), "BMP")], ids=["file", "pixels"])
def test_an_entry_deleted_while_it_is_counted_on_makes_the_ingest_begin_again(repository: Repository, held: bytes) -> None:
    first = take_in(repository, held)
    catalog = copy(repository.catalog)
    catalog.images = DeletedMeanwhile(repository)  # type: ignore[assignment] # it stands in for the rows
    upload_id = arrived(repository)
    replace(repository.ingest, catalog=catalog).handle(event(upload_id))
    assert upload_of(repository, upload_id).status == "stored"
    assert images_of(repository, "local") == [upload_of(repository, upload_id).image_id] != [first.image_id]
    assert len(files_in(repository.settings.storage)) == 4
    assert sweep_ahead(repository, timedelta(days=2)).run().problems == []


class AnswerLost:
    """The rows of images, whose admission is committed while its caller is told that the database does not answer."""

    def __init__(self, repository: Repository) -> None:
        self._images = repository.catalog.images

    def admit(self, admission: Admission, now: datetime) -> Admitted:
        self._images.admit(admission, now)
        raise UnavailableError("The connection was lost under the commit.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._images, name)


def test_an_admission_that_was_committed_keeps_its_files_though_its_worker_was_told_otherwise(repository: Repository) -> None:
    catalog = copy(repository.catalog)
    catalog.images = AnswerLost(repository)  # type: ignore[assignment] # it stands in for the rows
    upload_id = arrived(repository)
    with pytest.raises(UnavailableError):
        replace(repository.ingest, catalog=catalog).handle(event(upload_id))
    repository.ingest.handle(event(upload_id))
    assert (upload_of(repository, upload_id).status, upload_of(repository, upload_id).attempt) == ("stored", 1)
    assert len(files_in(repository.settings.storage)) == 4
    assert sweep_ahead(repository, timedelta(days=2)).run().problems == []


def images_of(repository: Repository, owner: str) -> list[int]:
    return [item.image.id for item in repository.library.page(owner, Filters(), "name", 200, None).items]
