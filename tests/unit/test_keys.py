from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage import keys

upload_ids = st.text("0123456789abcdefghijklmnopqrstuv", min_size=36, max_size=36)
#: Of this release, and of the one before.
storage_ids = st.builds(keys.new_storage_id) | st.builds("{}-{}".format, upload_ids, st.integers(1, 999_999_999))
ID = "0" * 36


@given(upload_ids, storage_ids, st.sampled_from([256, 512, 1280]), st.sampled_from(["jpg", "webp"]))
def test_every_key_that_is_made_is_well_formed_and_tells_its_id(
    upload_id: str, storage_id: str, size: int, extension: str
) -> None:
    incoming, original = keys.incoming(upload_id), keys.original(storage_id)
    thumbnail = keys.thumbnail(storage_id, size, extension)
    assert all(keys.is_key(key) for key in (incoming, original, thumbnail))
    assert keys.upload_of(incoming) == upload_id
    assert keys.storage_of(original) == keys.storage_of(thumbnail) == storage_id
    assert keys.storage_of(incoming) is None
    for subject in (upload_id, storage_id):
        assert [keys.subject_of(key) for key in keys.on_the_way(subject)] == [subject, subject]
        assert all(map(keys.is_key, keys.on_the_way(subject)))
    assert keys.upload_of(keys.decoded(upload_id)) is None
    assert keys.upload_of(keys.incoming(storage_id)) is None
    assert keys.upload_of(original) is None
    assert keys.upload_of(thumbnail) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "incoming/",
        f"incoming/{ID}/",
        f"incoming/{ID}\n",
        f"/incoming/{ID}",
        f"incoming//{ID}",
        f"incoming/../originals/{ID}-1",
        f"incoming/{'w' * 36}",
        f"incoming/{ID.upper()}0",
        f"incoming/{ID[1:]}\N{ARABIC-INDIC DIGIT ZERO}",
        f"incoming/{ID}-1/x",
        f"decoded/{ID}/",
        f"decoded/{ID[:31]}",
        f"originals/{ID}",
        f"originals/{ID[:31]}",
        f"originals/{ID[:33]}",
        f"originals/{ID[:32]}-1",
        f"thumbnails/{ID[:32]}",
        f"originals/{ID}-",
        f"originals/{ID}-1234567890",
        f"originals/{ID}-\N{ARABIC-INDIC DIGIT THREE}",
        f"thumbnails/{ID}-1",
        f"thumbnails/{ID}-1/../{ID}.jpg",
        f"thumbnails/{ID}-1/256.png",
        f"thumbnails/{ID}-1/25\N{ARABIC-INDIC DIGIT SIX}.jpg",
        f"thumbnails/{ID}-1/.jpg",
        f"thumbnails/{ID}-1/256.jpg\x00",
        f"INCOMING/{ID}",
        "signing-key",
        "temporary/x",
    ],
)
def test_nothing_else_is_a_key(text: str) -> None:
    assert not keys.is_key(text)
    assert keys.upload_of(text) is None
    assert keys.subject_of(text) is None
    assert keys.storage_of(text) is None


@given(st.text())
def test_no_text_at_all_is_a_key_unless_it_was_made_as_one(text: str) -> None:
    assert keys.is_key(text) == (keys.subject_of(text) is not None or keys.storage_of(text) is not None)


@given(storage_ids, storage_ids)
def test_keys_sort_as_ids_do(a: str, b: str) -> None:
    """Listing and resuming by key rely on this across all that belongs to one id."""
    assert (a < b) == (keys.original(a) < keys.original(b))
    assert (a < b) == (keys.thumbnail(a, 256, "jpg") < keys.thumbnail(b, 256, "jpg")) or a == b


def test_storage_ids_are_never_alike_and_spread_from_their_first_character() -> None:
    ids = [keys.new_storage_id() for _ in range(3200)]
    assert len(set(ids)) == len(ids)
    counts = Counter(storage_id[0] for storage_id in ids)
    assert len(counts) == 32
    assert max(counts.values()) < 200, "a hundred of each are to be expected"
