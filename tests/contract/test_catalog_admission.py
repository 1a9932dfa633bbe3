"""Taking files into the catalog, on every engine: what is new, what is held, what was overtaken."""

from dataclasses import replace
from datetime import datetime

import pytest

from chalicelib.catalog.catalog import Catalog
from chalicelib.model.facts import Carried, Facts
from chalicelib.model.records import Entry, Filters, LeaseLost, Overtaken, StoredFile
from tests.contract.making import LATER, NOW, admission, admitted, digest, entry, leased, listed, stored_file

FACTS = Facts(
    taken_at=datetime(2008, 10, 22, 16, 28, 39, 123456),
    taken_at_offset="+02:00",
    taken_at_source="DateTimeOriginal",
    camera_make="NIKON",
    camera_model="COOLPIX P6000 😀",
    lens_model="Ångström 50 mm",
    exposure_time=1 / 3,
    f_number=7.1,
    iso=2**40,
    focal_length=18.000000000000004,
    latitude=-43.467448,
    longitude=179.99999999999997,
    altitude=-0.1,
    exif={"Make": "NIKON", "Text": "😀 \x00 é", "Numbers": [1, 2.5, -1e300], "Nothing": None, "Deep": {"a": [True]}},
)


def test_a_new_image_is_read_back_with_every_fact(catalog: Catalog) -> None:
    upload = leased(catalog, owner="local", name="DSCN0010 😀.JPG")
    result = catalog.images.admit(admission(upload, "file", entry("picture", FACTS)), LATER)
    assert (result.status, result.match, result.differs, result.adopted) == ("stored", None, (), True)
    image = catalog.images.get("local", result.image_id)
    assert image is not None
    assert (image.owner, image.name, image.uploaded_at, image.sha256) == ("local", "DSCN0010 😀.JPG", LATER, digest("file"))
    assert image.file == stored_file(upload)
    assert image.entry == entry("picture", FACTS)
    ended = catalog.uploads.get(upload.id)
    assert ended is not None
    assert (ended.status, ended.image_id, ended.match, ended.differs, ended.ended_at) == (
        "stored",
        result.image_id,
        None,
        (),
        LATER,
    )
    assert catalog.inventory.violations() == []


def test_an_image_without_facts_has_none(catalog: Catalog) -> None:
    image = catalog.images.get("local", admitted(catalog, "file").image_id)
    assert image is not None
    assert image.entry.facts == Facts()


def test_a_known_file_is_a_duplicate_without_being_decoded(catalog: Catalog) -> None:
    first = admitted(catalog, "file")
    upload = leased(catalog)
    again = catalog.images.admit(admission(upload, "file", None, written=False), LATER)
    assert (again.image_id, again.status, again.match, again.adopted) == (first.image_id, "duplicate", "file", False)
    ended = catalog.uploads.get(upload.id)
    assert ended is not None
    assert (ended.status, ended.image_id, ended.match) == ("duplicate", first.image_id, "file")


def test_a_known_file_stays_the_same_though_another_decoder_sees_other_pixels(catalog: Catalog) -> None:
    first = admitted(catalog, "file", entry("pixels"))
    again = admitted(catalog, "file", entry("pixels, the last bit apart"))
    assert (again.image_id, again.status, again.match, again.adopted) == (first.image_id, "duplicate", "file", False)


def test_another_file_of_a_held_picture_is_a_duplicate_by_its_pixels_and_known_from_then_on(catalog: Catalog) -> None:
    first = admitted(catalog, "a", entry("picture"))
    second = admitted(catalog, "b", entry("picture"))
    assert (second.image_id, second.status, second.match, second.adopted) == (first.image_id, "duplicate", "pixels", False)
    assert catalog.images.known("local", [digest("a"), digest("b"), digest("c")]) == {
        digest("a"): first.image_id,
        digest("b"): first.image_id,
    }
    third = admitted(catalog, "b", entry("picture"))
    assert (third.image_id, third.match) == (first.image_id, "file")
    assert catalog.inventory.violations() == []


def test_a_duplicate_fills_the_facts_that_are_missing_and_names_those_that_differ(catalog: Catalog) -> None:
    held = Facts(camera_make="NIKON", latitude=1.0, longitude=2.0, exif={"A": 1})
    sent = Facts(camera_make="Canon", taken_at=datetime(2020, 5, 6), latitude=1.0, longitude=2.0, altitude=3.0, exif={"B": 2})
    first = admitted(catalog, "a", entry("picture", held))
    upload = leased(catalog)
    second = catalog.images.admit(admission(upload, "b", entry("picture", sent)), LATER)
    assert second.differs == ("camera",)
    ended = catalog.uploads.get(upload.id)
    assert ended is not None
    assert ended.differs == ("camera",)
    image = catalog.images.get("local", first.image_id)
    assert image is not None
    assert image.entry.facts == replace(held, taken_at=datetime(2020, 5, 6), altitude=3.0, exif={"A": 1, "B": 2})
    taken = Filters(taken_after=datetime(2020, 5, 6), taken_before=datetime(2020, 5, 7), has_location=True)
    assert listed(catalog, taken, "taken_at") == [first.image_id]


