"""Places as numbers on a curve: no place of a box is missed, and small boxes are covered closely."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog.cells import cell, runs
from chalicelib.model.records import Box

LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, 0.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 0.0])


@given(LONGITUDES, LONGITUDES, LATITUDES, LATITUDES, st.floats(0, 1), st.floats(0, 1))
def test_every_place_in_a_box_is_in_one_of_its_runs(
    west: float, east: float, south: float, north: float, across: float, up: float
) -> None:
    south, north = sorted((south, north))
    width = east - west if west <= east else east - west + 360.0
    longitude = west + width * across
    longitude = longitude - 360.0 if longitude > 180.0 else longitude
    latitude = min(max(south + (north - south) * up, south), north)
    if west <= east:
        longitude = min(max(longitude, west), east)
    elif east < longitude < west:
        longitude = east
    number = cell(latitude, longitude)
    assert sum(first <= number <= last for first, last in runs(Box(west, south, east, north))) == 1


@given(LONGITUDES, LATITUDES, st.floats(0.01, 2.0), st.floats(0.01, 2.0))
def test_a_box_is_covered_by_few_runs_no_larger_than_four_squares_around_it(
    west: float, south: float, width: float, height: float
) -> None:
    east, north = min(west + width, 180.0), min(south + height, 90.0)
    found = runs(Box(west, south, east, north))
    longer = max((east - west) / 360, (north - south) / 180) * 2**15 + 2
    assert len(found) <= 48
    assert sum(last - first + 1 for first, last in found) <= 4 * longer**2
    assert found == sorted(found)


def test_the_whole_world_is_one_run() -> None:
    assert runs(Box(-180.0, -90.0, 180.0, 90.0)) == [(0, 2**30 - 1)]


def test_neighbours_have_near_numbers() -> None:
    assert cell(-90.0, -180.0) == 0
    assert cell(90.0, 180.0) == 2**30 - 1
    assert abs(cell(48.85, 2.35) - cell(48.851, 2.351)) < 64
