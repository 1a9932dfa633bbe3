"""The list on every engine, held against the same list computed in Python."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.catalog.catalog import Catalog
from chalicelib.model.facts import Facts
from chalicelib.model.records import Box, Filters, Position, Range, Sort
from tests.contract.making import NOW, admitted, entry, listed

DAY = timedelta(days=1)
WALL = NOW.replace(tzinfo=None)


@dataclass(frozen=True)
class Shown:
    """One image of the example list."""

    name: str
    uploaded_at: datetime = NOW
    format_name: str = "JPEG"
    byte_size: int = 5
    width: int = 4
    height: int = 3
    facts: Facts = field(default_factory=Facts)
    id: int = 0


#: Ties in every sort, accents composed and not, case that needs folding, emoji, microseconds apart, places at the edges.
EXAMPLES = (
    Shown("straße.jpg", NOW, facts=Facts(camera_make="LEICA", latitude=0.0, longitude=180.0)),
    Shown("STRASSE.JPG", NOW, byte_size=2**40, facts=Facts(camera_make="Leica", latitude=0.0, longitude=-180.0)),
    Shown("e\u0301t\u00e9.png", NOW + timedelta(microseconds=1), "PNG", facts=Facts(taken_at=WALL, iso=100)),
    Shown("\u00e9te\u0301.png", NOW - timedelta(microseconds=1), "PNG", facts=Facts(taken_at=WALL - DAY, iso=101)),
    Shown("Éte.png", NOW - DAY, "png", facts=Facts(taken_at=WALL + timedelta(microseconds=1), iso=2**33)),
    Shown("😀.jpg", NOW, width=6000, height=1, facts=Facts(f_number=1.8, latitude=-17.5, longitude=-179.5)),
    Shown("😁.jpg", NOW, width=1, height=6000, facts=Facts(f_number=2.0, latitude=-17.5, longitude=179.5)),
    Shown("100%_sure.jpg", NOW + DAY, facts=Facts(exposure_time=1 / 3, latitude=90.0, longitude=0.0)),
    Shown("100x sure.jpg ", NOW + DAY, facts=Facts(exposure_time=0.25, latitude=-90.0, longitude=0.0)),
    Shown("100x sure.jpg", NOW + DAY, facts=Facts(focal_length=50.0, latitude=43.467448, longitude=11.885126)),
    Shown("back\\slash'quote\".jpg", NOW, facts=Facts(lens_model="50 mm", camera_model="ж7")),
    Shown("nul\x00.jpg", NOW, facts=Facts(lens_model="50 mm ", camera_model="Ж7", taken_at=datetime(1, 1, 1))),
    Shown("n" * 250 + "tail", NOW, facts=Facts(taken_at=datetime(9999, 12, 31, 23, 59, 59, 999999))),
    Shown("İstanbul", NOW, "HEIF", byte_size=0, facts=Facts(latitude=0.0)),
    Shown("ﬁn.jpg", NOW, byte_size=7, facts=Facts(iso=0, f_number=0.0, longitude=0.0)),
)


@pytest.fixture
def shown(catalog: Catalog) -> tuple[Shown, ...]:
    """The example list of the owner `local`, beside another owner's."""
    admitted(catalog, "another owner's", owner="locale")
    return tuple(_add(catalog, number, each) for number, each in enumerate(EXAMPLES))


def _add(catalog: Catalog, number: int, each: Shown) -> Shown:
    result = admitted(
        catalog,
        f"file {number}",
        entry(f"picture {number}", each.facts, each.width, each.height),
        name=each.name,
        at=each.uploaded_at,
        format_name=each.format_name,
        byte_size=each.byte_size,
    )
    return replace(each, id=result.image_id)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


SORTS: dict[str, Callable[[Shown], Any]] = {
    "uploaded_at": lambda each: (each.uploaded_at, each.id),
    "taken_at": lambda each: (each.facts.taken_at or each.uploaded_at.replace(tzinfo=None), each.id),
    "name": lambda each: (_folded(each.name).encode(), each.id),
    "byte_size": lambda each: (each.byte_size, each.id),
}
ALL_SORTS: tuple[Sort, ...] = (
    "uploaded_at",
    "-uploaded_at",
    "taken_at",
    "-taken_at",
    "name",
    "-name",
    "byte_size",
    "-byte_size",
)


def _in_order(shown: tuple[Shown, ...], sort: Sort) -> list[int]:
    return [each.id for each in sorted(shown, key=SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))]


@pytest.mark.parametrize("sort", ALL_SORTS)
def test_every_sort_is_in_the_same_order_everywhere(catalog: Catalog, shown: tuple[Shown, ...], sort: Sort) -> None:
    assert listed(catalog, sort=sort) == _in_order(shown, sort)