def test_what_a_file_carries_is_kept_and_no_duplicate_adds_to_it(catalog: Catalog) -> None:
    film = Carried("film", "video/mp4", 5001, 2**40)
    held = replace(entry("picture"), carries=(film, replace(film, kind="ünknown", offset=0)))
    first = admitted(catalog, "a", held)
    assert admitted(catalog, "b", replace(held, carries=(film,))).image_id == first.image_id
    image = catalog.images.get("local", first.image_id)
    assert image is not None
    assert image.entry.carries == held.carries


def test_an_equal_file_of_two_owners_is_stored_for_each(catalog: Catalog) -> None:
    ann = admitted(catalog, "file", entry("picture"), owner="ann", name="ann.jpg")
    upload = leased(catalog, owner="bob", name="bob.jpg")
    with pytest.raises(Overtaken):
        catalog.images.admit(admission(upload, "file", entry("picture"), written=False), LATER)
    bob = catalog.images.admit(admission(upload, "file", entry("picture")), LATER)
    assert (bob.status, bob.adopted) == ("stored", True)
    anns, bobs = catalog.images.get("ann", ann.image_id), catalog.images.get("bob", bob.image_id)
    assert anns is not None
    assert bobs is not None
    assert bobs.file == stored_file(upload) != anns.file
    assert (anns.name, bobs.name) == ("ann.jpg", "bob.jpg")
    assert catalog.images.get("bob", ann.image_id) is None
    assert catalog.images.known("bob", [digest("file")]) == {digest("file"): bob.image_id}
    assert len(catalog.inventory.live_originals("", 9)) == 2
    assert catalog.inventory.violations() == []


def test_the_same_picture_of_two_owners_in_different_files_is_two_originals(catalog: Catalog) -> None:
    admitted(catalog, "a", entry("picture"), owner="ann")
    second = admitted(catalog, "b", entry("picture"), owner="bob")
    assert (second.status, second.adopted) == ("stored", True)
    assert len(catalog.inventory.live_originals("", 9)) == 2


def test_an_attempt_that_counted_on_what_has_gone_begins_again(catalog: Catalog) -> None:
    first = admitted(catalog, "file")
    upload = leased(catalog)
    catalog.images.delete("local", first.image_id)
    for picture in (None, entry("file")):
        with pytest.raises(Overtaken):
            catalog.images.admit(admission(upload, "file", picture, written=False), NOW)
    unchanged = catalog.uploads.get(upload.id)
    assert unchanged == upload
    anew = catalog.images.admit(admission(upload, "file", entry("file")), NOW)
    assert (anew.status, anew.adopted) == ("stored", True)
    assert anew.image_id > first.image_id
    assert catalog.inventory.violations() == []


@pytest.mark.parametrize("picture", [None, entry("file"), entry("other")])
def test_a_worker_that_lost_its_lease_changes_nothing(catalog: Catalog, picture: Entry | None) -> None:
    first = admitted(catalog, "file")
    upload = leased(catalog)
    catalog.uploads.lease(upload.id, LATER, LATER)
    file = "file" if picture is None else "new file"
    with pytest.raises(LeaseLost):
        catalog.images.admit(admission(upload, file, picture, written=True), NOW)
    assert catalog.images.known("local", [digest("new file")]) == {}
    assert len(catalog.inventory.live_originals("", 9)) == 1
    assert catalog.images.get("local", first.image_id + 1) is None
    held = catalog.uploads.get(upload.id)
    assert held is not None
    assert (held.status, held.attempt) == ("processing", 2)


def test_an_upload_that_has_ended_is_not_ended_again(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.images.admit(admission(upload, "file", entry("picture")), NOW)
    ended = catalog.uploads.get(upload.id)
    with pytest.raises(LeaseLost):
        catalog.images.admit(admission(upload, "file", None, written=False), LATER)
    assert catalog.uploads.get(upload.id) == ended


def test_digests_that_end_in_zeros_or_spaces_are_not_confused(catalog: Catalog) -> None:
    pictures = [bytes(32), bytes(31) + b" ", b" " * 32, bytes([255]) * 32]
    for number, identity in enumerate(pictures):
        result = admitted(catalog, f"file {number}", replace(entry("picture"), identity=identity))
        assert result.status == "stored"
    assert [catalog.images.holds("local", each) for each in [*pictures, bytes(30) + b"  "]] == [True] * 4 + [False]
    assert not catalog.images.holds("other", bytes(32))


def test_an_original_is_listed_as_it_was_stored(catalog: Catalog) -> None:
    upload = leased(catalog)
    catalog.images.admit(admission(upload, "file", entry("picture"), format_name="HEIF", byte_size=2**40), NOW)
    [original] = catalog.inventory.live_originals("", 9)
    assert original.sha256 == digest("file")
    assert original.file == StoredFile(f"{upload.id}-1", 2**40, "HEIF", "image/jpeg", "jpg")
    assert catalog.inventory.still_live(original)
