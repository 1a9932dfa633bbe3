"""Who may import whom: a change that needs another arrow needs another drawing of the architecture first."""

import re
from graphlib import TopologicalSorter

import pytest

from tests.rules.modules import CHECKOUT, Module, product

#: A line of the list in `docs/architecture.md`: a room, and what it may import.
_LINE = re.compile(r"(\w+) *→ ?(.*)")
#: A room in such a line, and the modules of it that are meant, where it is not the whole room.
_ROOM = re.compile(r"(\w+)(?: \(([^)]+)\))?")


def drawn() -> dict[str, set[str]]:
    """The rooms from the top floor down, and what each may import of `chalicelib`, beside itself."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
    lines = (_LINE.fullmatch(line) for line in text.splitlines())
    return {line[1]: {name for room in _ROOM.finditer(line[2]) for name in _names(*room.groups())} for line in lines if line}


def _names(room: str, modules: str | None) -> list[str]:
    return [f"{room}.{module}" for module in modules.split(", ")] if modules else [room]


MAY_IMPORT = drawn()
#: Which `read` is the door of; what it hands out may be named.
HEADERS = ("chalicelib.imaging.headers",)
#: Where alone a library may be imported.
ONLY_IN = {
    "sqlalchemy": ("chalicelib.catalog",),
    "alembic": ("chalicelib.catalog",),
    "pymysql": ("chalicelib.catalog",),
    "sqlite3": ("chalicelib.catalog",),
    "boto3": ("chalicelib.storage.s3",),
    "botocore": ("chalicelib.storage.s3", "chalicelib.storage.s3_errors"),
    "PIL": ("chalicelib.imaging",),
    "pillow_heif": ("chalicelib.imaging",),
    "chalice": ("app", "chalicelib.api", "chalicelib.functions", "chalicelib.server"),
    "python_multipart": ("chalicelib.api",),
    "argparse": ("chalicelib.cli",),
}


def below(name: str, packages: tuple[str, ...] | set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("module", product(), ids=str)
def test_imports_go_only_the_way_the_architecture_draws(module: Module) -> None:
    allowed = {f"chalicelib.{room}" for room in MAY_IMPORT.get(module.room, set()) | {module.room}}
    ours = {name for name in module.imports() if below(name, ("chalicelib", "app"))}
    assert {name for name in ours if not below(name, allowed)} == set()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_arrow_is_drawn_that_nothing_needs(room: str) -> None:
    imported = {name for module in product() if module.room == room or module.name == room for name in module.imports()}
    assert {other for other in MAY_IMPORT[room] if not any(below(name, {f"chalicelib.{other}"}) for name in imported)} == set()


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_library_is_imported_only_where_it_belongs(module: Module) -> None:
    strays = {
        name
        for name in module.imports()
        for library, homes in ONLY_IN.items()
        if below(name, (library,)) and not below(module.name, homes)
    }
    assert strays == set()


def test_no_room_imports_one_that_stands_above_it() -> None:
    """So there is no circle, of rooms or of modules in different rooms."""
    floors = list(MAY_IMPORT)
    upward = {
        (room, other)
        for room, others in MAY_IMPORT.items()
        for other in others
        if floors.index(other.partition(".")[0]) <= floors.index(room)
    }
    assert upward == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {module.name for module in product()}
    imports = {module.name: {owner for name in module.imports() if (owner := _module_of(name, names))} for module in product()}
    TopologicalSorter({name: others - {name} for name, others in imports.items()}).prepare()  # raises `CycleError`


def _module_of(name: str, modules: set[str]) -> str | None:
    """The module that an import loads: `name` may be something in it."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name if name not in ("", "chalicelib") else None


@pytest.mark.parametrize("module", product(), ids=str)
def test_the_headers_are_read_through_their_one_door(module: Module) -> None:
    if module.room != "imaging":
        assert {name for name in module.imports() if below(name, HEADERS) and name.count(".") > 3} == set()


def test_every_room_has_its_rule() -> None:
    assert {module.room for module in product()} - {""} <= MAY_IMPORT.keys()


def test_the_rules_would_see_a_stray_import() -> None:
    assert not below("chalicelib.catalogue", {"chalicelib.catalog"})
    assert below("chalicelib.catalog.tables.images", {"chalicelib.catalog"})
    assert any(below(name, ("sqlalchemy",)) for module in product() for name in module.imports())
