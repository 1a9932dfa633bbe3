"""The project's modules as syntax trees, for the rules to look at."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
#: Written once and never touched again, by Alembic's own rules.
_MIGRATIONS = CHECKOUT / "chalicelib" / "catalog" / "migrations"


@dataclass(frozen=True)
class Module:
    """One source file; `name` is as it is imported."""

    name: str
    path: Path
    tree: ast.Module

    def __str__(self) -> str:
        return self.name

    @property
    def room(self) -> str:
        """The folder below `chalicelib`, or the module directly below it."""
        return self.name.removeprefix("chalicelib").removeprefix(".").partition(".")[0]

    def imports(self) -> Iterator[str]:
        """The full name of every module it imports, at any depth, and of what it takes `from` a package."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports relatively"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def product() -> tuple[Module, ...]:
    """`app.py` and everything in `chalicelib`."""
    return tuple(_module(path) for path in [CHECKOUT / "app.py", *sorted((CHECKOUT / "chalicelib").rglob("*.py"))])


@functools.cache
def everything() -> tuple[Module, ...]:
    """The product, its tests and its benchmarks."""
    others = (path for folder in ("tests", "benchmarks") for path in sorted((CHECKOUT / folder).rglob("*.py")))
    return (*product(), *map(_module, others))


def is_migration(module: Module) -> bool:
    return module.path.is_relative_to(_MIGRATIONS)


def _module(path: Path) -> Module:
    name = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
    return Module(name, path, ast.parse(path.read_text("utf-8"), str(path)))
