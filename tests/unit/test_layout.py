"""The page's layout: pure arithmetic, run by Node.js as a browser runs it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DRIVER = Path(__file__).with_name("layout_driver.mjs")
GAP = 6
Laid = dict[str, Any]
LayOut = Callable[..., Laid]

#: Panoramas and long strips of paper as well.
_ASPECTS = st.floats(0.05, 20)
_DAYS = st.lists(st.integers(1, 12), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def lay_out() -> Iterator[LayOut]:
    """Frames of these aspects, in days of so many each (none: an order that is not one of days), laid out in batches."""
    node = Path(sys.executable).with_name("node")
    pipe = subprocess.PIPE
    with subprocess.Popen([node, DRIVER], stdin=pipe, stdout=pipe, text=True) as process:

        def lay(
            aspects: list[float],
            days: list[int] | None = None,
            width: int = 1000,
            target: int = 200,
            batches: list[int] | None = None,
            heights: list[float] | None = None,
        ) -> Laid:
            named = [f"day {number}" for number, count in enumerate(days or []) for _ in range(count)]
            frames = [
                {"id": index, "aspect": aspect, "day": named[index % len(named)] if named else "", "page": 0}
                for index, aspect in enumerate(aspects)
            ]
            asked = {"width": width, "target": target, "frames": frames, "batches": batches or [len(frames)]}
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(asked | {"heights": heights or []}) + "\n")
            process.stdin.flush()
            laid: Laid = json.loads(process.stdout.readline())
            return laid

        yield lay


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """So many pictures on so many days, or on none, in a window of some width."""
    days = draw(st.none() | _DAYS)
    count = sum(days) if days else draw(st.integers(1, 120))
    aspects = draw(st.lists(_ASPECTS, min_size=count, max_size=count))
    return {"aspects": aspects, "days": days, "width": draw(st.integers(200, 2600)), "target": draw(st.integers(80, 400))}


def test_nothing_is_laid_out_as_nothing(lay_out: LayOut) -> None:
    laid = lay_out([], batches=[0], heights=[0, 50])
    assert (laid["rows"], laid["height"], laid["rowAt"]) == ([], 0, [0, 0])


def test_one_picture_is_as_high_as_asked_for_unless_it_is_wider_than_the_window(lay_out: LayOut) -> None:
    [row] = lay_out([1.5])["rows"]
    assert (row["height"], row["start"], row["end"]) == (200, 0, 1)
    [row] = lay_out([10.0])["rows"]
    assert row["height"] == 100


@given(scene=scenes())
@settings(deadline=None)
def test_every_picture_has_one_place_in_order(lay_out: LayOut, scene: dict[str, Any]) -> None:
    laid = lay_out(**scene)
    shown = [place["index"] for places in laid["places"] for place in places]
    assert shown == list(range(len(scene["aspects"])))
    for above, below in zip(laid["rows"], laid["rows"][1:], strict=False):
        assert above["end"] == below["start"]
        assert above["bottom"] == below["top"]
    assert laid["height"] == laid["rows"][-1]["bottom"]


@given(scene=scenes())
@settings(deadline=None)
def test_no_picture_is_bent_or_over_another_or_outside_of_the_window(lay_out: LayOut, scene: dict[str, Any]) -> None:
    laid = lay_out(**scene)
    for row, places in zip(laid["rows"], laid["places"], strict=True):
        assert row["bottom"] == pytest.approx(row["top"] + row["tiles"] + row["height"] + GAP)
        end = 0.0
        for place in places:
            assert place["width"] == pytest.approx(scene["aspects"][place["index"]] * row["height"])
            assert place["x"] >= end - 0.01
            end = place["x"] + place["width"]
        assert end <= scene["width"] + 1


@given(scene=scenes())
@settings(deadline=None)
def test_a_row_that_is_not_the_last_of_its_day_is_filled_from_edge_to_edge(lay_out: LayOut, scene: dict[str, Any]) -> None:
    laid = lay_out(**scene)
    days = scene["days"]
    ends = {sum(days[: number + 1]) for number in range(len(days))} if days else {len(scene["aspects"])}
    for row, places in zip(laid["rows"], laid["places"], strict=True):
        if row["end"] not in ends:
            assert places[-1]["x"] + places[-1]["width"] == pytest.approx(scene["width"])
            assert places[0]["x"] == 0


@given(scene=scenes(), data=st.data())
@settings(deadline=None)
def test_pictures_that_come_in_pages_lie_as_if_they_had_come_at_once(
    lay_out: LayOut, scene: dict[str, Any], data: st.DataObject
) -> None:
    count = len(scene["aspects"])
    ends = sorted({*data.draw(st.lists(st.integers(1, count), max_size=5)), count})
    at_once, in_pages = lay_out(**scene), lay_out(**scene, batches=ends)
    assert in_pages["rows"] == at_once["rows"]
    assert in_pages["changed"] == sorted(in_pages["changed"])


@given(scene=scenes(), shares=st.lists(st.floats(0, 1), max_size=8))
@settings(deadline=None)
def test_a_row_is_found_by_height_and_by_picture_as_by_looking_through_all(
    lay_out: LayOut, scene: dict[str, Any], shares: list[float]
) -> None:
    height = lay_out(**scene)["height"]
    heights = [share * height for share in shares]
    laid = lay_out(**scene, heights=heights)
    rows = laid["rows"]
    assert laid["rowAt"] == [max(n for n, row in enumerate(rows) if row["top"] <= y or n == 0) for y in heights]
    by_picture = [number for number, row in enumerate(rows) for _ in range(row["end"] - row["start"])]
    assert laid["rowOf"] == by_picture


@given(scene=scenes())
@settings(deadline=None)
def test_down_leads_to_the_nearest_picture_of_the_next_row(lay_out: LayOut, scene: dict[str, Any]) -> None:
    laid = lay_out(**scene)
    centres = {p["index"]: p["x"] + p["width"] / 2 for places in laid["places"] for p in places}
    for index, below in enumerate(laid["down"]):
        number = laid["rowOf"][index]
        if number + 1 == len(laid["rows"]):
            assert below is None
        else:
            others = [place["index"] for place in laid["places"][number + 1]]
            nearest = min(abs(centres[other] - centres[index]) for other in others)
            assert below in others
            assert abs(centres[below] - centres[index]) == pytest.approx(nearest)


def test_a_hundred_thousand_pictures_are_laid_out(lay_out: LayOut) -> None:
    aspects = [0.5 + (index * 7919 % 100) / 50 for index in range(100_000)]
    laid = lay_out(aspects, days=[5] * 20_000)
    assert laid["rows"][-1]["end"] == 100_000
    assert laid["rowOf"][-1] == len(laid["rows"]) - 1