def test_a_listed_image_carries_what_the_list_shows(catalog: Catalog, shown: tuple[Shown, ...]) -> None:
    page = catalog.images.page("local", Filters(), "name", 50, None)
    assert page.next is None
    by_id = {image.id: image for image in page.images}
    for each in shown:
        image = by_id[each.id]
        assert (image.name, image.uploaded_at, image.taken_at) == (each.name, each.uploaded_at, each.facts.taken_at)
        assert (image.width, image.height, image.file.byte_size) == (each.width, each.height, each.byte_size)
        assert image.file.format == each.format_name


def test_a_page_that_ends_the_list_has_no_next(catalog: Catalog, shown: tuple[Shown, ...]) -> None:
    count = len(shown)
    assert catalog.images.page("local", Filters(), "name", count, None).next is None
    almost = catalog.images.page("local", Filters(), "name", count - 1, None)
    assert almost.next is not None
    assert len(catalog.images.page("local", Filters(), "name", 9, almost.next).images) == 1
    assert catalog.images.page("nobody", Filters(), "name", 9, None).images == ()


@pytest.mark.parametrize("sort", ALL_SORTS)
def test_what_stays_is_neither_skipped_nor_repeated_while_others_come_and_go(
    catalog: Catalog, shown: tuple[Shown, ...], sort: Sort
) -> None:
    expected = _in_order(shown, sort)
    first = catalog.images.page("local", Filters(), sort, 4, None)
    catalog.images.delete("local", expected[3])
    catalog.images.delete("local", expected[6])
    newcomer = _add(catalog, 99, Shown("m.jpg", NOW + timedelta(hours=1)))
    rest = catalog.images.page("local", Filters(), sort, 50, first.next)
    assert [image.id for image in rest.images if image.id != newcomer.id] == expected[4:6] + expected[7:]


def test_a_position_beyond_all_numbers_is_the_end_of_the_list(catalog: Catalog, shown: tuple[Shown, ...]) -> None:
    far = Position(10**30, 10**30)
    assert catalog.images.page("local", Filters(), "byte_size", 9, far).images == ()
    assert len(catalog.images.page("local", Filters(), "-byte_size", 50, far).images) == len(shown)


def _matches(each: Shown, filters: Filters) -> bool:
    facts = each.facts
    numbers: dict[str, float | None] = {
        "width": each.width,
        "height": each.height,
        "byte_size": each.byte_size,
        "iso": facts.iso,
        "f_number": facts.f_number,
        "exposure_time": facts.exposure_time,
        "focal_length": facts.focal_length,
    }
    place = facts.latitude is not None and facts.longitude is not None
    return (
        (filters.uploaded_after is None or each.uploaded_at >= filters.uploaded_after)
        and (filters.uploaded_before is None or each.uploaded_at < filters.uploaded_before)
        and (filters.taken_after is None or (facts.taken_at is not None and facts.taken_at >= filters.taken_after))
        and (filters.taken_before is None or (facts.taken_at is not None and facts.taken_at < filters.taken_before))
        and (filters.name is None or _folded(filters.name) in _folded(each.name))
        and _one_of(each.format_name, filters.format)
        and _one_of(facts.camera_make, filters.camera_make)
        and _one_of(facts.camera_model, filters.camera_model)
        and _one_of(facts.lens_model, filters.lens_model)
        and all(_within(numbers[name], bounds) for name, bounds in filters.ranges.items())
        and (filters.has_location is None or filters.has_location == place)
        and (filters.box is None or (place and _inside(facts, filters.box)))
    )


def _one_of(text: str | None, alternatives: tuple[str, ...]) -> bool:
    return not alternatives or (text is not None and _folded(text) in {_folded(each) for each in alternatives})


def _within(number: float | None, bounds: Range) -> bool:
    return (bounds.minimum is None and bounds.maximum is None) or (
        number is not None
        and (bounds.minimum is None or number >= bounds.minimum)
        and (bounds.maximum is None or number <= bounds.maximum)
    )


def _inside(facts: Facts, box: Box) -> bool:
    assert facts.latitude is not None
    assert facts.longitude is not None
    if box.west <= box.east:
        across = box.west <= facts.longitude <= box.east
    else:
        across = facts.longitude >= box.west or facts.longitude <= box.east
    return across and box.south <= facts.latitude <= box.north


