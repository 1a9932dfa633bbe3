"""Who may import whom: a change that needs another arrow needs another drawing of the architecture first."""

import pytest

from tests.rules.modules import Module, product

#: Modules that hold the plain values of a room and nothing else.
VALUES = {"catalog.records", "imaging.picture", "storage.port"}
#: What each room may import of `chalicelib`, beside itself. A room may be narrowed to modules of it.
MAY_IMPORT: dict[str, set[str]] = {
    "app": {"api", "functions", "local", "settings"},
    "api": {
        "services",
        "runtime",
        "errors",
        "facts",
        "settings",
        "catalog.records",
        "imaging.picture",
        "storage.port",
        "telemetry",
    },
    "functions": {"services", "runtime", "telemetry", "errors", "catalog.records"},
    "cli": {"services", "runtime", "errors", "settings"},
    "local": {"runtime", "backends", "settings", "errors", "catalog", "imaging", "storage", "api.http", "api.multipart"},
    "deployed": {"runtime", "backends", "telemetry", "settings", "imaging"},
    "runtime": {"settings", "catalog", "storage.port", "services", "deployed", "local.composition"},
    "backends": {"settings", "catalog.database", "storage.s3", "storage.sigv4", "rds_token"},
    "rds_token": {"storage.sigv4"},
    "telemetry": set(),
    "services": {"imaging.picture", "catalog", "storage.port", "storage.keys", "errors", "facts"},
    "catalog": {"errors", "facts"},
    "imaging": {"errors", "facts"},
    "storage": {"errors", "facts"},
    "settings": set(),
    "errors": set(),
    "facts": set(),
}
#: Where alone a library may be imported.
ONLY_IN = {
    "sqlalchemy": ("chalicelib.catalog",),
    "alembic": ("chalicelib.catalog",),
    "pymysql": ("chalicelib.catalog",),
    "sqlite3": ("chalicelib.catalog",),
    "boto3": ("chalicelib.storage.s3",),
    "botocore": ("chalicelib.storage.s3",),
    "PIL": ("chalicelib.imaging",),
    "pillow_heif": ("chalicelib.imaging",),
    "chalice": ("app", "chalicelib.api", "chalicelib.functions", "chalicelib.local"),
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


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_library_is_imported_only_where_it_belongs(module: Module) -> None:
    strays = {
        name
        for name in module.imports()
        for library, homes in ONLY_IN.items()
        if below(name, (library,)) and not below(module.name, homes)
    }
    assert strays == set()


def test_every_room_has_its_rule() -> None:
    assert {module.room for module in product()} - {""} <= MAY_IMPORT.keys()


def test_the_rules_would_see_a_stray_import() -> None:
    assert not below("chalicelib.catalogue", {"chalicelib.catalog"})
    assert below("chalicelib.catalog.tables.images", {"chalicelib.catalog"})
    assert any(below(name, ("sqlalchemy",)) for module in product() for name in module.imports())
