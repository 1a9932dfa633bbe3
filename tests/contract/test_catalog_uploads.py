"""The life of an upload's row, on every engine."""

from datetime import timedelta

import pytest

from chalicelib.catalog.catalog import Catalog
from chalicelib.model.records import LeaseLost, NoLease, Upload
from tests.contract.making import LATER, NOW, admitted, asked, digest, leased, pending


def test_an_upload_is_read_back_as_it_was_asked_for(catalog: Catalog) -> None:
    new = asked(owner="zoë", name="Fête 😀 𐐀.JPG")
    catalog.uploads.add([new, asked()])
    upload = catalog.uploads.get(new.id)
    assert upload is not None
    assert (upload.id, upload.owner, upload.name, upload.size) == (new.id, "zoë", "Fête 😀 𐐀.JPG", 5)
    assert (upload.status, upload.attempt, upload.strikes) == ("pending", 0, 0)
    assert (upload.created_at, upload.expires_at) == (NOW, NOW + timedelta(hours=1))
    assert upload.created_at.utcoffset() == timedelta(0)
    assert (upload.sha256, upload.leased_at, upload.image_id, upload.match, upload.differs) == (None, None, None, None, ())
    assert (upload.error_code, upload.error_message, upload.ended_at) == (None, None, None)


@pytest.mark.parametrize("wrong", ["", "nobody", "😀", "\x00", "a" * 5000, "\udc80", "%", "'"])
def test_an_id_that_nobody_has_names_no_upload(catalog: Catalog, wrong: str) -> None:
    pending(catalog)
    assert catalog.uploads.get(wrong) is None


def test_an_id_with_a_space_behind_it_is_another_id(catalog: Catalog) -> None:
    upload_id = pending(catalog, upload_id="abc")
    assert catalog.uploads.get("abc ") is None
    assert catalog.uploads.get("ABC") is None
    assert catalog.uploads.get(upload_id) is not None


def test_of_two_who_lease_an_upload_one_gets_it(catalog: Catalog) -> None:
    upload_id = pending(catalog)
    first = catalog.uploads.lease(upload_id, NOW, NOW - timedelta(minutes=15))
    second = catalog.uploads.lease(upload_id, NOW, NOW - timedelta(minutes=15))
    assert isinstance(first, Upload)
    assert (first.status, first.attempt, first.leased_at) == ("processing", 1, NOW)
    assert second is NoLease.BUSY


def test_a_stale_lease_is_taken_over_and_lost_to_its_holder(catalog: Catalog) -> None:
    upload = leased(catalog)
    assert catalog.uploads.lease(upload.id, LATER, NOW) is NoLease.BUSY
    second = catalog.uploads.lease(upload.id, LATER, NOW + timedelta(microseconds=1))
    assert isinstance(second, Upload)
    assert (second.attempt, second.leased_at) == (2, LATER)
    for write in (catalog.uploads.mark_strike, catalog.uploads.clear_strike):
        with pytest.raises(LeaseLost):
            write(upload.id, 1)
    with pytest.raises(LeaseLost):
        catalog.uploads.reject(upload.id, 1, "BadImageError", "Truncated.", NOW)
    catalog.uploads.release(upload.id, 1)
    assert catalog.uploads.get(upload.id) == second