TIMES = st.sampled_from([None, *(each.uploaded_at for each in EXAMPLES), datetime(1, 1, 2, tzinfo=UTC)])
WALLS = st.sampled_from([None, None, *(each.facts.taken_at for each in EXAMPLES)])
NAMES = st.sampled_from(
    [
        None,
        "",
        "SS",
        "ß",
        "É",
        "e\u0301",
        "😀",
        "%",
        "_",
        "\\",
        "'",
        "\x00",
        "jpg ",
        "tail",
        "i̇",
        "ﬁ",
        "FI",
        "\udc80",
        "x" * 5000,
    ]
)
TEXTS = st.sampled_from(["leica", "ΩΆ", "Ж7", "ж7", "50 MM", "50 mm ", "png", "Jpeg", "", "\udc80", "x" * 5000, "heif"])
ENDS = st.none() | st.sampled_from([0.0, 1.0, 1.8, 2.0, 3.5, 4.0, 5.0, 100.0, 100.5, 1 / 3, 0.25, 50.0, 2.0**33, -1e300, 1e300])
NUMBERS = ("width", "height", "byte_size", "iso", "f_number", "exposure_time", "focal_length")
LONGITUDES = st.sampled_from([-180.0, -179.5, -1.0, 0.0, 11.885126, 179.5, 180.0]) | st.floats(-180, 180)
LATITUDES = st.sampled_from([-90.0, -17.5, 0.0, 43.467448, 90.0]) | st.floats(-90, 90)


@st.composite
def filters(draw: st.DrawFn) -> Filters:
    """Each field is left alone in most draws, so that single filters and combinations both occur."""

    def seldom(strategy: st.SearchStrategy[Any], default: Any) -> Any:
        return draw(strategy) if draw(st.integers(0, 4)) == 0 else default

    south, north = sorted((draw(LATITUDES), draw(LATITUDES)))
    return Filters(
        uploaded_after=seldom(TIMES, None),
        uploaded_before=seldom(TIMES, None),
        taken_after=seldom(WALLS, None),
        taken_before=seldom(WALLS, None),
        name=seldom(NAMES, None),
        format=tuple(seldom(st.lists(TEXTS, max_size=3), ())),
        camera_make=tuple(seldom(st.lists(TEXTS, max_size=3), ())),
        camera_model=tuple(seldom(st.lists(TEXTS, max_size=3), ())),
        lens_model=tuple(seldom(st.lists(TEXTS, max_size=3), ())),
        ranges=seldom(st.dictionaries(st.sampled_from(NUMBERS), st.builds(Range, ENDS, ENDS), max_size=2), {}),
        has_location=seldom(st.booleans(), None),
        box=seldom(st.builds(Box, LONGITUDES, st.just(south), LONGITUDES, st.just(north)), None),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(asked=filters(), sort=st.sampled_from(ALL_SORTS))
def test_any_filters_find_what_python_finds(catalog: Catalog, shown: tuple[Shown, ...], asked: Filters, sort: Sort) -> None:
    matching = tuple(each for each in shown if _matches(each, asked))
    assert listed(catalog, asked, sort) == _in_order(matching, sort)
    assert catalog.images.count("local", asked) == len(matching)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (Filters(name="STRASSE"), ["straße.jpg", "STRASSE.JPG"]),
        (Filters(name="ÉTÉ"), ["e\u0301t\u00e9.png", "\u00e9te\u0301.png"]),
        (Filters(name="0%_"), ["100%_sure.jpg"]),
        (Filters(name="tail"), ["n" * 250 + "tail"]),
        (Filters(format=("PNG", "heif")), ["e\u0301t\u00e9.png", "\u00e9te\u0301.png", "Éte.png", "İstanbul"]),
        (Filters(camera_make=("leica",)), ["straße.jpg", "STRASSE.JPG"]),
        (Filters(camera_model=("Ж7",)), ["back\\slash'quote\".jpg", "nul\x00.jpg"]),
        (Filters(lens_model=("50 mm",)), ["back\\slash'quote\".jpg"]),
        (Filters(box=Box(179.0, -20.0, -179.0, 1.0)), ["straße.jpg", "STRASSE.JPG", "😀.jpg", "😁.jpg"]),
        (Filters(box=Box(-180.0, -20.0, -179.0, 1.0)), ["STRASSE.JPG", "😀.jpg"]),
        (Filters(box=Box(-180.0, 90.0, 180.0, 90.0)), ["100%_sure.jpg"]),
        (Filters(uploaded_before=NOW), ["\u00e9te\u0301.png", "Éte.png"]),
        (Filters(taken_after=WALL, taken_before=WALL + timedelta(microseconds=1)), ["e\u0301t\u00e9.png"]),
        (Filters(ranges={"iso": Range(100.5, 1e300)}), ["\u00e9te\u0301.png", "Éte.png"]),
        (Filters(ranges={"exposure_time": Range(1 / 3, 1 / 3)}), ["100%_sure.jpg"]),
    ],
)
def test_each_filter_finds_its_own(catalog: Catalog, shown: tuple[Shown, ...], asked: Filters, names: list[str]) -> None:
    by_id = {each.id: each.name for each in shown}
    assert sorted(by_id[image_id] for image_id in listed(catalog, asked)) == sorted(names)
