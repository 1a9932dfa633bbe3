"""What the services are promised by any object store."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore
from tests.contract.store.conftest import Backend, read

UPLOAD = "0" * 35 + "a"
INCOMING = keys.incoming(UPLOAD)
ORIGINAL = keys.original("0" * 31 + "a")
THUMBNAIL = keys.thumbnail("0" * 31 + "a", 256, "jpg")
#: More than one chunk, and no two chunks alike.
LARGE = bytes(range(256)) * 4096 * 2 + b"and a little more"


def etag_of(store: ObjectStore, key: str) -> str:
    with store.open(key) as reading:
        return reading.etag


def content_of(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as reading:
        return read(reading)


@pytest.mark.parametrize("content", [b"", b"x", LARGE])
@pytest.mark.parametrize("key", [INCOMING, ORIGINAL, THUMBNAIL])
def test_what_is_put_is_read_back(store: ObjectStore, key: str, content: bytes) -> None:
    store.put(key, content, "image/jpeg")
    with store.open(key) as reading:
        chunks = list(reading.chunks())
        assert reading.size == len(content)
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= 1024 * 1024 for chunk in chunks)


def test_a_second_put_replaces_the_first_under_a_new_etag(store: ObjectStore) -> None:
    store.put(INCOMING, b"first", "image/jpeg")
    before = etag_of(store, INCOMING)
    store.put(INCOMING, b"other", "image/jpeg")
    assert content_of(store, INCOMING) == b"other"
    assert etag_of(store, INCOMING) != before


def test_an_etag_stays_while_the_object_does(store: ObjectStore) -> None:
    store.put(INCOMING, b"first", "image/jpeg")
    assert etag_of(store, INCOMING) == etag_of(store, INCOMING)


def test_a_reading_tells_when_the_object_was_put(store: ObjectStore) -> None:
    store.put(INCOMING, b"first", "image/jpeg")
    head = store.head(INCOMING)
    with store.open(INCOMING) as reading:
        assert head
        assert reading.modified == head.modified
        assert abs(datetime.now(UTC) - reading.modified) < timedelta(minutes=1)


@pytest.mark.parametrize("happens", ["replaced", "deleted"])
def test_a_reading_is_of_one_version_or_says_that_it_cannot_be(store: ObjectStore, happens: str) -> None:
    store.put(INCOMING, LARGE, "image/jpeg")
    with store.open(INCOMING) as reading:
        if happens == "replaced":
            store.put(INCOMING, bytes(len(LARGE)), "image/jpeg")
        else:
            store.delete([INCOMING])
        try:
            seen = read(reading)
        except ObjectChanged:
            return
    assert seen == LARGE


@pytest.mark.parametrize("key", [INCOMING, ORIGINAL, THUMBNAIL, "incoming/../originals", "", "signing-key", "incoming/\x00"])
def test_what_is_not_there_is_missing(store: ObjectStore, key: str) -> None:
    assert store.head(key) is None
    with pytest.raises(ObjectMissing), store.open(key):
        pass
    with pytest.raises(ObjectMissing):
        store.copy(key, '"0"', ORIGINAL, "image/jpeg")
    with pytest.raises(ObjectMissing):
        store.raise_event(key)
    store.delete([key])


@pytest.mark.parametrize("key", ["incoming/../x", "", "signing-key", "originals/x", "/etc/passwd"])
def test_nothing_is_written_under_what_is_no_key(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.put(key, b"content", "image/jpeg")
    store.put(INCOMING, b"content", "image/jpeg")
    with pytest.raises(ValueError, match="not a key"):
        store.copy(INCOMING, etag_of(store, INCOMING), key, "image/jpeg")


def test_head_tells_size_and_age(store: ObjectStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    store.put(ORIGINAL, b"12345", "image/jpeg")
    found = store.head(ORIGINAL)
    assert found is not None
    assert (found.key, found.size) == (ORIGINAL, 5)
    assert before <= found.modified <= datetime.now(UTC) + timedelta(seconds=2)


def test_a_copy_is_of_the_version_asked_for_and_lives_on_its_own(store: ObjectStore) -> None:
    store.put(INCOMING, LARGE, "image/jpeg")
    store.copy(INCOMING, etag_of(store, INCOMING), ORIGINAL, "image/png")
    store.put(INCOMING, b"another", "image/jpeg")
    assert content_of(store, ORIGINAL) == LARGE
    store.delete([INCOMING])
    assert content_of(store, ORIGINAL) == LARGE


def test_a_copy_of_another_version_is_refused_and_leaves_nothing(backend: Backend) -> None:
    store = backend.store
    store.put(INCOMING, b"first", "image/jpeg")
    etag = etag_of(store, INCOMING)
    store.put(INCOMING, b"other", "image/jpeg")
    with pytest.raises(ObjectChanged):
        store.copy(INCOMING, etag, ORIGINAL, "image/jpeg")
    assert store.head(ORIGINAL) is None


def test_copying_again_is_the_same(store: ObjectStore) -> None:
    store.put(INCOMING, b"first", "image/jpeg")
    for _ in range(2):
        store.copy(INCOMING, etag_of(store, INCOMING), ORIGINAL, "image/jpeg")
    assert content_of(store, ORIGINAL) == b"first"
    assert [found.key for found in store.list("originals/")] == [ORIGINAL]


def test_delete_takes_many_and_passes_over_the_rest(store: ObjectStore) -> None:
    made = [keys.incoming(f"{number:036}") for number in range(30)]
    for key in made:
        store.put(key, b"x", "image/jpeg")
    store.put(ORIGINAL, b"stays", "image/jpeg")
    store.delete(key for key in [*made, *made[:3], THUMBNAIL, "no key at all"])
    assert list(store.list("incoming/")) == []
    assert content_of(store, ORIGINAL) == b"stays"
    store.delete([])


def test_more_keys_than_one_request_can_name_are_deleted(store: ObjectStore) -> None:
    store.put(INCOMING, b"x", "image/jpeg")
    store.delete([*(keys.incoming(f"{number:036}") for number in range(1500)), INCOMING])
    assert store.head(INCOMING) is None


def _spread(number: int) -> str:
    """Ids that begin alike and ids that do not, so that they fall into one folder and into several; of this release and of
    the one before, between each other.
    """
    earlier = f"{number * 7919 % 5:05}{number % 3:02}{number:029}"
    return f"{earlier}-{(1, 2, 10)[number % 5]}" if number % 5 < 3 else earlier[:28] + f"{number:04}"


def test_a_listing_is_in_order_and_holds_one_kind_of_key(store: ObjectStore) -> None:
    ids = [_spread(number) for number in range(36)]
    for one in ids:
        store.put(keys.original(one), b"12", "image/jpeg")
        for size in (256, 512, 1280):
            store.put(keys.thumbnail(one, size, "jpg"), b"123", "image/jpeg")
    store.put(INCOMING, b"1", "image/jpeg")
    originals = list(store.list("originals/"))
    assert [found.key for found in originals] == sorted(map(keys.original, ids))
    assert {found.size for found in originals} == {2}
    thumbnails = [found.key for found in store.list("thumbnails/")]
    assert thumbnails == sorted(keys.thumbnail(one, size, "jpg") for one in ids for size in (256, 512, 1280))
    assert [found.key for found in store.list("incoming/")] == [INCOMING]
    for every in (originals[0].key, thumbnails[7], thumbnails[-1]):
        prefix = every.partition("/")[0] + "/"
        rest = [found.key for found in store.list(prefix, after=every)]
        assert rest == [
            key for key in (thumbnails if prefix == "thumbnails/" else sorted(map(keys.original, ids))) if key > every
        ]


@pytest.mark.parametrize(
    "after", ["", "originals/", "originals/00001", "originals/0000103", "originals/zz", "zz", "a", "originals0"]
)
def test_a_listing_begins_behind_any_text(store: ObjectStore, after: str) -> None:
    made = sorted(keys.original(_spread(number)) for number in range(12))
    for key in made:
        store.put(key, b"x", "image/jpeg")
    assert [found.key for found in store.list("originals/", after)] == [key for key in made if key > after]


def test_only_the_three_kinds_can_be_listed(store: ObjectStore) -> None:
    with pytest.raises(ValueError, match="originals/"):
        list(store.list("temporary/"))


def test_a_store_that_is_there_passes_its_check(store: ObjectStore) -> None:
    store.check()


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def test_a_ticket_lets_a_client_post_exactly_its_file(backend: Backend) -> None:
    ticket = backend.store.ticket(INCOMING, len(LARGE), in_an_hour())
    assert backend.post(ticket.fields, LARGE).status == 204
    assert content_of(backend.store, INCOMING) == LARGE


def test_a_ticket_can_be_posted_again_within_its_time(backend: Backend) -> None:
    ticket = backend.store.ticket(INCOMING, 3, in_an_hour())
    assert [backend.post(ticket.fields, content).status for content in (b"one", b"two")] == [204, 204]
    assert content_of(backend.store, INCOMING) == b"two"


@pytest.mark.parametrize(("content", "code"), [(b"12", "EntityTooSmall"), (b"1234", "EntityTooLarge"), (b"", "EntityTooSmall")])
def test_a_file_of_another_size_is_refused(backend: Backend, content: bytes, code: str) -> None:
    ticket = backend.store.ticket(INCOMING, 3, in_an_hour())
    answer = backend.post(ticket.fields, content)
    assert (answer.status, answer.code) == (400, code)
    assert backend.store.head(INCOMING) is None


def test_an_expired_ticket_is_refused(backend: Backend) -> None:
    ticket = backend.store.ticket(INCOMING, 3, datetime.now(UTC) - timedelta(seconds=2))
    assert backend.post(ticket.fields, b"123").status == 403
    assert backend.store.head(INCOMING) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", ORIGINAL),
        ("policy", "e30="),
        ("x-amz-signature", "0" * 64),
        ("acl", "public-read"),
    ],
)
def test_a_ticket_that_was_tampered_with_is_refused(backend: Backend, name: str, value: str) -> None:
    ticket = backend.store.ticket(INCOMING, 3, in_an_hour())
    assert backend.post({**ticket.fields, name: value}, b"123").status == 403
    assert backend.store.head(INCOMING) is None
    assert backend.store.head(ORIGINAL) is None


NAMES = ["IMG_0001.JPG", "Größe & Maß.jpg", 'a "b" \\c;.jpg', "日本 🎉+%41.jpg"]


@pytest.mark.parametrize("name", NAMES)
def test_a_url_serves_the_object_under_its_type_and_name(backend: Backend, name: str) -> None:
    backend.store.put(ORIGINAL, LARGE, "application/octet-stream")
    answer = backend.get(backend.store.url(ORIGINAL, "image/jpeg", name, "attachment"))
    assert (answer.status, answer.content) == (200, LARGE)
    assert answer.content_type == "image/jpeg"
    assert answer.content_disposition.startswith("attachment; filename=")
    assert answer.cache_control == "private, max-age=3600, immutable"
    assert answer.content_disposition.endswith(f"; filename*=UTF-8''{quote(name, safe='&+')}")


@pytest.mark.parametrize(
    ("before", "after"),
    [("originals", "thumbnails"), ("image%2Fjpeg", "text%2Fhtml"), ("inline", "attachment"), ("Expires=7200", "Expires=7201")],
)
def test_a_url_that_was_tampered_with_is_refused(backend: Backend, before: str, after: str) -> None:
    backend.store.put(ORIGINAL, b"x", "image/jpeg")
    url = backend.store.url(ORIGINAL, "image/jpeg", "name.jpg", "inline")
    assert before in url
    assert backend.get(url.replace(before, after)).status == 403


TODAY = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)


def test_what_is_set_aside_is_in_no_listing_and_read_by_nobody_and_goes_after_its_day(store: ObjectStore) -> None:
    for key in (INCOMING, ORIGINAL, THUMBNAIL):
        store.put(key, b"bytes", "image/jpeg")
    kept = keys.original(keys.new_storage_id())
    store.put(kept, b"kept", "image/jpeg")
    missing = keys.original(keys.new_storage_id())
    store.set_aside([INCOMING, ORIGINAL, missing, THUMBNAIL, "elsewhere"], TODAY)
    assert [item.key for prefix in keys.SECTIONS for item in store.list(prefix)] == [kept]
    assert [store.head(key) for key in (INCOMING, ORIGINAL, THUMBNAIL)] == [None] * 3
    assert store.forget_aside(TODAY.date(), dry_run=False) == 0
    tomorrow = (TODAY + timedelta(days=1)).date()
    assert store.forget_aside(tomorrow, dry_run=True) == 3
    assert store.forget_aside(tomorrow, dry_run=False) == 3
    assert store.forget_aside(tomorrow, dry_run=False) == 0
    assert content_of(store, kept) == b"kept"


def test_forgetting_what_was_put_before_leaves_what_was_put_last(store: ObjectStore) -> None:
    other = f"{INCOMING[:-1]}{(int(INCOMING[-1], 36) + 1) % 10}"
    store.put(other, b"another's", "image/jpeg")
    for content in (b"first", b"second", b"last"):
        store.put(INCOMING, content, "image/jpeg")
    store.forget_earlier(INCOMING)
    assert (content_of(store, INCOMING), content_of(store, other)) == (b"last", b"another's")
    store.delete([INCOMING])
    store.forget_earlier(INCOMING)
    assert store.head(INCOMING) is None


def test_the_repositorys_id_is_no_object(store: ObjectStore) -> None:
    assert store.repository_id() is None
    for given in ("a" * 32, "b" * 32):
        store.keep_repository_id(given)
        assert store.repository_id() == given
    assert [item.key for prefix in keys.SECTIONS for item in store.list(prefix)] == []
    store.delete(["repository-id"])
    store.set_aside(["repository-id"], TODAY)
    assert store.repository_id() == "b" * 32
    with pytest.raises(ObjectMissing), store.open("repository-id"):
        pass