def test_an_unknown_or_ended_upload_is_refused(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.uploads.reject(upload.id, 1, "BadImageError", "Truncated.", LATER)
    assert catalog.uploads.lease("unknown", LATER, LATER) is NoLease.UNKNOWN
    assert catalog.uploads.lease(upload.id, LATER, LATER) is NoLease.ENDED
    ended = catalog.uploads.get(upload.id)
    assert ended is not None
    assert (ended.status, ended.error_code, ended.error_message) == ("rejected", "BadImageError", "Truncated.")
    assert ended.ended_at == LATER


def test_an_expired_upload_whose_bytes_came_after_all_is_leased(catalog: Catalog) -> None:
    upload_id = pending(catalog)
    assert catalog.inventory.expire(upload_id, LATER)
    assert not catalog.inventory.expire(upload_id, LATER)
    expired = catalog.uploads.get(upload_id)
    assert expired is not None
    assert (expired.status, expired.ended_at) == ("expired", LATER)
    upload = catalog.uploads.lease(upload_id, LATER, NOW)
    assert isinstance(upload, Upload)
    assert (upload.status, upload.attempt, upload.ended_at) == ("processing", 1, None)
    assert not catalog.inventory.expire(upload_id, LATER)


def test_a_released_upload_can_be_claimed_at_once_and_keeps_its_strikes(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.uploads.mark_strike(upload.id, upload.attempt)
    catalog.uploads.release(upload.id, upload.attempt)
    again = catalog.uploads.lease(upload.id, LATER, NOW)
    assert isinstance(again, Upload)
    assert (again.attempt, again.strikes) == (2, 1)


def test_strikes_are_marked_and_cleared(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.uploads.mark_strike(upload.id, 1)
    catalog.uploads.mark_strike(upload.id, 1)
    catalog.uploads.clear_strike(upload.id, 1)
    struck = catalog.uploads.get(upload.id)
    assert struck is not None
    assert struck.strikes == 1


def test_uploads_that_a_killed_server_left_are_pending_again_without_its_strike(catalog: Catalog) -> None:
    decoding, hashing, waiting = leased(catalog), leased(catalog), pending(catalog)
    catalog.uploads.mark_strike(decoding.id, 1)
    catalog.uploads.mark_strike(decoding.id, 1)
    done = leased(catalog)
    catalog.uploads.reject(done.id, 1, "BadImageError", "Truncated.", NOW)
    elsewhere = leased(catalog)
    catalog.uploads.recover_interrupted([decoding.id, hashing.id, waiting, done.id])
    found = {each: catalog.uploads.get(each) for each in (decoding.id, hashing.id, waiting, done.id, elsewhere.id)}
    assert [(each.status, each.attempt, each.strikes) for each in found.values() if each] == [
        ("pending", 1, 1),
        ("pending", 1, 0),
        ("pending", 0, 0),
        ("rejected", 1, 0),
        ("processing", 1, 0),
    ]


def test_any_number_of_interrupted_uploads_is_recovered(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.uploads.recover_interrupted([*(str(number) for number in range(300_000)), upload.id])
    recovered = catalog.uploads.get(upload.id)
    assert recovered is not None
    assert recovered.status == "pending"


def test_overdue_and_stale_uploads_come_in_slices(catalog: Catalog) -> None:
    waiting = [pending(catalog) for _ in range(5)]
    busy = [leased(catalog).id for _ in range(3)]
    young = pending(catalog, at=LATER)
    due = NOW + timedelta(hours=1, microseconds=1)
    first = catalog.inventory.overdue(due, "", 3)
    rest = catalog.inventory.overdue(due, first[-1].id, 3)
    assert [upload.id for upload in first + rest] == waiting
    assert young not in waiting
    assert catalog.inventory.overdue(due - timedelta(microseconds=1), "", 9) == []
    assert [upload.id for upload in catalog.inventory.stale(LATER, "", 2)] == busy[:2]
    assert [upload.id for upload in catalog.inventory.stale(LATER, busy[1], 2)] == busy[2:]
    assert catalog.inventory.stale(NOW, "", 9) == []


def test_only_uploads_that_ended_long_ago_are_forgotten(catalog: Catalog) -> None:
    old, new, open_ = leased(catalog), leased(catalog), leased(catalog)
    catalog.uploads.reject(old.id, 1, "BadImageError", "Truncated.", NOW)
    catalog.uploads.reject(new.id, 1, "BadImageError", "Truncated.", LATER)
    expired = pending(catalog)
    catalog.inventory.expire(expired, NOW)
    assert catalog.inventory.forget_uploads(LATER, 1, dry_run=False) == 1
    assert catalog.inventory.forget_uploads(LATER, 9, dry_run=True) == 1
    assert catalog.inventory.forget_uploads(LATER, 9, dry_run=False) == 1
    assert catalog.inventory.forget_uploads(LATER, 9, dry_run=False) == 0
    assert [catalog.uploads.get(each) is None for each in (old.id, expired, new.id, open_.id)] == [True, True, False, False]


def test_open_uploads_are_those_that_have_not_ended(catalog: Catalog) -> None:
    waiting, busy, ended = pending(catalog), leased(catalog), leased(catalog)
    catalog.uploads.reject(ended.id, 1, "BadImageError", "Truncated.", NOW)
    assert catalog.inventory.open_uploads([waiting, busy.id, ended.id, "unknown", "😀"]) == {waiting, busy.id}
    assert catalog.inventory.open_uploads([]) == set()


def test_a_declared_digest_is_kept_to_the_byte(catalog: Catalog) -> None:
    new = asked()
    declared = bytes(31) + b" "
    catalog.uploads.add([type(new)(new.id, new.owner, new.name, 5, declared, new.created_at, new.expires_at)])
    upload = catalog.uploads.get(new.id)
    assert upload is not None
    assert upload.sha256 == declared


def test_an_upload_that_ended_stored_names_its_image(catalog: Catalog) -> None:
    result = admitted(catalog, "file", at=LATER)
    assert result.status == "stored"
    assert catalog.images.known("local", [digest("file")]) == {digest("file"): result.image_id}
