"""Taking in without decoding: what `Decode` finds lies in the store, and counts for one upload and its very bytes, once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decoding import findings
from chalicelib.errors import BadImageError, MisconfiguredError, UnavailableError
from chalicelib.model.pictures import Picture
from chalicelib.repository import Repository, assemble
from chalicelib.services.decode import TRIES, Decode
from chalicelib.services.findings import Reader
from chalicelib.services.ingest import MAX_STRIKES
from chalicelib.services.uploads import Offer, UploadAnswer
from chalicelib.storage import keys
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.port import ObjectMissing
from tests import pictures
from tests.repositories import LIMITS, clock_ahead, decoder_here, files_in, repository_in, sweep_ahead

CONTENT = pictures.encoded(pictures.image(1), "BMP")
#: As long, and another picture.
OTHER = pictures.encoded(pictures.image(3), "BMP")


@dataclass
class Functions:
    """The two functions over one store, whose events wait in `events` for whoever delivers them."""

    repository: Repository
    decode: Decode
    events: list[str] = field(default_factory=list)

    @property
    def store(self) -> DiskStore:
        assert isinstance(self.repository.store, DiskStore)
        return self.repository.store

    def sent(self, content: bytes = CONTENT, size: int | None = None) -> str:
        """The id of an upload whose bytes have come."""
        (answer,) = self.repository.uploads.ask("local", [Offer("photo.bmp", size or len(content), None)])
        assert isinstance(answer, UploadAnswer)
        self.store.put(keys.incoming(answer.upload.id), content, "image/bmp")
        return answer.upload.id

    def deliver(self, key: str) -> None:
        """The event of an object: to the function whose queue it goes to."""
        handler = self.decode.handle if key.startswith(keys.INCOMING) else self.repository.ingest.handle
        handler({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]})

    def settle(self) -> None:
        """Deliver every event, those that come of it too."""
        while self.events:
            self.deliver(self.events.pop(0))

    def status(self, upload_id: str) -> tuple[str, str | None]:
        upload = self.repository.uploads.status("local", upload_id)
        return upload.status, upload.error_code

    def rest(self) -> list[str]:
        """What has not been taken in, by its keys."""
        return [item.key for section in (keys.INCOMING, keys.DECODED) for item in self.store.list(section)]


class Telling(DiskStore):
    """A folder that also raises the events of `decoded/`, as the bucket does."""

    decoded_events: list[str]

    def put(self, key: str, content: bytes, content_type: str) -> None:
        super().put(key, content, content_type)
        if key.startswith(keys.DECODED):
            self.decoded_events.append(key)

    def copy(self, source: str, etag: str, target: str, content_type: str) -> None:
        super().copy(source, etag, target, content_type)
        if target.startswith(keys.INCOMING):
            self.decoded_events.append(target)


def functions_in(folder: Path) -> Functions:
    base = repository_in(folder)
    events: list[str] = []

    def on_incoming(notification: dict[str, Any]) -> None:
        events.extend(record["s3"]["object"]["key"] for record in notification["Records"])

    store = Telling(folder, "http://repository.test/store", clock_ahead(timedelta()), on_incoming)
    store.decoded_events = events
    reader = Reader(partial(findings.picture_in, limits=LIMITS), findings.thumbnails_in)
    repository = assemble(base.settings, base.public_url, base.database, store, base.queue, reader, base.workspace)
    examine = decoder_here().examine
    decode = Decode(store, lambda path, sha256: examine(path, sha256, ""), findings.packed, lambda: base.workspace.folder)
    return Functions(repository, decode, events)


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    return functions_in(tmp_path / "repository")


def test_what_is_sent_is_decoded_by_one_and_taken_in_by_the_other(functions: Functions) -> None:
    upload = functions.sent()
    functions.settle()
    assert functions.status(upload) == ("stored", None)
    assert functions.rest() == []
    image = functions.repository.library.image("local", 1)
    with functions.store.open(keys.original(image.file.storage_id)) as reading:
        assert b"".join(reading.chunks()) == CONTENT
    assert len(files_in(functions.repository.settings.storage)) == 4


def test_events_that_come_twice_or_late_change_nothing(functions: Functions) -> None:
    upload = functions.sent()
    functions.settle()
    ended = functions.repository.uploads.status("local", upload)
    for key in (keys.incoming(upload), keys.decoded(upload), keys.decoded(upload), keys.incoming(upload)):
        functions.deliver(key)
        functions.settle()
    assert functions.repository.uploads.status("local", upload) == ended
    assert functions.rest() == []


def test_what_was_found_for_nobody_is_removed_and_the_bytes_are_left_to_the_sweep(functions: Functions) -> None:
    stranger = "0" * 36
    functions.store.put(keys.incoming(stranger), CONTENT, "image/bmp")
    functions.settle()
    assert functions.rest() == [keys.incoming(stranger)]


def test_a_finding_that_is_lost_is_asked_for_again(functions: Functions) -> None:
    upload = functions.sent()
    functions.deliver(functions.events.pop())
    functions.store.delete([keys.decoded(upload)])
    functions.settle()
    assert functions.status(upload) == ("stored", None)


def test_an_event_of_a_release_that_decoded_where_it_took_in_is_no_loss(functions: Functions) -> None:
    upload = functions.sent()
    key = functions.events.pop()
    functions.repository.ingest.handle({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]})
    functions.settle()
    assert functions.status(upload) == ("stored", None)


def test_a_finding_about_other_bytes_counts_for_nothing(functions: Functions) -> None:
    upload = functions.sent(CONTENT)
    functions.deliver(functions.events.pop())
    of_the_first = functions.events.pop()
    functions.store.put(keys.incoming(upload), OTHER, "image/bmp")
    functions.deliver(of_the_first)
    assert functions.status(upload) == ("pending", None)
    functions.settle()
    image = functions.repository.library.image("local", 1)
    assert (functions.status(upload), image.sha256) == (("stored", None), hashlib.sha256(OTHER).digest())


def test_a_finding_is_good_for_no_other_upload(functions: Functions) -> None:
    """A decoder that was taken over can write whatever it likes about any upload that it hears of."""
    victim, upload = functions.sent(OTHER), functions.sent(CONTENT)
    functions.deliver(keys.incoming(upload))
    with functions.store.open(keys.decoded(upload)) as reading:
        functions.store.put(keys.decoded(victim), b"".join(reading.chunks()), "application/octet-stream")
    functions.deliver(keys.decoded(victim))
    assert functions.status(victim) == ("pending", None)
    functions.settle()
    assert {functions.status(each) for each in (victim, upload)} == {("stored", None)}


@pytest.mark.parametrize(
    ("content", "size", "code"),
    [
        (b"Dear Sir or Madam", None, "UnsupportedImageError"),
        (CONTENT[:60], None, "BadImageError"),
        (CONTENT, len(CONTENT) + 1, "BadDigestError"),
    ],
)
def test_what_is_refused_ends_with_its_reason(functions: Functions, content: bytes, size: int | None, code: str) -> None:
    upload = functions.sent(content, size)
    functions.settle()
    assert (functions.status(upload), functions.rest()) == (("rejected", code), [])


def test_a_file_that_is_known_is_taken_in_without_a_finding(functions: Functions) -> None:
    functions.sent()
    functions.settle()
    again = functions.sent()
    functions.events.clear()
    functions.deliver(keys.decoded(again))
    assert functions.status(again) == ("duplicate", None)


@pytest.mark.parametrize(("deaths", "status"), [(TRIES - 1, ("stored", None)), (TRIES, ("rejected", "BadImageError"))])
def test_a_file_may_bring_the_decoder_down_some_times(
    functions: Functions, deaths: int, status: tuple[str, str | None]
) -> None:
    died: list[Path] = []

    def dying(path: Path, sha256: bytes) -> Picture:
        if len(died) < deaths:
            died.append(path)
            raise RuntimeError("the decoder is no more")
        return decoder_here().examine(path, sha256, "")

    functions.decode = replace(functions.decode, examine=dying)
    upload = functions.sent()
    functions.settle()
    assert (functions.status(upload), len(died)) == (status, deaths)


@pytest.mark.parametrize("fault", [OSError("no space left on device"), UnavailableError("no decoder can be started")])
def test_a_fault_that_is_not_the_files_leaves_the_event_to_come_again(functions: Functions, fault: Exception) -> None:
    def failing(_path: Path, _sha256: bytes) -> Picture:
        raise fault

    well, functions.decode = functions.decode, replace(functions.decode, examine=failing)
    upload = functions.sent()
    with pytest.raises(type(fault)):
        functions.deliver(keys.incoming(upload))
    assert functions.rest() == [keys.incoming(upload)]
    functions.decode = well
    functions.settle()
    assert functions.status(upload) == ("stored", None)


def forged(change: Callable[[Picture], Picture]) -> Callable[[bytes, Any], bytes]:
    return lambda sha256, found: findings.packed(sha256, change(found))


@pytest.mark.parametrize(
    "pack",
    [
        lambda _sha256, _found: b"",
        lambda _sha256, _found: b"\xc1" * 100,
        lambda _sha256, _found: bytes(17_000_000),
        forged(lambda picture: replace(picture, identity=b"short")),
        forged(lambda picture: replace(picture, format="JPEG")),
        forged(lambda picture: replace(picture, width=10**6)),
        forged(lambda picture: replace(picture, thumbnails=replace(picture.thumbnails, contents={}))),
        lambda sha256, _found: findings.packed(sha256, BadImageError("a line\nthat was not asked for")).replace(
            b"a line ", b"a line\n"
        ),
    ],
)
def test_a_forged_finding_is_a_strike_and_the_bytes_are_decoded_anew(
    functions: Functions, pack: Callable[[bytes, Any], bytes]
) -> None:
    well, functions.decode = functions.decode, replace(functions.decode, pack=pack)
    upload = functions.sent()
    functions.deliver(functions.events.pop())
    functions.deliver(functions.events.pop())
    assert functions.repository.uploads.status("local", upload).strikes == 1
    assert functions.events == [keys.incoming(upload)]
    functions.decode = well
    functions.settle()
    assert functions.status(upload) == ("stored", None)


def test_a_file_of_which_nothing_is_found_but_forgeries_is_refused_in_the_end(functions: Functions) -> None:
    functions.decode = replace(functions.decode, pack=lambda _sha256, _found: b"forged")
    upload = functions.sent()
    functions.settle()
    assert functions.status(upload) == ("rejected", "BadImageError")
    assert functions.repository.uploads.status("local", upload).strikes == MAX_STRIKES


class Forbidding(Telling):
    """To a role that may not list, what is not there is forbidden, as S3 says."""

    def open(self, key: str) -> Any:
        return _forbidden_if_missing(super().open(key))


class _forbidden_if_missing:  # noqa: N801 - a context manager, used as a function
    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def __enter__(self) -> Any:
        try:
            return self._opened.__enter__()
        except ObjectMissing:
            raise MisconfiguredError(
                "The store does not answer: AccessDenied.", "the policy [GetObject: AccessDenied]"
            ) from None

    def __exit__(self, *problem: object) -> Any:
        return self._opened.__exit__(*problem)


def test_what_looks_forbidden_because_it_is_gone_is_done_with(functions: Functions) -> None:
    upload = functions.sent()
    functions.settle()
    ended = functions.status(upload)
    blind = Forbidding(functions.repository.settings.storage, "http://repository.test/store", clock_ahead(timedelta()), None)
    blind.decoded_events = functions.events
    functions.decode = replace(functions.decode, store=blind)
    functions.deliver(keys.incoming(upload))
    functions.settle()
    assert (functions.status(upload), functions.rest()) == (ended, [])


def test_what_is_forbidden_though_it_is_there_is_a_fault_and_no_refusal(functions: Functions) -> None:
    upload = functions.sent()
    problem = MisconfiguredError("The store does not answer: AccessDenied.", "the policy [GetObject: AccessDenied]")
    functions.store.put(keys.decoded(upload), findings.packed(b"", problem), "application/octet-stream")
    with pytest.raises(UnavailableError) as raised:
        functions.deliver(keys.decoded(upload))
    assert "AccessDenied" in (raised.value.cause or "")
    functions.settle()
    assert functions.status(upload) == ("stored", None)


def test_thumbnails_that_are_missing_are_asked_for_by_the_sweep_and_put_by_who_takes_in(functions: Functions) -> None:
    functions.sent()
    functions.settle()
    gone = [item.key for item in functions.store.list(keys.THUMBNAILS)]
    functions.store.delete(gone)
    report = functions.repository.sweep.run()
    assert (report.problems, report.done["sets of thumbnails asked for"]) == ([], 1)
    functions.settle()
    assert [item.key for item in functions.store.list(keys.THUMBNAILS)] == gone
    assert functions.rest() == []


def test_of_a_picture_deleted_meanwhile_no_thumbnail_comes_back(functions: Functions) -> None:
    functions.sent()
    functions.settle()
    functions.store.delete([item.key for item in functions.store.list(keys.THUMBNAILS)])
    functions.repository.sweep.run()
    functions.repository.library.delete("local", 1)
    functions.settle()
    assert files_in(functions.repository.settings.storage) == []


def test_findings_that_nobody_waits_for_are_swept_away_after_a_day(functions: Functions) -> None:
    upload = functions.sent()
    functions.deliver(functions.events.pop())
    functions.events.clear()
    sweep_ahead(functions.repository, timedelta(hours=23)).run()
    assert keys.decoded(upload) in functions.rest()
    assert sweep_ahead(functions.repository, timedelta(hours=25)).run(dry_run=True).problems == []
    assert keys.decoded(upload) in functions.rest()
    sweep_ahead(functions.repository, timedelta(hours=25)).run()
    assert functions.rest() == [keys.incoming(upload)]
    functions.settle()
    assert functions.status(upload) == ("stored", None)


@settings(max_examples=25)
@given(data=st.data())
def test_whatever_happens_to_events_every_upload_ends_once_a_sweep_has_run(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    functions = functions_in(tmp_path_factory.mktemp("model") / "repository")
    contents = data.draw(st.lists(st.sampled_from([CONTENT, OTHER, CONTENT[:60]]), min_size=1, max_size=4))
    uploads = [functions.sent(content) for content in contents]
    for _ in range(data.draw(st.integers(0, 12))):
        if not functions.events:
            break
        event = functions.events.pop(data.draw(st.integers(0, len(functions.events) - 1)))
        fate = data.draw(st.sampled_from(["delivered", "lost", "twice"]))
        for _ in range({"delivered": 1, "lost": 0, "twice": 2}[fate]):
            functions.deliver(event)
    functions.settle()
    for _ in range(2):
        sweep_ahead(functions.repository, timedelta(hours=2)).run()
        functions.settle()
    ended = [functions.status(upload)[0] for upload in uploads]
    assert ended.count("rejected") == contents.count(CONTENT[:60])
    assert ended.count("stored") == len({CONTENT, OTHER} & set(contents))
    assert set(ended) <= {"stored", "duplicate", "rejected"}
    assert functions.rest() == []
    functions.repository.close()
