"""How the facts of two files of one picture combine."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.model.facts import GROUPS, Facts, combine

SMALL: dict[str, st.SearchStrategy[Any]] = {"taken_at": st.sampled_from([None, datetime(2020, 1, 1), datetime(2021, 1, 1)]),
         "exif": st.dictionaries(st.sampled_from("ABC"), st.sampled_from([1, 2]), max_size=3)}  # fmt: skip
FACTS: st.SearchStrategy[Facts] = st.fixed_dictionaries(
    {field.name: SMALL.get(field.name, st.sampled_from([None, 1, 2])) for field in fields(Facts)}
).map(lambda values: Facts(**values))


@given(FACTS, FACTS)
def test_what_is_held_is_never_changed(held: Facts, sent: Facts) -> None:
    combined, _ = combine(held, sent)
    for field in fields(Facts):
        mine = getattr(held, field.name)
        if field.name == "exif":
            assert {name: combined.exif[name] for name in mine} == mine
        elif mine is not None:
            assert getattr(combined, field.name) == mine


@given(FACTS, FACTS)
def test_a_group_is_filled_from_the_other_file_or_named_as_differing(held: Facts, sent: Facts) -> None:
    combined, differs = combine(held, sent)
    assert set(differs) <= {*GROUPS, "exif"}
    for group, names in GROUPS.items():
        before, after, theirs = ({name: getattr(facts, name) for name in names} for facts in (held, combined, sent))
        if group in differs:
            assert after == before
            assert any(None not in (before[name], theirs[name]) and before[name] != theirs[name] for name in names)
        else:
            assert after == {name: theirs[name] if before[name] is None else before[name] for name in names}
    assert combined.exif == (held.exif if "exif" in differs else {**sent.exif, **held.exif})


@given(FACTS, FACTS)
def test_combining_twice_changes_nothing_more(held: Facts, sent: Facts) -> None:
    combined, differs = combine(held, sent)
    assert combine(combined, sent) == (combined, differs)
    assert combine(held, held) == (held, ())


def test_half_a_position_is_not_completed_by_another() -> None:
    held, sent = Facts(latitude=1.0, longitude=2.0), Facts(latitude=1.0, longitude=2.5, altitude=7.0)
    combined, differs = combine(held, sent)
    assert (combined.altitude, differs) == (None, ("location",))


def test_a_fraction_of_the_second_is_filled_in_and_no_difference() -> None:
    plain, exact = Facts(taken_at=datetime(2020, 1, 1)), Facts(taken_at=datetime(2020, 1, 1, microsecond=130_000))
    other = Facts(taken_at=datetime(2020, 1, 1, microsecond=250_000))
    assert combine(plain, exact) == (exact, ())
    assert combine(exact, plain) == (exact, ())
    assert combine(exact, other) == (exact, ())


def test_another_source_of_the_same_time_is_no_difference() -> None:
    time: dict[str, Any] = {"taken_at": datetime(2020, 1, 1)}
    combined, differs = combine(Facts(**time, taken_at_source="DateTime"), Facts(**time, taken_at_source="DateTimeOriginal"))
    assert (combined.taken_at_source, differs) == ("DateTime", ())
